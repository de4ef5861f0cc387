#include "tests/benchmark/echo/echo_model.h"

#include <algorithm>
#include <utility>

#include "server/base/check.h"

namespace stillwave::benchmark {
namespace {

constexpr char kVersion[] = "1";
constexpr int64_t kMaxSamples = 65536;

size_t BytesOf(const std::vector<int64_t>& sample_shape) {
  int64_t values = 1;
  for (const int64_t dim : sample_shape) {
    SW_CHECK(dim > 0);
    values *= dim;
  }
  return static_cast<size_t>(values) * sizeof(float);
}

void Describe(const EchoTensor& tensor, inference::ModelMetadataResponse::TensorMetadata* metadata) {
  metadata->set_name(tensor.name);
  metadata->set_datatype("FP32");
  metadata->add_shape(-1);
  for (const int64_t dim : tensor.sample_shape) metadata->add_shape(dim);
}

}  // namespace

EchoModel::EchoModel(std::string name, EchoTensor input, EchoTensor output)
    : name_(std::move(name)),
      input_(std::move(input)),
      output_(std::move(output)),
      output_bytes_(BytesOf(output_.sample_shape)) {}

void EchoModel::Answer(const inference::ModelMetadataRequest& /*request*/,
                       inference::ModelMetadataResponse* response) const {
  response->set_name(name_);
  response->add_versions(kVersion);
  response->set_platform("echo");
  Describe(input_, response->add_inputs());
  Describe(output_, response->add_outputs());
}

void EchoModel::Answer(const inference::RepositoryIndexRequest& /*request*/,
                       inference::RepositoryIndexResponse* response) const {
  auto& model = *response->add_models();
  model.set_name(name_);
  model.set_version(kVersion);
  model.set_state("READY");
}

void EchoModel::Answer(const inference::ModelInferRequest& request, inference::ModelInferResponse* response) const {
  int64_t samples = 1;
  if (request.inputs_size() > 0 && request.inputs(0).shape_size() > 0) {
    samples = std::clamp<int64_t>(request.inputs(0).shape(0), 1, kMaxSamples);
  }
  response->set_model_name(name_);
  response->set_model_version(kVersion);
  response->set_id(request.id());
  auto& output = *response->add_outputs();
  output.set_name(output_.name);
  output.set_datatype("FP32");
  output.add_shape(samples);
  for (const int64_t dim : output_.sample_shape) output.add_shape(dim);
  response->add_raw_output_contents()->resize(static_cast<size_t>(samples) * output_bytes_);
}

}  // namespace stillwave::benchmark
