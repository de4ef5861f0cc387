#include "server/service/request_parameters.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::service {
namespace {

using inference::InferParameter;
using inference::ModelInferRequest;
using testing::HasSubstr;

std::string Refusal(const ModelInferRequest& request) {
  const auto options = ReadParameters(request);
  EXPECT_EQ(options.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(options.status().message());
}

InferParameter& Parameter(ModelInferRequest& request, const std::string& name) {
  return (*request.mutable_parameters())[name];
}

TEST(RequestParameters, WithoutAnyThereIsNoTimeout) {
  const auto options = ReadParameters(ModelInferRequest());
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->timeout, absl::InfiniteDuration());
}

TEST(RequestParameters, TimeoutIsInMicrosecondsAndZeroIsNone) {
  ModelInferRequest request;
  Parameter(request, "timeout").set_int64_param(1500);
  EXPECT_EQ(ReadParameters(request)->timeout, absl::Microseconds(1500));
  Parameter(request, "timeout").set_int64_param(0);
  EXPECT_EQ(ReadParameters(request)->timeout, absl::InfiniteDuration());
}

TEST(RequestParameters, TimeoutOfTheWrongKindIsRefused) {
  ModelInferRequest request;
  Parameter(request, "timeout").set_int64_param(-1);
  EXPECT_EQ(Refusal(request), "parameter 'timeout' must not be negative; was -1");
  Parameter(request, "timeout").set_string_param("1s");
  EXPECT_THAT(Refusal(request), HasSubstr("parameter 'timeout' must be an int64"));
}

TEST(RequestParameters, PriorityIsTakenAsBothKindsOfWholeNumber) {
  ModelInferRequest request;
  EXPECT_EQ(ReadParameters(request)->priority, 0u) << "the model's default";
  Parameter(request, "priority").set_uint64_param(2);
  EXPECT_EQ(ReadParameters(request)->priority, 2u);
  Parameter(request, "priority").set_int64_param(3);
  EXPECT_EQ(ReadParameters(request)->priority, 3u);
  Parameter(request, "priority").set_int64_param(-2);
  EXPECT_THAT(Refusal(request), HasSubstr("parameter 'priority'"));
  Parameter(request, "priority").set_double_param(2);
  EXPECT_THAT(Refusal(request), HasSubstr("parameter 'priority'"));
}

TEST(RequestParameters, SequencesAreRefusedByNameUnlessTheySayNothing) {
  for (const char* name : {"sequence_id", "sequence_start", "sequence_end"}) {
    ModelInferRequest request;
    Parameter(request, name).set_bool_param(true);
    EXPECT_THAT(Refusal(request), testing::AllOf(HasSubstr(name), HasSubstr("StreamWindows")));
    Parameter(request, name).set_int64_param(5);
    EXPECT_THAT(Refusal(request), HasSubstr(name));
    Parameter(request, name).set_string_param("five");
    EXPECT_THAT(Refusal(request), HasSubstr(name));
    Parameter(request, name).set_int64_param(0);
    EXPECT_TRUE(ReadParameters(request).ok());
    Parameter(request, name).set_bool_param(false);
    EXPECT_TRUE(ReadParameters(request).ok());
  }
}

TEST(RequestParameters, ReservedNamesAreRefused) {
  ModelInferRequest request;
  Parameter(request, "triton_final_response").set_bool_param(true);
  EXPECT_THAT(Refusal(request), testing::AllOf(HasSubstr("triton_final_response"), HasSubstr("reserved")));
}

TEST(RequestParameters, AnEmptyFinalResponseMayBeAskedForAsABool) {
  ModelInferRequest request;
  Parameter(request, "triton_enable_empty_final_response").set_bool_param(true);
  EXPECT_TRUE(ReadParameters(request).ok());
  Parameter(request, "triton_enable_empty_final_response").set_string_param("true");
  EXPECT_THAT(Refusal(request), HasSubstr("'triton_enable_empty_final_response' must be a bool"));
}

TEST(RequestParameters, WhatBelongsToHttpPasses) {
  ModelInferRequest request;
  Parameter(request, "binary_data_output").set_bool_param(true);
  request.add_outputs()->set_name("y");
  (*request.mutable_outputs(0)->mutable_parameters())["binary_data"].set_bool_param(false);
  EXPECT_TRUE(ReadParameters(request).ok());
}

TEST(RequestParameters, AClientsOwnNamesPass) {
  ModelInferRequest request;
  Parameter(request, "trace_id").set_string_param("abc");
  EXPECT_TRUE(ReadParameters(request).ok());
}

TEST(RequestParameters, ClassificationIsRefusedByName) {
  ModelInferRequest output;
  output.add_outputs()->set_name("y");
  (*output.mutable_outputs(0)->mutable_parameters())["classification"].set_int64_param(3);
  EXPECT_THAT(Refusal(output), testing::AllOf(HasSubstr("classification"), HasSubstr("output 'y'")));
}

}  // namespace
}  // namespace stillwave::service
