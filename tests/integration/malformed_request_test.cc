// Requests that must be refused: each with its code, and words that name what is wrong.
#include <functional>

#include "gmock/gmock.h"
#include "tests/integration/rpc.h"

namespace stillwave::integration {
namespace {

using grpc::StatusCode;
using inference::ModelInferRequest;
using testing::HasSubstr;

struct Malformed {
  std::string name;                               // of the test
  std::function<void(ModelInferRequest&)> spoil;  // a good request
  StatusCode code;
  std::vector<std::string> words;
};

void PrintTo(const Malformed& malformed, std::ostream* out) { *out << malformed.name; }

ModelInferRequest::InferInputTensor& X(ModelInferRequest& request) { return *request.mutable_inputs(0); }
std::string& Bytes(ModelInferRequest& request) { return *request.mutable_raw_input_contents(0); }

std::vector<Malformed> AllMalformed() {
  return {
      {"UnknownModel", [](auto& r) { r.set_model_name("nobody"); }, StatusCode::NOT_FOUND, {"nobody", "seed_block"}},
      {"NoModelName", [](auto& r) { r.clear_model_name(); }, StatusCode::NOT_FOUND, {"model"}},
      {"UnknownVersion", [](auto& r) { r.set_model_version("9"); }, StatusCode::NOT_FOUND, {"9", "seed_block"}},
      {"VersionThatIsNoNumber", [](auto& r) { r.set_model_version("new"); }, StatusCode::NOT_FOUND, {"new"}},
      {"WrongInputName", [](auto& r) { X(r).set_name("z"); }, StatusCode::INVALID_ARGUMENT, {"'z'", "(x)"}},
      {"MissingInput",
       [](auto& r) {
         r.clear_inputs();
         r.clear_raw_input_contents();
       },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x' must be given"}},
      {"ExtraInput",
       [](auto& r) { AddRawInput(r, "extra", "FP32", {1}, std::string(4, 0)); },
       StatusCode::INVALID_ARGUMENT,
       {"'extra'", "(x)"}},
      {"RepeatedInput",
       [](auto& r) {
         AddRawInput(r, "x", "FP32", {2, 3, 16}, Bytes(r));
       },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x' must be given once"}},
      {"WrongDatatype",
       [](auto& r) { X(r).set_datatype("INT32"); },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "datatype must be FP32", "was INT32"}},
      {"UnknownDatatype",
       [](auto& r) { X(r).set_datatype("FLOAT"); },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "must be one of", "'FLOAT'"}},
      {"BytesDatatype",
       [](auto& r) { X(r).set_datatype("BYTES"); },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "'BYTES'"}},
      {"RankTooSmall",
       [](auto& r) {
         X(r).clear_shape();
         X(r).add_shape(2);
         X(r).add_shape(48);
       },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "[-1,3,-1] with 3 dimensions", "[2,48]"}},
      {"ThousandsOfDimensions",
       [](auto& r) {
         for (int i = 0; i < 5000; ++i) X(r).add_shape(1);
       },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "at most 12 dimensions", "5003"}},
      {"WrongFixedDimension",
       [](auto& r) { X(r).set_shape(1, 4); },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "dimension 1 must be 3", "[2,4,16]"}},
      {"NegativeDimension",
       [](auto& r) { X(r).set_shape(2, -1); },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "negative", "-1"}},
      {"EmptyTimeAxis",
       [](auto& r) {
         X(r).set_shape(2, 0);
         Bytes(r).clear();
       },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "dimension 2 must be positive"}},
      {"EmptyBatch",
       [](auto& r) {
         X(r).set_shape(0, 0);
         Bytes(r).clear();
       },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "batch size", "between 1 and 8"}},
      {"BatchOverTheMaximum",
       [](auto& r) {
         X(r).set_shape(0, 9);
         Bytes(r).resize(9 * 3 * 16 * 4);
       },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "batch size", "between 1 and 8", "[9,3,16]"}},
      {"ShapeThatOverflows",
       [](auto& r) { X(r).set_shape(2, int64_t{1} << 62); },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "bytes"}},
      {"TooFewBytes",
       [](auto& r) { Bytes(r).resize(383); },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "must have 384 bytes; had 383"}},
      {"TooManyBytes",
       [](auto& r) { Bytes(r).push_back('x'); },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "must have 384 bytes; had 385"}},
      {"RawAndTypedContents",
       [](auto& r) { X(r).mutable_contents()->add_fp32_contents(1); },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "contents must not be given together with raw_input_contents"}},
      {"TypedContentsOfAnotherType",
       [](auto& r) {
         r.clear_raw_input_contents();
         X(r).mutable_contents()->add_int_contents(1);
       },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "FP32 must be in fp32_contents", "int_contents"}},
      {"NoContentsAtAll",
       [](auto& r) { r.clear_raw_input_contents(); },
       StatusCode::INVALID_ARGUMENT,
       {"input 'x'", "must have 384 bytes; had 0"}},
      {"MoreRawEntriesThanInputs",
       [](auto& r) { r.add_raw_input_contents("more"); },
       StatusCode::INVALID_ARGUMENT,
       {"raw_input_contents", "one entry for each of the 1 inputs; had 2"}},
      {"UnknownOutput",
       [](auto& r) { r.add_outputs()->set_name("probability"); },
       StatusCode::INVALID_ARGUMENT,
       {"'probability'", "(y)"}},
      {"RepeatedOutput",
       [](auto& r) {
         r.add_outputs()->set_name("y");
         r.add_outputs()->set_name("y");
       },
       StatusCode::INVALID_ARGUMENT,
       {"output 'y' must be requested once"}},
      {"Sequence",
       [](auto& r) { (*r.mutable_parameters())["sequence_id"].set_int64_param(4); },
       StatusCode::INVALID_ARGUMENT,
       {"'sequence_id'", "StreamWindows"}},
      {"ReservedParameter",
       [](auto& r) { (*r.mutable_parameters())["triton_final_response"].set_bool_param(true); },
       StatusCode::INVALID_ARGUMENT,
       {"'triton_final_response'", "reserved"}},
      {"SharedMemory",
       [](auto& r) { (*X(r).mutable_parameters())["shared_memory_region"].set_string_param("r"); },
       StatusCode::INVALID_ARGUMENT,
       {"'shared_memory_region'", "input 'x'"}},
      {"TimeoutOfAnotherType",
       [](auto& r) { (*r.mutable_parameters())["timeout"].set_string_param("1 s"); },
       StatusCode::INVALID_ARGUMENT,
       {"'timeout'", "int64"}},
      {"TimeoutThatHasPassed",
       [](auto& r) { (*r.mutable_parameters())["timeout"].set_int64_param(1); },
       StatusCode::DEADLINE_EXCEEDED,
       {}},
  };
}

class MalformedRequest : public ServerTest, public testing::WithParamInterface<Malformed> {
 protected:
  static void SetUpTestSuite() { StartWith({ModelFlag("seed_block"), "--workers=1", "--max_batch_size=8"}); }
};

TEST_P(MalformedRequest, IsRefusedWithItsCodeAndReason) {
  ModelInferRequest request = SeedBlockRequest(2, 16);
  GetParam().spoil(request);
  inference::ModelInferResponse response;
  const grpc::Status status = Call(*client_->inference, &Inference::Stub::ModelInfer, request, &response);
  EXPECT_EQ(status.error_code(), GetParam().code) << status.error_message();
  for (const std::string& words : GetParam().words) EXPECT_THAT(status.error_message(), HasSubstr(words));
  EXPECT_LT(status.error_message().size(), 1000U);

  // The server is none the worse for it.
  const grpc::Status next = Call(*client_->inference, &Inference::Stub::ModelInfer, SeedBlockRequest(2, 16), &response);
  EXPECT_TRUE(next.ok()) << next.error_message();
}

INSTANTIATE_TEST_SUITE_P(All, MalformedRequest, testing::ValuesIn(AllMalformed()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace stillwave::integration
