#include "server/passes/fuse_relu.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "tests/support/graph_properties.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"

namespace stillwave::passes {
namespace {

using graph::ValueId;
using test_support::CountNodes;
using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::UniformWindow;
using ::testing::ElementsAre;
using ::testing::Values;

struct Fusion {
  std::string op;
  Pass pass;
};

void PrintTo(const Fusion& fusion, std::ostream* out) { *out << fusion.op; }

// All fusions obey one rule.
class FuseReluTest : public ::testing::TestWithParam<Fusion> {
 protected:
  ValueId AddLayer(ValueId x) {
    if (GetParam().op == "Conv") return build_.Conv(x, 3, 3, UniformWindow(1, 1));
    if (GetParam().op == "BatchNormalization") return build_.BatchNorm(x, 3);
    return build_.Node(graph::ConvTranspose{.window = UniformWindow(1, 1)},
                       {x, build_.RandomConstant({3, 3, 1}, /*scale=*/1)});
  }

  bool Run(graph::Graph& graph) {
    const auto changed = GetParam().pass(graph);
    EXPECT_THAT(changed, IsOk());
    return changed.ok() && *changed;
  }

  static bool HasFusedRelu(const graph::Node& node) {
    if (const auto* conv = std::get_if<graph::Conv>(&node.op)) return conv->fused_relu;
    if (const auto* conv = std::get_if<graph::ConvTranspose>(&node.op)) return conv->fused_relu;
    return std::get<graph::BatchNormalization>(node.op).fused_relu;
  }

  NetworkBuilder build_{1};
  ValueId x_ = build_.Input("x", {2, 3, 5});
};

TEST_P(FuseReluTest, GivesTheRelusOutputItself) {
  const ValueId y = build_.Relu(AddLayer(x_));
  build_.Output(y);
  graph::Graph graph = build_.graph();
  EXPECT_TRUE(Run(graph));
  ASSERT_EQ(graph.nodes().size(), 1U) << graph::ToText(graph);
  EXPECT_TRUE(HasFusedRelu(graph.nodes()[0]));
  EXPECT_THAT(graph.nodes()[0].outputs, ElementsAre(y));
}

TEST_P(FuseReluTest, RefusesALayerThatIsReadElsewhere) {
  const ValueId h = AddLayer(x_);
  build_.Output(build_.Add(build_.Relu(h), h));
  graph::Graph graph = build_.graph();
  EXPECT_FALSE(Run(graph));
  EXPECT_EQ(CountNodes(graph, "Relu"), 1);
}

TEST_P(FuseReluTest, RefusesALayerThatIsAGraphOutput) {
  const ValueId h = AddLayer(x_);
  build_.Output(build_.Relu(h));
  build_.Output(h);
  graph::Graph graph = build_.graph();
  EXPECT_FALSE(Run(graph));
  EXPECT_EQ(CountNodes(graph, "Relu"), 1);
}

TEST_P(FuseReluTest, FusesOnlyTheFirstOfTwoRelus) {
  build_.Output(build_.Relu(build_.Relu(AddLayer(x_))));
  graph::Graph graph = build_.graph();
  EXPECT_TRUE(Run(graph));
  EXPECT_EQ(CountNodes(graph, "Relu"), 1);
  EXPECT_FALSE(Run(graph));
}

TEST_P(FuseReluTest, LeavesOtherActivationsAndOtherLayersAlone) {
  const ValueId leaky = build_.Node(graph::Unary{graph::UnaryKind::kLeakyRelu, 0.1F}, {AddLayer(x_)});
  build_.Output(build_.Relu(build_.Add(leaky, x_)));
  build_.Output(build_.Relu(x_));
  graph::Graph graph = build_.graph();
  EXPECT_FALSE(Run(graph));
  EXPECT_EQ(graph.nodes().size(), build_.graph().nodes().size());
}

TEST_P(FuseReluTest, LeavesTheOutputsOfRandomNetworksUnchanged) {
  const auto counts = test_support::ExpectOutputsUnchanged(GetParam().pass, 150, 0);
  EXPECT_EQ(counts.networks, 150);
  EXPECT_GT(counts.changed, 20);
}

INSTANTIATE_TEST_SUITE_P(Layers, FuseReluTest,
                         Values(Fusion{"Conv", FuseConvRelu}, Fusion{"ConvTranspose", FuseConvRelu},
                                Fusion{"BatchNormalization", FuseBatchNormRelu}),
                         [](const auto& test) { return test.param.op; });

}  // namespace
}  // namespace stillwave::passes
