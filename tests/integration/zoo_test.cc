// Every promised network, every case: the server's answer lies within the case's tolerance of PyTorch's.
#include <cmath>

#include "gmock/gmock.h"
#include "server/tensor/data_type.h"
#include "tests/integration/rpc.h"

namespace stillwave::integration {
namespace {

using test_support::ModelCase;
using test_support::NamedTensor;
using test_support::TestModel;

class Zoo : public testing::TestWithParam<TestModel> {};

void AddInput(inference::ModelInferRequest& request, const NamedTensor& input) {
  const tensor::Tensor& values = input.tensor;
  AddRawInput(request, input.name, std::string(tensor::Name(values.data_type())), values.shape().dims(),
              std::string(static_cast<const char*>(values.data()), values.byte_size()));
}

void ExpectOutput(const NamedTensor& want, double atol, const inference::ModelInferResponse& response, int index) {
  EXPECT_EQ(response.outputs(index).name(), want.name);
  EXPECT_THAT(response.outputs(index).shape(), testing::ElementsAreArray(want.tensor.shape().dims()));
  const std::vector<float> got = FloatsOf(response.raw_output_contents(index));
  const absl::Span<const float> wanted = want.tensor.values<float>();
  ASSERT_EQ(got.size(), wanted.size());
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_TRUE(std::isfinite(got[i])) << want.name << "[" << i << "]";
    worst = std::max(worst, std::abs(static_cast<double>(got[i]) - wanted[i]));
  }
  EXPECT_LE(worst, atol) << want.name;
}

TEST_P(Zoo, EveryCaseIsWithinItsTolerance) {
  const auto cases = test_support::LoadCases(GetParam());
  ASSERT_TRUE(cases.ok()) << cases.status();
  ASSERT_FALSE(cases->empty());
  auto server = test_support::ServerProcess::Start({absl::StrCat("--model=", GetParam().model_file)});
  ASSERT_TRUE(server.ok()) << server.status();
  Client client((*server)->grpc_address());
  for (const ModelCase& one : *cases) {
    SCOPED_TRACE(one.name);
    inference::ModelInferRequest request;
    request.set_model_name(GetParam().name);
    for (const NamedTensor& input : one.inputs) AddInput(request, input);
    inference::ModelInferResponse response;
    const grpc::Status status = Call(*client.inference, &Inference::Stub::ModelInfer, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    ASSERT_EQ(static_cast<size_t>(response.outputs_size()), one.outputs.size());
    for (size_t i = 0; i < one.outputs.size(); ++i) {
      ExpectOutput(one.outputs[i], one.atol[i], response, static_cast<int>(i));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Small, Zoo, testing::ValuesIn(test_support::SmallModels()), test_support::TestSuffix);
INSTANTIATE_TEST_SUITE_P(Promised, Zoo, testing::ValuesIn(test_support::PromisedModels()), test_support::TestSuffix);

}  // namespace
}  // namespace stillwave::integration
