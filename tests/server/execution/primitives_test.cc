// Each family of operators, compiled and run, against the reference interpreter over the grid of op_cases.h.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/server/execution/run_plan.h"
#include "tests/support/network_builder.h"
#include "tests/support/op_cases.h"
#include "tests/support/status_matchers.h"

namespace stillwave::execution {
namespace {

using test_support::Difference;
using test_support::IsOk;
using test_support::OpCase;
using test_support::RefTensor;
using test_support::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

double LargestMagnitude(const RefTensor& tensor) {
  double largest = 0;
  for (const double value : tensor.reals) largest = std::max(largest, std::abs(value));
  return largest;
}

// `bound`: the largest difference, as a part of the largest output. Returns the names of the cases that the engine
// says it cannot run.
std::vector<std::string> ExpectAgreesWithReference(const std::vector<OpCase>& cases, double bound) {
  std::vector<std::string> refused;
  for (const OpCase& op_case : cases) {
    const absl::StatusOr<RefTensor> want = test_support::Interpret(op_case);
    EXPECT_THAT(want, IsOk()) << op_case.name;
    std::vector<RefTensor> inputs;
    for (size_t i = 0; i < op_case.data_inputs; ++i) inputs.push_back(*op_case.inputs[i]);
    const auto got = CompileAndRun(test_support::SingleNodeGraph(op_case), inputs);
    if (got.status().code() == absl::StatusCode::kUnimplemented) {
      refused.push_back(op_case.name + ": " + std::string(got.status().message()));
      continue;
    }
    EXPECT_THAT(got, IsOk()) << op_case.name;
    if (!want.ok() || !got.ok()) continue;
    const double atol = bound * LargestMagnitude(*want);
    EXPECT_EQ(Difference((*got)[0], *want, atol, 0), "") << op_case.name;
  }
  return refused;
}

TEST(ConvolutionTest, AgreesWithTheReference) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::ConvCases(), 2e-6))
    ADD_FAILURE() << refusal;
}

TEST(BatchNormalizationTest, AgreesWithTheReference) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::BatchNormalizationCases(), 1e-6)) {
    ADD_FAILURE() << refusal;
  }
}

TEST(PoolingTest, AgreesWithTheReference) {
  // An AveragePool whose last window hangs over padding that is counted has no oneDNN form; everything else must run.
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::PoolCases(), 1e-6)) {
    EXPECT_THAT(refusal, AllOf(HasSubstr("AveragePool"), HasSubstr("pads="), HasSubstr("ceil_mode count_include_pad")));
  }
}

TEST(LinearTest, AgreesWithTheReference) {
  // What exporters do not write: a transposed input, or a C that is no bias of one value per column.
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::LinearCases(), 2e-6)) {
    EXPECT_THAT(refusal, HasSubstr("Gemm needs transA = 0")) << refusal;
    const bool is_column_bias = refusal.find("transA") > refusal.find(": ") &&
                                refusal.find(" [3,1] ") == std::string::npos &&
                                refusal.find(" [3,4] ") == std::string::npos;
    EXPECT_FALSE(is_column_bias) << refusal;
  }
}

TEST(UnaryTest, AgreesWithTheReference) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::UnaryCases(), 1e-6))
    ADD_FAILURE() << refusal;
}

TEST(BinaryTest, AgreesWithTheReference) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::BinaryCases(), 1e-6)) {
    ADD_FAILURE() << refusal;
  }
}

TEST(SoftmaxTest, AgreesWithTheReference) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::SoftmaxCases(), 1e-6)) {
    ADD_FAILURE() << refusal;
  }
}

TEST(ReduceTest, AgreesWithTheReference) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::ReduceCases(), 1e-6)) {
    ADD_FAILURE() << refusal;
  }
}

TEST(MovementTest, AgreesWithTheReferenceExactly) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::MovementCases(), 0))
    ADD_FAILURE() << refusal;
}

TEST(ShapeTest, AgreesWithTheReferenceExactly) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::ShapeCases(), 0)) ADD_FAILURE() << refusal;
}

TEST(PrimitivesTest, NamesTheNodeWhoseWeightsAreComputed) {
  test_support::NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {1, 3, 9});
  const graph::ValueId w = build.Input("w", {4, 3, 3});
  build.Output(build.Node(graph::Conv{.window = test_support::UniformWindow(1, 3)}, {x, w}));
  EXPECT_THAT(Compile(build.graph(), {tensor::Shape({1, 3, 9}), tensor::Shape({4, 3, 3})}),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("Conv 'Conv_0': weights 'w' must be a constant")));
}

TEST(PrimitivesTest, SaysThatABatchNormalizationOfSixAxesIsNotThere) {
  test_support::NetworkBuilder build(1);
  const tensor::Shape shape({1, 2, 1, 1, 1, 3});
  build.Output(build.BatchNorm(build.Input("x", shape), 2));
  EXPECT_THAT(Compile(build.graph(), {shape}),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("works on rank 2 to 5")));
}

}  // namespace
}  // namespace stillwave::execution
