#include "server/passes/fold_constants.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/graph_properties.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"

namespace stillwave::passes {
namespace {

using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(FoldConstantsTest, EvaluatesAChainOfShapeArithmetic) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {2, 6});
  const graph::ValueId zeros = build.Node(graph::ConstantOfShape{}, {build.Integers({2})});
  const graph::ValueId as_int = build.Node(graph::Cast{tensor::DataType::kInt64}, {zeros});
  const graph::ValueId shape = build.Node(graph::Binary{graph::BinaryKind::kAdd}, {as_int, build.Integers({3, 4})});
  build.Output(build.Node(graph::Reshape{}, {x, shape}));
  graph::Graph graph = build.graph();
  const auto changed = FoldConstants(graph);
  ASSERT_THAT(changed, IsOk());
  EXPECT_TRUE(*changed);
  ASSERT_EQ(graph.nodes().size(), 1U);
  ASSERT_NE(graph.value(shape).constant, nullptr);
  EXPECT_THAT(graph.value(shape).constant->values<int64_t>(), ElementsAre(3, 4));
}

TEST(FoldConstantsTest, LeavesNodesThatReadAnInput) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {2, 3});
  build.Output(build.Add(x, build.RandomConstant({3}, 1)));
  graph::Graph graph = build.graph();
  const auto changed = FoldConstants(graph);
  ASSERT_THAT(changed, IsOk());
  EXPECT_FALSE(*changed);
  EXPECT_EQ(graph.nodes().size(), 1U);
}

TEST(FoldConstantsTest, EvaluatesWhatPlansRunAsPrimitivesToo) {
  NetworkBuilder build(1);
  const graph::ValueId y = build.Node(graph::Softmax{}, {build.Relu(build.RandomConstant({2, 3}, 1))});
  build.Output(y);
  graph::Graph graph = build.graph();
  ASSERT_THAT(FoldConstants(graph), IsOk());
  EXPECT_TRUE(graph.nodes().empty());
  EXPECT_NE(graph.value(y).constant, nullptr);
}

TEST(FoldConstantsTest, RefusesConstantsThatDoNotFitTogetherByNode) {
  NetworkBuilder build(1);
  build.Output(build.Add(build.RandomConstant({2}, 1), build.RandomConstant({3}, 1)));
  graph::Graph graph = build.graph();
  EXPECT_THAT(FoldConstants(graph), StatusIs(absl::StatusCode::kInvalidArgument,
                                             AllOf(HasSubstr("Add 'Add_0'"), HasSubstr("do not broadcast"))));
}

TEST(FoldConstantsTest, RefusesASmallFileThatAsksForAHugeConstant) {
  NetworkBuilder build(1);
  build.Output(build.Node(graph::ConstantOfShape{}, {build.Integers({1 << 14, 1 << 14})}));
  graph::Graph graph = build.graph();
  EXPECT_THAT(FoldConstants(graph), StatusIs(absl::StatusCode::kInvalidArgument,
                                             AllOf(HasSubstr("ConstantOfShape_0"), HasSubstr("exceeds the limit"))));
}

TEST(FoldConstantsTest, RefusesConstantsThatAreTooLargeTogether) {
  NetworkBuilder build(1);
  const graph::ValueId shape = build.Integers({16 << 20});
  for (int i = 0; i < 8; ++i) build.Output(build.Node(graph::ConstantOfShape{}, {shape}));
  graph::Graph graph = build.graph();
  EXPECT_THAT(FoldConstants(graph), StatusIs(absl::StatusCode::kInvalidArgument,
                                             AllOf(HasSubstr("ConstantOfShape_4"), HasSubstr("constants would move"))));
}

TEST(FoldConstantsTest, MovesWeightsThatAreLargeThemselves) {
  NetworkBuilder build(1);
  const auto weights = tensor::Tensor::Create(tensor::DataType::kFloat32, {4096, 4352});  // 68 MiB
  ASSERT_THAT(weights, IsOk());
  graph::Graph graph = build.graph();
  const graph::ValueId w = graph.AddConstant("w", weights->Clone());
  const graph::ValueId turned = graph.AddValue("turned");
  graph.AddNode({"turn", graph::Transpose{{1, 0}}, {w}, {turned}});
  graph.AddOutput(turned);
  ASSERT_THAT(FoldConstants(graph), IsOk());
  EXPECT_EQ(graph.value(turned).shape, tensor::Shape({4352, 4096}));
}

TEST(FoldConstantsTest, RefusesAnIndexOutOfRange) {
  NetworkBuilder build(1);
  build.Output(build.Node(graph::Gather{0}, {build.RandomConstant({2}, 1), build.Integers({2})}));
  graph::Graph graph = build.graph();
  EXPECT_THAT(FoldConstants(graph), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("one is 2")));
}

TEST(FoldConstantsTest, LeavesTheOutputsOfRandomNetworksUnchanged) {
  const auto counts = test_support::ExpectOutputsUnchanged(FoldConstants, 150, 0);
  EXPECT_EQ(counts.networks, 150);
  EXPECT_GT(counts.changed, 10);
}

}  // namespace
}  // namespace stillwave::passes
