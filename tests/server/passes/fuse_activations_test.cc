#include "server/passes/fuse_activations.h"

#include <cmath>
#include <functional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "server/passes/eliminate_dead_nodes.h"
#include "tests/support/graph_properties.h"
#include "tests/support/network_builder.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/status_matchers.h"

namespace stillwave::passes {
namespace {

using graph::BinaryKind;
using graph::UnaryKind;
using graph::ValueId;
using test_support::CountNodes;
using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::RealTensor;

ValueId Apply(NetworkBuilder& build, UnaryKind kind, ValueId x, float alpha = 0, float beta = 0) {
  return build.Node(graph::Unary{kind, alpha, beta}, {x});
}
ValueId Times(NetworkBuilder& build, ValueId a, ValueId b) {
  return build.Node(graph::Binary{BinaryKind::kMul}, {a, b});
}
ValueId Scalar(NetworkBuilder& build, double value) {
  return build.Constant(RealTensor(tensor::Shape({}), {static_cast<float>(value)}));
}
// 1 + erf(x/√2)
ValueId GeluFactor(NetworkBuilder& build, ValueId x, bool divides) {
  const ValueId scaled = divides ? build.Node(graph::Binary{BinaryKind::kDiv}, {x, Scalar(build, std::sqrt(2.0))})
                                 : Times(build, Scalar(build, std::sqrt(0.5)), x);
  return build.Node(graph::Binary{BinaryKind::kAdd}, {Apply(build, UnaryKind::kErf, scaled), Scalar(build, 1)});
}

struct Spelling {
  std::string name;
  std::string becomes;
  std::function<ValueId(NetworkBuilder&, ValueId)> add;
};

void PrintTo(const Spelling& spelling, std::ostream* out) { *out << spelling.name; }

class FuseActivationsTest : public ::testing::TestWithParam<Spelling> {};

TEST_P(FuseActivationsTest, BecomesOneOperatorWithTheSameOutput) {
  NetworkBuilder build(1);
  const ValueId x = build.Relu(build.Input("x", {2, 3, 5}));
  const ValueId shifted = build.Add(x, build.RandomConstant({3, 1}, 3));
  build.Output(GetParam().add(build, shifted));
  graph::Graph graph = build.graph();
  const auto changed = FuseActivations(graph);
  ASSERT_THAT(changed, IsOk());
  EXPECT_TRUE(*changed);
  ASSERT_THAT(EliminateDeadNodes(graph), IsOk());
  EXPECT_EQ(CountNodes(graph, GetParam().becomes), 1) << graph::ToText(graph);
  EXPECT_EQ(graph.nodes().size(), 3U) << graph::ToText(graph);
  const auto input = test_support::RandomTensor({2, 3, 5}, 2);
  const auto before = test_support::Interpret(build.graph(), {input});
  const auto after = test_support::Interpret(graph, {input});
  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(after, IsOk());
  // √2 in the file is a float.
  EXPECT_EQ(test_support::Difference((*after)[0], (*before)[0], 1e-7, 1e-6), "");
  const auto again = FuseActivations(graph);
  ASSERT_THAT(again, IsOk());
  EXPECT_FALSE(*again);
}

INSTANTIATE_TEST_SUITE_P(
    Spellings, FuseActivationsTest,
    ::testing::Values(
        Spelling{"SiluFirst", "Swish",
                 [](NetworkBuilder& b, ValueId x) { return Times(b, x, Apply(b, UnaryKind::kSigmoid, x)); }},
        Spelling{"SiluLast", "Swish",
                 [](NetworkBuilder& b, ValueId x) { return Times(b, Apply(b, UnaryKind::kSigmoid, x), x); }},
        Spelling{"HardSwish", "HardSwish",
                 [](NetworkBuilder& b, ValueId x) {
                   return Times(b, x, Apply(b, UnaryKind::kHardSigmoid, x, 1.0F / 6, 0.5F));
                 }},
        Spelling{"Mish", "Mish",
                 [](NetworkBuilder& b, ValueId x) {
                   return Times(b, x, Apply(b, UnaryKind::kTanh, Apply(b, UnaryKind::kSoftplus, x)));
                 }},
        Spelling{
            "GeluOfPyTorch", "Gelu",
            [](NetworkBuilder& b, ValueId x) { return Times(b, Times(b, x, GeluFactor(b, x, true)), Scalar(b, 0.5)); }},
        Spelling{"GeluHalfFirst", "Gelu",
                 [](NetworkBuilder& b, ValueId x) {
                   return Times(b, Times(b, Scalar(b, 0.5), x), GeluFactor(b, x, false));
                 }},
        Spelling{"GeluHalfOfTheFactor", "Gelu",
                 [](NetworkBuilder& b, ValueId x) {
                   return Times(b, x, Times(b, GeluFactor(b, x, true), Scalar(b, 0.5)));
                 }}),
    [](const ::testing::TestParamInfo<Spelling>& spelling) { return spelling.param.name; });

TEST(FuseActivationsRefusalTest, KeepsAGateThatIsReadElsewhere) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {2, 3, 5});
  const ValueId gate = Apply(build, UnaryKind::kSigmoid, x);
  build.Output(Times(build, x, gate));
  build.Output(gate);
  graph::Graph graph = build.graph();
  const auto changed = FuseActivations(graph);
  ASSERT_THAT(changed, IsOk());
  EXPECT_FALSE(*changed);
}

TEST(FuseActivationsRefusalTest, KeepsAGateOfAnotherValueOrOtherConstants) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {2, 3, 5});
  const ValueId z = build.Input("z", {2, 3, 5});
  build.Output(Times(build, x, Apply(build, UnaryKind::kSigmoid, z)));
  build.Output(Times(build, x, Apply(build, UnaryKind::kHardSigmoid, x, 0.2F, 0.5F)));
  build.Output(Times(build, Times(build, x, GeluFactor(build, x, true)), Scalar(build, 0.25)));
  graph::Graph graph = build.graph();
  const auto changed = FuseActivations(graph);
  ASSERT_THAT(changed, IsOk());
  EXPECT_FALSE(*changed);
}

}  // namespace
}  // namespace stillwave::passes
