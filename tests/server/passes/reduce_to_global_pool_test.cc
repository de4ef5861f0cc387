#include "server/passes/reduce_to_global_pool.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "server/graph/graph_verifier.h"
#include "server/passes/specialize.h"
#include "tests/support/graph_properties.h"
#include "tests/support/network_builder.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/status_matchers.h"

namespace stillwave::passes {
namespace {

using tensor::Shape;
using test_support::CountNodes;
using test_support::Difference;
using test_support::IsOk;
using test_support::NetworkBuilder;

// A network that is one Reduce over `axes`.
graph::Graph ReduceOver(graph::ReduceKind kind, bool keep_dims, const Shape& x, std::vector<int64_t> axes) {
  NetworkBuilder build(1);
  const graph::ValueId input = build.Input("x", x);
  const graph::ValueId list = build.Integers(std::move(axes));
  build.Output(build.Node(graph::Reduce{kind, keep_dims, false}, {input, list}));
  return build.graph();
}

// Specialize runs the pass; its output is checked against the reference either way.
int GlobalPoolsAfter(const graph::Graph& graph, const Shape& x) {
  const auto specialized = Specialize(graph, {x});
  EXPECT_THAT(specialized, IsOk());
  if (!specialized.ok()) return -1;
  EXPECT_THAT(graph::VerifyGraph(*specialized), IsOk()) << graph::ToText(*specialized);
  const test_support::RefTensor input = test_support::RandomTensor(x, 1);
  const auto want = test_support::Interpret(graph, {input});
  const auto got = test_support::Interpret(*specialized, {input});
  EXPECT_THAT(want, IsOk());
  EXPECT_THAT(got, IsOk());
  if (want.ok() && got.ok()) {
    EXPECT_EQ(Difference((*got)[0], (*want)[0], 1e-12, 0), "");
  }
  return CountNodes(*specialized, "GlobalAveragePool") + CountNodes(*specialized, "GlobalMaxPool");
}

TEST(ReduceToGlobalPoolTest, TurnsMeanAndMaximumOverTheSpatialAxesIntoAPool) {
  for (const auto kind : {graph::ReduceKind::kMean, graph::ReduceKind::kMax}) {
    for (const bool keep_dims : {false, true}) {
      EXPECT_EQ(GlobalPoolsAfter(ReduceOver(kind, keep_dims, {2, 3, 5}, {-1}), {2, 3, 5}), 1);
      EXPECT_EQ(GlobalPoolsAfter(ReduceOver(kind, keep_dims, {2, 3, 5, 4}, {3, 2}), {2, 3, 5, 4}), 1);
    }
  }
}

TEST(ReduceToGlobalPoolTest, LeavesOtherKindsAndOtherAxesAlone) {
  using Kind = graph::ReduceKind;
  for (const Kind kind :
       {Kind::kSum, Kind::kMin, Kind::kProd, Kind::kL1, Kind::kL2, Kind::kLogSumExp, Kind::kSumSquare}) {
    EXPECT_EQ(GlobalPoolsAfter(ReduceOver(kind, true, {2, 3, 5}, {2}), {2, 3, 5}), 0) << static_cast<int>(kind);
  }
  EXPECT_EQ(GlobalPoolsAfter(ReduceOver(Kind::kMax, true, {2, 3, 0}, {2}), {2, 3, 0}), 0);
  EXPECT_EQ(GlobalPoolsAfter(ReduceOver(graph::ReduceKind::kMean, true, {2, 3, 5}, {1}), {2, 3, 5}), 0);
  EXPECT_EQ(GlobalPoolsAfter(ReduceOver(graph::ReduceKind::kMean, true, {2, 3, 5, 4}, {3}), {2, 3, 5, 4}), 0);
  EXPECT_EQ(GlobalPoolsAfter(ReduceOver(graph::ReduceKind::kMean, true, {2, 3}, {1}), {2, 3}), 0);
  EXPECT_EQ(GlobalPoolsAfter(ReduceOver(graph::ReduceKind::kMax, false, {2, 3, 5}, {1, 2}), {2, 3, 5}), 0);
}

}  // namespace
}  // namespace stillwave::passes
