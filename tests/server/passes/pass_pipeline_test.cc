#include "server/passes/pass_pipeline.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "tests/support/graph_properties.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"

namespace stillwave::passes {
namespace {

using test_support::CountNodes;
using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::UniformWindow;

// Conv -> BatchNormalization -> ReLU -> Dropout, with one parameter behind an Identity.
graph::Graph SeedBlock() {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {tensor::kDynamicDim, 3, tensor::kDynamicDim});
  const graph::ValueId conv = build.Conv(x, 3, 4, UniformWindow(1, 3, 1, 1, 1, 1), 1, /*bias=*/false);
  const graph::ValueId scale = build.Node(graph::Identity{}, {build.RandomConstant({4}, 1)});
  const graph::ValueId other = build.Constant(test_support::RealTensor({4}, {1, 2, 3, 4}));
  const graph::ValueId norm = build.Node(graph::BatchNormalization{}, {conv, scale, other, other, other});
  build.Output(build.Node(graph::Dropout{}, {build.Relu(norm)}));
  return build.graph();
}

TEST(PassPipelineTest, LeavesAConvolutionAndANormalizationWithItsReluOfASeedBlock) {
  graph::Graph graph = SeedBlock();
  ASSERT_THAT(SimplifyGraph(graph), IsOk());
  EXPECT_EQ(graph.nodes().size(), 3U) << graph::ToText(graph);
  ASSERT_THAT(OptimizeGraph(graph, {}), IsOk());
  ASSERT_EQ(graph.nodes().size(), 2U) << graph::ToText(graph);
  EXPECT_FALSE(std::get<graph::Conv>(graph.nodes()[0].op).fused_relu);
  EXPECT_TRUE(std::get<graph::BatchNormalization>(graph.nodes()[1].op).fused_relu);
}

TEST(PassPipelineTest, LeavesOneConvolutionWhenNormalizationIsFolded) {
  graph::Graph graph = SeedBlock();
  ASSERT_THAT(SimplifyGraph(graph), IsOk());
  ASSERT_THAT(OptimizeGraph(graph, {.fold_batch_norm = true}), IsOk());
  ASSERT_EQ(graph.nodes().size(), 1U) << graph::ToText(graph);
  EXPECT_TRUE(std::get<graph::Conv>(graph.nodes()[0].op).fused_relu);
}

absl::StatusOr<bool> RunAll(graph::Graph& graph, bool fold) {
  const std::string before = graph::ToText(graph);
  absl::Status status = SimplifyGraph(graph);
  if (status.ok()) status = OptimizeGraph(graph, {.fold_batch_norm = fold});
  if (!status.ok()) return status;
  return graph::ToText(graph) != before;
}

TEST(PassPipelineTest, LeavesTheOutputsOfRandomNetworksUnchanged) {
  const auto counts =
      test_support::ExpectOutputsUnchanged([](graph::Graph& graph) { return RunAll(graph, false); }, 200, 0);
  EXPECT_EQ(counts.networks, 200);
}

TEST(PassPipelineTest, LeavesNoDropoutOrIdentityInRandomNetworks) {
  test_support::ExpectOutputsUnchanged(
      [](graph::Graph& graph) {
        const auto changed = RunAll(graph, false);
        EXPECT_EQ(CountNodes(graph, "Dropout") + CountNodes(graph, "Identity"), 0);
        return changed;
      },
      50, 0);
}

}  // namespace
}  // namespace stillwave::passes
