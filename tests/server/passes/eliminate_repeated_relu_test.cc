#include "server/passes/eliminate_repeated_relu.h"

#include "gtest/gtest.h"
#include "tests/support/graph_properties.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"

namespace stillwave::passes {
namespace {

using test_support::IsOk;
using test_support::NetworkBuilder;

TEST(EliminateRepeatedReluTest, LeavesOneOfAChain) {
  NetworkBuilder build(1);
  graph::ValueId value = build.Relu(build.Input("x", {2, 3}));
  const graph::ValueId first = value;
  for (int i = 0; i < 1000; ++i) value = build.Relu(value);
  build.Output(value);
  graph::Graph graph = build.graph();
  const auto changed = EliminateRepeatedRelu(graph);
  ASSERT_THAT(changed, IsOk());
  EXPECT_TRUE(*changed);
  ASSERT_EQ(graph.nodes().size(), 1U);
  EXPECT_EQ(graph.outputs()[0], first);
}

TEST(EliminateRepeatedReluTest, LeavesReluOfAnythingElse) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {2, 3});
  const graph::ValueId r = build.Relu(x);
  build.Output(build.Relu(build.Add(r, x)));
  build.Output(build.Relu(build.Node(graph::Unary{graph::UnaryKind::kTanh}, {r})));
  graph::Graph graph = build.graph();
  const auto changed = EliminateRepeatedRelu(graph);
  ASSERT_THAT(changed, IsOk());
  EXPECT_FALSE(*changed);
}

TEST(EliminateRepeatedReluTest, LeavesTheOutputsOfRandomNetworksUnchanged) {
  EXPECT_EQ(test_support::ExpectOutputsUnchanged(EliminateRepeatedRelu, 150, 0).networks, 150);
}

}  // namespace
}  // namespace stillwave::passes
