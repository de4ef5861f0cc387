#include "server/passes/split_conv_transpose.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "tests/support/graph_properties.h"
#include "tests/support/network_builder.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/status_matchers.h"

namespace stillwave::passes {
namespace {

using graph::ValueId;
using test_support::CountNodes;
using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::UniformWindow;

graph::Graph Transposed(const graph::ConvTranspose& op, bool bias, int64_t kernel) {
  NetworkBuilder build(1);
  std::vector<ValueId> inputs = {build.Input("x", {2, 3, tensor::kDynamicDim}),
                                 build.RandomConstant({3, 4 / op.group, kernel}, 1)};
  if (bias) inputs.push_back(build.RandomConstant({4}, 1));
  build.Output(build.Node(op, inputs));
  return build.graph();
}

TEST(SplitConvTransposeTest, GivesTheSameSumsForEveryStrideAndCrop) {
  for (const int64_t kernel : {1, 2, 3, 4, 5, 7}) {
    for (int64_t stride = 1; stride <= std::min<int64_t>(kernel, 3); ++stride) {
      for (const int64_t pad : {0, 1, 2}) {
        for (const int64_t padding : {int64_t{0}, stride - 1}) {
          SCOPED_TRACE("kernel " + std::to_string(kernel) + " stride " + std::to_string(stride) + " pad " +
                       std::to_string(pad) + " output_padding " + std::to_string(padding));
          graph::ConvTranspose op{.window = UniformWindow(1, kernel, stride, 1, pad, pad), .output_padding = {padding}};
          const graph::Graph before = Transposed(op, pad == 1, kernel);
          graph::Graph after = before;
          const auto changed = SplitConvTranspose(after);
          ASSERT_THAT(changed, IsOk());
          const auto input = test_support::RandomTensor({2, 3, 9}, 2);
          const auto want = test_support::Interpret(before, {input});
          const auto got = test_support::Interpret(after, {input});
          ASSERT_THAT(want, IsOk());
          ASSERT_THAT(got, IsOk()) << graph::ToText(after);
          EXPECT_EQ(test_support::Difference((*got)[0], (*want)[0], 1e-12, 1e-12), "") << graph::ToText(after);
          EXPECT_EQ(CountNodes(after, "ConvTranspose"), *changed ? 0 : 1);
        }
      }
    }
  }
}

TEST(SplitConvTransposeTest, SplitsTheFormOfUNets) {
  graph::Graph graph = Transposed({.window = UniformWindow(1, 4, 2, 1, 1, 1), .output_padding = {0}}, true, 4);
  const auto changed = SplitConvTranspose(graph);
  ASSERT_THAT(changed, IsOk());
  EXPECT_TRUE(*changed);
  EXPECT_EQ(CountNodes(graph, "Conv"), 1);
  EXPECT_EQ(CountNodes(graph, "Interleave"), 1);
  EXPECT_EQ(CountNodes(graph, "Slice"), 1);
}

TEST(SplitConvTransposeTest, RefusesWhatTheFormDoesNotCover) {
  const auto splits = [](const graph::ConvTranspose& op, int64_t kernel) {
    graph::Graph graph = Transposed(op, false, kernel);
    const auto changed = SplitConvTranspose(graph);
    EXPECT_THAT(changed, IsOk());
    return changed.ok() && *changed;
  };
  graph::ConvTranspose op{.window = UniformWindow(1, 3, 2), .output_padding = {0}};
  EXPECT_TRUE(splits(op, 3));
  op.window = UniformWindow(1, 3, 2, 2);
  EXPECT_FALSE(splits(op, 3)) << "dilation";
  op.window = UniformWindow(1, 3, 5);
  EXPECT_FALSE(splits(op, 3)) << "a stride beyond the kernel";
  op.window = UniformWindow(1, 3, 2);
  op.output_shape = {20};
  EXPECT_FALSE(splits(op, 3)) << "output_shape";
  op.output_shape.clear();
  op.window.auto_pad = graph::AutoPad::kSameUpper;
  EXPECT_FALSE(splits(op, 3)) << "auto_pad";
}

}  // namespace
}  // namespace stillwave::passes
