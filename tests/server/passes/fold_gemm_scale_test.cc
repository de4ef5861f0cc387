#include "server/passes/fold_gemm_scale.h"

#include "gtest/gtest.h"
#include "tests/support/network_builder.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/status_matchers.h"

namespace stillwave::passes {
namespace {

using test_support::IsOk;
using test_support::NetworkBuilder;

graph::ValueId AddGemm(NetworkBuilder& build, graph::ValueId x, float alpha, float beta) {
  return build.Node(graph::Gemm{alpha, beta, false, true},
                    {x, build.RandomConstant({4, 3}, 1), build.RandomConstant({4}, 1)});
}

TEST(FoldGemmScaleTest, MovesBothFactorsIntoTheConstants) {
  NetworkBuilder build(1);
  build.Output(AddGemm(build, build.Input("x", {2, 3}), 0.5F, 3));
  graph::Graph graph = build.graph();
  const auto changed = FoldGemmScale(graph);
  ASSERT_THAT(changed, IsOk());
  EXPECT_TRUE(*changed);
  const auto& gemm = std::get<graph::Gemm>(graph.nodes()[0].op);
  EXPECT_EQ(gemm.alpha, 1);
  EXPECT_EQ(gemm.beta, 1);
  const auto x = test_support::RandomTensor({2, 3}, 2);
  const auto want = test_support::Interpret(build.graph(), {x});
  const auto got = test_support::Interpret(graph, {x});
  ASSERT_THAT(want, IsOk());
  ASSERT_THAT(got, IsOk());
  EXPECT_EQ(test_support::Difference((*got)[0], (*want)[0], 0, 1e-6), "");
}

TEST(FoldGemmScaleTest, LeavesWhatIsPlainOrComputed) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {3, 3});
  build.Output(AddGemm(build, x, 1, 1));
  build.Output(build.Node(graph::Gemm{2, 1, false, false}, {x, x}));
  graph::Graph graph = build.graph();
  const auto changed = FoldGemmScale(graph);
  ASSERT_THAT(changed, IsOk());
  EXPECT_FALSE(*changed);
}

TEST(FoldGemmScaleTest, KeepsABetaOfZeroWhichSaysThatTheBiasIsNotRead) {
  NetworkBuilder build(1);
  build.Output(AddGemm(build, build.Input("x", {2, 3}), 2, 0));
  graph::Graph graph = build.graph();
  ASSERT_THAT(FoldGemmScale(graph), IsOk());
  EXPECT_EQ(std::get<graph::Gemm>(graph.nodes()[0].op).alpha, 1);
  EXPECT_EQ(std::get<graph::Gemm>(graph.nodes()[0].op).beta, 0);
}

}  // namespace
}  // namespace stillwave::passes
