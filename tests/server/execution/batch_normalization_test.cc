// How BatchNormalization is run: as an optimized oneDNN primitive, in place, with its ReLU.
#include "gtest/gtest.h"
#include "server/execution/lowering.h"
#include "server/execution/plan_builder.h"
#include "server/passes/pass_pipeline.h"
#include "server/passes/specialize.h"
#include "tests/server/execution/run_plan.h"
#include "tests/support/network_builder.h"
#include "tests/support/op_cases.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/status_matchers.h"

namespace stillwave::execution {
namespace {

using tensor::Shape;
using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::UniformWindow;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(BatchNormalizationPlanTest, NeverRunsReferenceCode) {
  for (const test_support::OpCase& op_case : test_support::BatchNormalizationCases()) {
    const Shape& shape = op_case.inputs[0]->shape;
    const auto plan = Compile(test_support::SingleNodeGraph(op_case), {shape});
    ASSERT_THAT(plan, IsOk()) << op_case.name;
    int found = 0;
    for (const Step& step : (*plan)->steps()) {
      if (step.info.primitive != "batch_normalization") continue;
      ++found;
      EXPECT_THAT(step.info.implementation, Not(HasSubstr("ref"))) << op_case.name;
    }
    EXPECT_GE(found, 1) << StepsText(**plan);
  }
}

// 19 channels fill no vector, 18 rows no group of 16: both paths and their seam.
TEST(BatchNormalizationPlanTest, RunsVectorizedForChannelsThatFillNoVector) {
  for (const Shape& shape : {Shape({2, 19, 18}), Shape({3, 5, 4, 9}), Shape({1, 20, 128})}) {
    SCOPED_TRACE(shape.ToString());
    NetworkBuilder build(1);
    const auto axes = static_cast<size_t>(shape.rank() - 2);
    const graph::ValueId x =
        build.Conv(build.Input("x", shape), shape[1], shape[1], UniformWindow(axes, 3, 1, 1, 1, 1));
    build.Output(build.Conv(build.BatchNorm(x, shape[1]), shape[1], 1, UniformWindow(axes, 1)));
    const auto plan = Compile(build.graph(), {shape});
    ASSERT_THAT(plan, IsOk());
    int found = 0;
    for (const Step& step : (*plan)->steps()) {
      if (step.info.primitive != "batch_normalization") continue;
      ++found;
      EXPECT_THAT(step.info.implementation, HasSubstr("jit")) << StepsText(**plan);
    }
    EXPECT_GE(found, 1);
    const auto input = test_support::RandomTensor(shape, 3);
    const auto want = test_support::Interpret(build.graph(), {input});
    const auto got = CompileAndRun(build.graph(), {input});
    ASSERT_THAT(want, IsOk());
    ASSERT_THAT(got, IsOk());
    EXPECT_EQ(test_support::Difference((*got)[0], (*want)[0], 2e-5, 1e-5), "");
  }
}

// Where oneDNN's destination is aligned, it writes to memory rather than to the caches that the next layer reads.
TEST(BatchNormalizationPlanTest, WritesBesideTheBoundariesOfVectors) {
  for (const int64_t channels : {16, 19}) {
    NetworkBuilder build(1);
    const Shape shape({2, channels, 18});
    const graph::ValueId h = build.Conv(build.Input("x", shape), channels, channels, UniformWindow(1, 3));
    build.Output(build.Conv(build.BatchNorm(h, channels), channels, 1, UniformWindow(1, 1)));
    const auto graph = passes::Specialize(build.graph(), {shape});
    ASSERT_THAT(graph, IsOk());
    onednn::WeightCache weights;
    PlanBuilder builder(*graph, weights);
    for (const graph::Node& node : graph->nodes()) ASSERT_THAT(LowerNode(node, builder), IsOk());
    const auto parts = builder.Finish();
    ASSERT_THAT(parts, IsOk());
    int found = 0;
    for (const Step& step : parts->steps) {
      if (step.info.primitive != "batch_normalization") continue;
      constexpr size_t kDst = 5;
      const Buffer& dst = parts->buffers[static_cast<size_t>(std::get<PrimitiveStep>(step.work).buffers[kDst])];
      if (dst.kind != Buffer::Kind::kArena) continue;
      ++found;
      EXPECT_NE(dst.offset % 32, 0U);
      EXPECT_LE(dst.offset + dst.bytes, parts->arena_bytes);
    }
    EXPECT_EQ(found, 1);
  }
}

// Row-major values that come from outside are normalized as they lie.
TEST(BatchNormalizationPlanTest, NormalizesRawInputWithoutReordering) {
  NetworkBuilder build(1);
  const Shape shape({3, 6, 24});
  build.Output(build.Node(graph::Flatten{1}, {build.BatchNorm(build.Input("x", shape), 6)}));
  const auto plan = Compile(build.graph(), {shape});
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(StepsText(**plan), Not(HasSubstr("Reorder")));
  EXPECT_THAT(StepsText(**plan), HasSubstr("jit"));
  const auto input = test_support::RandomTensor(shape, 3);
  const auto want = test_support::Interpret(build.graph(), {input});
  const auto got = CompileAndRun(build.graph(), {input});
  ASSERT_THAT(want, IsOk());
  ASSERT_THAT(got, IsOk());
  EXPECT_EQ(test_support::Difference((*got)[0], (*want)[0], 1e-5, 1e-5), "");
}

// Conv -> BatchNormalization -> ReLU over one or two spatial axes, or Linear -> BatchNormalization -> ReLU.
graph::Graph Block(const Shape& x) {
  NetworkBuilder build(1);
  const graph::ValueId input = build.Input("x", x);
  const graph::ValueId h =
      x.rank() == 2
          ? build.Linear(input, x[1], 16)
          : build.Conv(input, x[1], 16, UniformWindow(static_cast<size_t>(x.rank() - 2), 3, 1, 1, 1, 1), 1, false);
  const graph::ValueId relu = build.Relu(build.BatchNorm(h, 16));
  build.Output(x.rank() == 2 ? relu : build.Conv(relu, 16, 4, UniformWindow(static_cast<size_t>(x.rank() - 2), 1)));
  graph::Graph graph = build.graph();
  EXPECT_THAT(passes::SimplifyGraph(graph), IsOk());
  EXPECT_THAT(passes::OptimizeGraph(graph, {}), IsOk());
  return graph;
}

TEST(BatchNormalizationPlanTest, TakesItsReluAlongAndWorksInPlace) {
  for (const Shape& x : {Shape({2, 3, 20}), Shape({2, 3, 9, 8})}) {
    const auto plan = Compile(Block(x), {x});
    ASSERT_THAT(plan, IsOk());
    int found = 0;
    for (const Step& step : (*plan)->steps()) {
      EXPECT_NE(step.info.op, "Relu") << StepsText(**plan);
      if (step.info.op != "BatchNormalization") continue;
      ++found;
      EXPECT_TRUE(step.info.in_place) << StepsText(**plan);
      EXPECT_THAT(step.info.attributes, HasSubstr("+relu"));
    }
    EXPECT_EQ(found, 1);
  }
}

TEST(BatchNormalizationPlanTest, IsOnePrimitiveOnSamplesByChannelsToo) {
  const Shape x({4, 3});
  const auto plan = Compile(Block(x), {x});
  ASSERT_THAT(plan, IsOk());
  EXPECT_EQ((*plan)->steps().size(), 2U) << StepsText(**plan);
}

TEST(BatchNormalizationPlanTest, LeavesAnInputAloneThatIsReadAgain) {
  NetworkBuilder build(1);
  const Shape shape({2, 3, 20});
  const graph::ValueId x = build.Input("x", shape);
  const graph::ValueId h = build.Conv(x, 3, 16, UniformWindow(1, 1));
  build.Output(build.Add(build.BatchNorm(h, 16), h));
  const auto plan = Compile(build.graph(), {shape});
  ASSERT_THAT(plan, IsOk());
  for (const Step& step : (*plan)->steps()) {
    const bool is_norm = step.info.op == "BatchNormalization";
    EXPECT_FALSE(is_norm && step.info.in_place) << StepsText(**plan);
  }
}

}  // namespace
}  // namespace stillwave::execution
