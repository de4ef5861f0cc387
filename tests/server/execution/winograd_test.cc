#include "server/kernels/winograd.h"

#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/execution/run_plan.h"
#include "tests/support/magnitude.h"
#include "tests/support/network_builder.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/status_matchers.h"

namespace stillwave::execution {
namespace {

using graph::ValueId;
using tensor::Shape;
using test_support::IsOk;
using test_support::LargestMagnitude;
using test_support::NetworkBuilder;
using test_support::RandomTensor;
using test_support::RefTensor;
using test_support::UniformWindow;

bool RunsByWinograd(const ExecutionPlan& plan) {
  return std::any_of(plan.steps().begin(), plan.steps().end(),
                     [](const Step& step) { return step.info.op == "Winograd"; });
}

TEST(WinogradShapeTest, CutsEveryKernelIntoThreesAndTwos) {
  for (int64_t kernel = 2; kernel <= 40; ++kernel) {
    const kernels::WinogradShape shape{
        .samples = 1, .channels = 5, .kernel = kernel, .out_channels = 3, .output_length = 7};
    EXPECT_EQ(3 * shape.triples() + 2 * shape.pairs(), kernel);
    EXPECT_GE(shape.triples(), 0);
    EXPECT_LE(shape.pairs(), 2);
    // Fewer products than taps.
    EXPECT_LT(4 * shape.triples() + 3 * shape.pairs(), 2 * kernel);
  }
}

struct Layer {
  int64_t samples, channels, outputs, length, kernel, pad_begin, pad_end;
  bool bias, relu;
};

TEST(WinogradTest, AgreesWithTheReferenceForEveryKernelPaddingAndParity) {
  for (const Layer& layer : {Layer{1, 48, 48, 16, 3, 1, 1, true, false}, Layer{2, 64, 48, 17, 3, 0, 0, false, true},
                             Layer{3, 48, 64, 21, 2, 1, 0, true, true}, Layer{1, 56, 48, 20, 4, 2, 1, false, false},
                             Layer{2, 48, 48, 19, 5, 2, 2, true, true}, Layer{1, 48, 48, 30, 7, 3, 3, false, true},
                             Layer{2, 48, 72, 24, 8, 3, 4, true, false}, Layer{1, 48, 48, 40, 9, 0, 8, false, false},
                             Layer{1, 48, 48, 64, 39, 19, 19, true, false}, Layer{5, 64, 64, 9, 3, 2, 2, true, true}}) {
    SCOPED_TRACE("kernel " + std::to_string(layer.kernel) + " length " + std::to_string(layer.length));
    NetworkBuilder build(1);
    const Shape shape({layer.samples, layer.channels, layer.length});
    graph::Window window = UniformWindow(1, layer.kernel);
    window.pads_begin = {layer.pad_begin};
    window.pads_end = {layer.pad_end};
    const ValueId y = build.Conv(build.Input("x", shape), layer.channels, layer.outputs, window, 1, layer.bias);
    build.Output(y);
    graph::Graph graph = build.graph();
    std::get<graph::Conv>(graph.mutable_nodes().back().op).fused_relu = layer.relu;
    const RefTensor input = RandomTensor(shape, 3);
    auto want = test_support::Interpret(build.graph(), {input});
    ASSERT_THAT(want, IsOk());
    const double largest = LargestMagnitude((*want)[0]);
    if (layer.relu) {
      for (double& value : (*want)[0].reals) value = std::max(value, 0.0);
    }
    const auto got = CompileAndRun(graph, {input});
    ASSERT_THAT(got, IsOk());
    EXPECT_EQ(test_support::Difference((*got)[0], (*want)[0], 2e-6 * largest, 0), "");
    const auto plan = Compile(graph, {shape});
    ASSERT_THAT(plan, IsOk());
    EXPECT_TRUE(RunsByWinograd(**plan)) << StepsText(**plan);
  }
}

// As Keras's exporter writes a convolution over time.
TEST(WinogradTest, TakesAnImageOfOneRowForASeries) {
  for (const int64_t rows : {1, 2}) {
    NetworkBuilder build(1);
    const Shape shape({2, 48, rows, 33});
    graph::Window window = UniformWindow(2, 1);
    window.kernel = {1, 3};
    window.pads_begin = {0, 1};
    window.pads_end = {0, 1};
    build.Output(build.Conv(build.Input("x", shape), 48, 56, window));
    const RefTensor input = RandomTensor(shape, 3);
    const auto want = test_support::Interpret(build.graph(), {input});
    const auto got = CompileAndRun(build.graph(), {input});
    ASSERT_THAT(want, IsOk());
    ASSERT_THAT(got, IsOk());
    EXPECT_EQ(test_support::Difference((*got)[0], (*want)[0], 2e-6 * LargestMagnitude((*want)[0]), 0), "");
    const auto plan = Compile(build.graph(), {shape});
    ASSERT_THAT(plan, IsOk());
    EXPECT_EQ(RunsByWinograd(**plan), rows == 1) << StepsText(**plan);
  }
}

TEST(WinogradTest, GivesASampleTheSameBitsInAnyBatch) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {tensor::kDynamicDim, 48, 33});
  build.Output(build.Conv(x, 48, 56, UniformWindow(1, 5, 1, 1, 2, 2)));
  const RefTensor batch = RandomTensor({7, 48, 33}, 3);
  const auto together = CompileAndRun(build.graph(), {batch});
  ASSERT_THAT(together, IsOk());
  constexpr ptrdiff_t kIn = 48 * 33;
  constexpr ptrdiff_t kOut = 56 * 33;
  for (ptrdiff_t n = 0; n < 7; ++n) {
    const RefTensor alone =
        test_support::RealTensor({1, 48, 33}, {batch.reals.begin() + n * kIn, batch.reals.begin() + (n + 1) * kIn});
    const auto row = CompileAndRun(build.graph(), {alone});
    ASSERT_THAT(row, IsOk());
    EXPECT_TRUE(std::equal((*row)[0].reals.begin(), (*row)[0].reals.end(), (*together)[0].reals.begin() + n * kOut));
  }
}

TEST(WinogradTest, LeavesOtherConvolutionsAlone) {
  const auto runs_by_winograd = [](int64_t channels, int64_t outputs, graph::Window window, int64_t group = 1) {
    NetworkBuilder build(1);
    build.Output(build.Conv(build.Input("x", {1, channels, 40}), channels, outputs, std::move(window), group));
    const auto plan = Compile(build.graph(), {Shape({1, channels, 40})});
    EXPECT_THAT(plan, IsOk());
    return plan.ok() && RunsByWinograd(**plan);
  };
  EXPECT_TRUE(runs_by_winograd(48, 48, UniformWindow(1, 3)));
  EXPECT_FALSE(runs_by_winograd(8, 48, UniformWindow(1, 3)));         // few channels
  EXPECT_FALSE(runs_by_winograd(48, 4, UniformWindow(1, 3)));         // few outputs
  EXPECT_FALSE(runs_by_winograd(48, 48, UniformWindow(1, 1)));        // one tap
  EXPECT_FALSE(runs_by_winograd(48, 48, UniformWindow(1, 3, 2)));     // stride
  EXPECT_FALSE(runs_by_winograd(48, 48, UniformWindow(1, 3, 1, 2)));  // dilation
  EXPECT_FALSE(runs_by_winograd(48, 48, UniformWindow(1, 3), 48));    // depthwise
}

}  // namespace
}  // namespace stillwave::execution
