// Which convolutions of images run in registers by a kernel of ours.
#include <algorithm>

#include "gtest/gtest.h"
#include "server/execution/onednn/primitive.h"
#include "tests/server/execution/run_plan.h"
#include "tests/support/magnitude.h"
#include "tests/support/network_builder.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/status_matchers.h"

namespace stillwave::execution {
namespace {

using tensor::Shape;
using test_support::IsOk;
using test_support::LargestMagnitude;
using test_support::NetworkBuilder;
using test_support::UniformWindow;

bool RunsByOurKernel(const ExecutionPlan& plan) {
  return std::any_of(plan.steps().begin(), plan.steps().end(),
                     [](const Step& step) { return step.info.op == "Conv" && step.info.primitive == "kernel"; });
}

class DirectConvolutionPlanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (onednn::InstructionSet() != "avx2") GTEST_SKIP() << "oneDNN has better for " << onednn::InstructionSet();
  }
};

TEST_F(DirectConvolutionPlanTest, AgreesWithTheReferenceForSmallImages) {
  struct Case {
    Shape shape;
    int64_t outputs;
    graph::Window window;
  };
  for (const Case& layer : {Case{Shape({2, 16, 8, 8}), 16, UniformWindow(2, 3, 1, 1, 1, 1)},
                            Case{Shape({3, 1, 32, 32}), 16, UniformWindow(2, 7, 2, 1, 3, 3)},
                            Case{Shape({1, 20, 5, 4}), 19, UniformWindow(2, 3, 1, 1, 0, 1)},
                            Case{Shape({2, 16, 9, 9}), 24, UniformWindow(2, 3, 1, 2, 2, 2)}}) {
    for (const bool bias : {false, true}) {
      SCOPED_TRACE(layer.shape.ToString());
      NetworkBuilder build(1);
      build.Output(build.Conv(build.Input("x", layer.shape), layer.shape[1], layer.outputs, layer.window, 1, bias));
      const auto plan = Compile(build.graph(), {layer.shape});
      ASSERT_THAT(plan, IsOk());
      EXPECT_TRUE(RunsByOurKernel(**plan)) << StepsText(**plan);
      const auto input = test_support::RandomTensor(layer.shape, 3);
      const auto want = test_support::Interpret(build.graph(), {input});
      const auto got = CompileAndRun(build.graph(), {input});
      ASSERT_THAT(want, IsOk());
      ASSERT_THAT(got, IsOk());
      EXPECT_EQ(test_support::Difference((*got)[0], (*want)[0], 2e-6 * LargestMagnitude((*want)[0]), 0), "");
    }
  }
}

TEST_F(DirectConvolutionPlanTest, LeavesOtherConvolutionsAlone) {
  const auto runs_by_our_kernel = [](const Shape& shape, graph::Window window, int64_t group = 1) {
    NetworkBuilder build(1);
    build.Output(build.Conv(build.Input("x", shape), shape[1], 16, std::move(window), group));
    const auto plan = Compile(build.graph(), {shape});
    EXPECT_THAT(plan, IsOk());
    return plan.ok() && RunsByOurKernel(**plan);
  };
  EXPECT_TRUE(runs_by_our_kernel(Shape({1, 16, 8, 8}), UniformWindow(2, 3)));
  EXPECT_FALSE(runs_by_our_kernel(Shape({1, 16, 8, 40}), UniformWindow(2, 3)));     // long rows
  EXPECT_FALSE(runs_by_our_kernel(Shape({1, 64, 16, 16}), UniformWindow(2, 3)));    // large samples
  EXPECT_FALSE(runs_by_our_kernel(Shape({1, 16, 8, 8}), UniformWindow(2, 1)));      // one tap
  EXPECT_FALSE(runs_by_our_kernel(Shape({1, 16, 8, 8}), UniformWindow(2, 3), 16));  // groups
  EXPECT_FALSE(runs_by_our_kernel(Shape({1, 16, 8}), UniformWindow(1, 3)));         // a series
}

}  // namespace
}  // namespace stillwave::execution
