// Each family of operators, compiled and run, against the reference interpreter over the grid of op_cases.h.
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/server/execution/run_plan.h"
#include "tests/support/magnitude.h"
#include "tests/support/network_builder.h"
#include "tests/support/op_cases.h"
#include "tests/support/status_matchers.h"

namespace stillwave::execution {
namespace {

using test_support::Difference;
using test_support::IsOk;
using test_support::LargestMagnitude;
using test_support::OpCase;
using test_support::RefTensor;
using test_support::StatusIs;
using ::testing::HasSubstr;

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
    // Exact where it is asked for, also beside infinities; else what is smaller than FP32's normal numbers is no
    // difference.
    constexpr double kSmallestNormal = 1.2e-38;
    const double atol = bound == 0 ? 0 : bound * LargestMagnitude(*want) + kSmallestNormal;
    EXPECT_EQ(Difference((*got)[0], *want, atol, 0), "") << op_case.name;
  }
  return refused;
}

TEST(ConvolutionTest, AgreesWithTheReference) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::ConvCases(), 2e-6))
    ADD_FAILURE() << refusal;
}

TEST(TransposedConvolutionTest, AgreesWithTheReference) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::ConvTransposeCases(), 2e-6)) {
    ADD_FAILURE() << refusal;
  }
}

TEST(BatchNormalizationTest, AgreesWithTheReference) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::BatchNormalizationCases(), 1e-6)) {
    ADD_FAILURE() << refusal;
  }
}

TEST(PoolingTest, AgreesWithTheReference) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::PoolCases(), 1e-6))
    ADD_FAILURE() << refusal;
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::RarePoolCases(), 1e-6)) {
    ADD_FAILURE() << refusal;
  }
}

TEST(LinearTest, AgreesWithTheReference) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::LinearCases(), 2e-6)) {
    ADD_FAILURE() << refusal;
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

TEST(AlongAxisTest, AgreesWithTheReference) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::AlongAxisCases(), 1e-6)) {
    ADD_FAILURE() << refusal;
  }
}

TEST(NormalizationTest, AgreesWithTheReference) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::NormalizationCases(), 3e-6)) {
    ADD_FAILURE() << refusal;
  }
}

TEST(WhereTest, AgreesWithTheReferenceExactly) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::WhereCases(), 0)) ADD_FAILURE() << refusal;
}

TEST(CastTest, AgreesWithTheReferenceExactly) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::CastCases(), 0)) ADD_FAILURE() << refusal;
}

TEST(MovementTest, AgreesWithTheReferenceExactly) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::MovementCases(), 0))
    ADD_FAILURE() << refusal;
}

TEST(RearrangeTest, AgreesWithTheReferenceExactly) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::RearrangeCases(), 0)) {
    ADD_FAILURE() << refusal;
  }
}

TEST(ResizeTest, AgreesWithTheReference) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::ResizeCases(), 2e-6)) {
    ADD_FAILURE() << refusal;
  }
}

TEST(ShapeTest, AgreesWithTheReferenceExactly) {
  for (const std::string& refusal : ExpectAgreesWithReference(test_support::ShapeCases(), 0)) ADD_FAILURE() << refusal;
}

// The same case with every input given at run time.
OpCase AllComputed(OpCase op_case) {
  op_case.data_inputs = op_case.inputs.size();
  op_case.name += " computed";
  return op_case;
}

TEST(PrimitivesTest, RunsLayersWhoseWeightsAreComputed) {
  for (auto make :
       {test_support::ConvTransposeCases, test_support::BatchNormalizationCases, test_support::LinearCases}) {
    std::vector<OpCase> cases = make();
    for (OpCase& op_case : cases) op_case = AllComputed(std::move(op_case));
    for (const std::string& refusal : ExpectAgreesWithReference(cases, 3e-6)) ADD_FAILURE() << refusal;
  }
  const OpCase conv = {"Conv computed",
                       graph::Conv{.window = test_support::UniformWindow(1, 3)},
                       {test_support::RandomTensor({1, 3, 9}, 1), test_support::RandomTensor({4, 3, 3}, 2)},
                       2};
  for (const std::string& refusal : ExpectAgreesWithReference({conv}, 2e-6)) ADD_FAILURE() << refusal;
}

TEST(PrimitivesTest, RunsABatchNormalizationOfSixAxesAndRefusesSuchAPool) {
  test_support::NetworkBuilder build(1);
  const tensor::Shape shape({1, 2, 1, 1, 1, 3});
  build.Output(build.BatchNorm(build.Input("x", shape), 2));
  EXPECT_THAT(Compile(build.graph(), {shape}), IsOk());
  test_support::NetworkBuilder pool(1);
  pool.Output(pool.Node(graph::Pool{.window = test_support::UniformWindow(4, 1)}, {pool.Input("x", shape)}));
  EXPECT_THAT(
      Compile(pool.graph(), {shape}),
      StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("MaxPool 'MaxPool_0': works on one to three spatial axes")));
}

}  // namespace
}  // namespace stillwave::execution
