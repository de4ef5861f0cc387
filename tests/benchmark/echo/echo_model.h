// What the echo server pretends to be: a model of one input and one output.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inference/open_inference_grpc.pb.h"

namespace stillwave::benchmark {

struct EchoTensor {
  std::string name;
  std::vector<int64_t> sample_shape;  // without the batch; -1: any
};

// Immutable, so thread-safe. Answers are as large as the model's would be, and all zeros.
class EchoModel {
 public:
  // REQUIRES: the output's shape has no -1.
  EchoModel(std::string name, EchoTensor input, EchoTensor output);

  void Answer(const inference::ModelMetadataRequest& request, inference::ModelMetadataResponse* response) const;
  void Answer(const inference::RepositoryIndexRequest& request, inference::RepositoryIndexResponse* response) const;
  // As many samples as the request's first input; one when it has none. At most 65,536.
  void Answer(const inference::ModelInferRequest& request, inference::ModelInferResponse* response) const;

 private:
  const std::string name_;
  const EchoTensor input_;
  const EchoTensor output_;
  const size_t output_bytes_;  // of one sample
};

}  // namespace stillwave::benchmark
