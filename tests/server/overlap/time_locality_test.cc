#include "server/overlap/time_locality.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "server/passes/specialize.h"
#include "tests/support/network_builder.h"

namespace stillwave::overlap {
namespace {

using graph::ValueId;
using test_support::NetworkBuilder;
using test_support::UniformWindow;
using ::testing::HasSubstr;

// What is known of `value` when the network runs on {1, channels, length}.
struct Analysis {
  graph::Graph graph;
  TimeLocality found;

  const std::optional<Locality>& of(ValueId value) const { return found.values[static_cast<size_t>(value)]; }
};

Analysis Analyze(NetworkBuilder& build, ValueId output, const tensor::Shape& input) {
  build.Output(output);
  absl::StatusOr<graph::Graph> graph = passes::Specialize(build.graph(), {input});
  EXPECT_TRUE(graph.ok()) << graph.status();
  if (!graph.ok()) return {};
  Analysis analysis{*std::move(graph), {}};
  analysis.found = FindTimeLocality(analysis.graph);
  return analysis;
}

// Of one operator between the input {N,4,T} and the output.
std::optional<Locality> AfterOp(graph::Op op, std::vector<tensor::Shape> constants, int64_t length,
                                std::string* end = nullptr) {
  NetworkBuilder build(1);
  std::vector<ValueId> inputs = {build.Input("x", {-1, 4, -1})};
  for (const tensor::Shape& shape : constants) inputs.push_back(build.RandomConstant(shape, 1));
  const ValueId y = build.Node(std::move(op), inputs);
  const Analysis analysis = Analyze(build, y, {1, 4, length});
  if (end != nullptr) *end = analysis.found.end;
  return analysis.of(y);
}

TEST(TimeLocality, OfSamplesIsThemselves) {
  const auto x = AfterOp(graph::Unary{graph::UnaryKind::kTanh}, {}, 20);
  EXPECT_EQ(x, (Locality{.time_axis = 2, .positions = 20}));
}

TEST(TimeLocality, OfASamePaddedConvolutionHasEdgesOfHalfTheKernel) {
  const auto y = AfterOp(graph::Conv{UniformWindow(1, 3, 1, 1, 1, 1)}, {{5, 4, 3}}, 20);
  EXPECT_EQ(y, (Locality{.time_axis = 2, .positions = 20, .stride = 1, .first = -1, .last = 1, .left = 1, .right = 1}));
}

TEST(TimeLocality, OfAnUnpaddedConvolutionHasNoEdges) {
  const auto y = AfterOp(graph::Conv{UniformWindow(1, 3)}, {{5, 4, 3}}, 20);
  EXPECT_EQ(y, (Locality{.time_axis = 2, .positions = 18, .stride = 1, .first = 0, .last = 2}));
}

TEST(TimeLocality, OfACausalDilatedConvolutionHasALeftEdgeOnly) {
  const auto y = AfterOp(graph::Conv{UniformWindow(1, 3, 1, 4, 8, 0)}, {{5, 4, 3}}, 40);
  EXPECT_EQ(y, (Locality{.time_axis = 2, .positions = 40, .first = -8, .last = 0, .left = 8}));
}

TEST(TimeLocality, OfAStridedConvolutionCountsTheStrideInSamples) {
  // Outputs look at -2..2, 1..5, …, 16..20 (one beyond the end): positions 0 and 6 are edges.
  const auto y = AfterOp(graph::Conv{UniformWindow(1, 5, 3, 1, 2, 2)}, {{5, 4, 5}}, 20);
  EXPECT_EQ(y, (Locality{.time_axis = 2, .positions = 7, .stride = 3, .first = -2, .last = 2, .left = 1, .right = 1}));
}

TEST(TimeLocality, LeavesOutTheEndThatAStrideNeverReaches) {
  // Outputs look at 0..1, 3..4, …, 18..19 of 21: the padding behind the end is not looked at.
  const auto y = AfterOp(graph::Conv{UniformWindow(1, 2, 3, 1, 0, 0)}, {{5, 4, 2}}, 21);
  EXPECT_EQ(y, (Locality{.time_axis = 2, .positions = 7, .stride = 3, .first = 0, .last = 1}));
}

TEST(TimeLocality, ResolvesSamePadding) {
  graph::Conv conv{UniformWindow(1, 4, 2)};
  conv.window.auto_pad = graph::AutoPad::kSameUpper;
  // 10 outputs of stride 2 over 20 samples need 22: one zero before, one behind.
  const auto y = AfterOp(conv, {{5, 4, 4}}, 20);
  EXPECT_EQ(y, (Locality{.time_axis = 2, .positions = 10, .stride = 2, .first = -1, .last = 2, .left = 1, .right = 1}));
}

TEST(TimeLocality, OfAPoolThatHangsOverTheEndHasARightEdge) {
  graph::Pool pool{graph::PoolKind::kMax, UniformWindow(1, 3, 2)};
  pool.ceil_mode = true;
  const auto y = AfterOp(pool, {}, 20);
  EXPECT_EQ(y, (Locality{.time_axis = 2, .positions = 10, .stride = 2, .first = 0, .last = 2, .right = 1}));
}

TEST(TimeLocality, GrowsAlongAStack) {
  NetworkBuilder build(1);
  ValueId x = build.Input("x", {-1, 3, -1});
  for (int i = 0; i < 3; ++i) {
    x = build.Conv(x, 3, 3, UniformWindow(1, 3, 1, 1, 1, 1));
    x = build.Relu(build.BatchNorm(x, 3));
  }
  EXPECT_EQ(Analyze(build, x, {1, 3, 30}).of(x),
            (Locality{.time_axis = 2, .positions = 30, .first = -3, .last = 3, .left = 3, .right = 3}));
}

TEST(TimeLocality, OfAResidualSumIsThatOfTheWiderBranch) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {-1, 3, -1});
  const ValueId wide = build.Conv(x, 3, 3, UniformWindow(1, 9, 1, 1, 4, 4));
  const ValueId causal = build.Conv(x, 3, 3, UniformWindow(1, 7, 1, 1, 6, 0));
  const ValueId y = build.Add(wide, causal);
  EXPECT_EQ(Analyze(build, y, {1, 3, 30}).of(y),
            (Locality{.time_axis = 2, .positions = 30, .first = -6, .last = 4, .left = 6, .right = 4}));
}

TEST(TimeLocality, OfConcatenatedChannelsIsThatOfTheWiderBranch) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {-1, 3, -1});
  const ValueId wide = build.Conv(x, 3, 4, UniformWindow(1, 5, 1, 1, 2, 2));
  const ValueId y = build.Node(graph::Concat{1}, {x, wide});
  EXPECT_EQ(Analyze(build, y, {1, 3, 30}).of(y)->left, 2);
}

TEST(TimeLocality, EndsWhereBranchesOfTwoStridesMeet) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {-1, 2, -1});
  const ValueId strided = build.Conv(x, 2, 2, UniformWindow(1, 1, 2));
  const ValueId half = build.Node(graph::Slice{}, {x, build.Integers({0}), build.Integers({10}), build.Integers({2})});
  const ValueId y = build.Add(strided, half);
  const Analysis analysis = Analyze(build, y, {1, 2, 20});
  EXPECT_FALSE(analysis.of(y).has_value());
  EXPECT_THAT(analysis.found.end, HasSubstr("joins branches of strides 2 and 1"));
}

TEST(TimeLocality, FollowsTimeThroughATranspose) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {-1, 4, -1});
  const ValueId turned = build.Node(graph::Transpose{{0, 2, 1}}, {x});
  const ValueId normalized =
      build.Node(graph::LayerNormalization{}, {turned, build.RandomConstant({4}, 1), build.RandomConstant({4}, 1)});
  const ValueId product = build.Node(graph::MatMul{}, {normalized, build.RandomConstant({4, 6}, 1)});
  const Analysis analysis = Analyze(build, product, {1, 4, 20});
  EXPECT_EQ(analysis.of(normalized), (Locality{.time_axis = 1, .positions = 20}));
  EXPECT_EQ(analysis.of(product), (Locality{.time_axis = 1, .positions = 20}));
}

TEST(TimeLocality, CountsConstantPaddingAsEdges) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {-1, 4, -1});
  const ValueId y = build.Node(graph::Pad{}, {x, build.Integers({0, 0, 3, 0, 0, 4})});
  EXPECT_EQ(Analyze(build, y, {1, 4, 20}).of(y),
            (Locality{.time_axis = 2, .positions = 27, .first = -3, .last = -3, .left = 3, .right = 4}));
}

TEST(TimeLocality, CutsEdgesOffWithASlice) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {-1, 4, -1});
  const ValueId padded = build.Conv(x, 4, 4, UniformWindow(1, 5, 1, 1, 4, 4));
  const ValueId y =
      build.Node(graph::Slice{}, {padded, build.Integers({0}), build.Integers({-4}), build.Integers({2})});
  EXPECT_EQ(Analyze(build, y, {1, 4, 20}).of(y),
            (Locality{.time_axis = 2, .positions = 20, .first = -4, .last = 0, .left = 4, .right = 0}));
}

TEST(TimeLocality, OfInterleavedChannelsHasFractionsOfTheStride) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {-1, 4, -1});
  const ValueId down = build.Conv(x, 4, 8, UniformWindow(1, 3, 2, 1, 1, 1));
  const ValueId up = build.Node(graph::Interleave{2}, {down});
  EXPECT_EQ(Analyze(build, up, {1, 4, 20}).of(up),
            (Locality{.time_axis = 2, .positions = 20, .stride = 1, .first = -2, .last = 1, .left = 2, .right = 0}));
}

struct GlobalCase {
  graph::Op op;
  std::vector<tensor::Shape> constants;
  std::string why;
};

TEST(TimeLocality, NamesTheOperatorThatEndsItAndWhy) {
  const std::vector<GlobalCase> cases = {
      {graph::GlobalPool{}, {}, "GlobalAveragePool 'GlobalAveragePool_0' reads the whole window"},
      {graph::InstanceNormalization{}, {{4}, {4}}, "normalizes over the whole window"},
      {graph::Softmax{.axis = -1}, {}, "normalizes over the whole window"},
      {graph::LayerNormalization{.axis = -1}, {{20}}, "normalizes over the whole window"},
      {graph::Binary{graph::BinaryKind::kAdd}, {{1, 4, 20}}, "has a constant for each time step of the window"},
      {graph::MatMul{}, {{20, 3}}, "sums over the whole window"},
      {graph::Flatten{1}, {}, "may depend on the whole window"},
      {graph::Pool{graph::PoolKind::kAverage, UniformWindow(1, 20)}, {}, "with a kernel over all of it"},
  };
  for (const GlobalCase& global : cases) {
    std::string end;
    EXPECT_FALSE(AfterOp(global.op, global.constants, 20, &end).has_value()) << global.why;
    EXPECT_THAT(end, HasSubstr(global.why));
  }
}

TEST(TimeLocality, NamesOnlyTheFirstOperatorThatIsNotLocal) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {-1, 4, -1});
  const ValueId pooled = build.Node(graph::GlobalPool{}, {x});
  const ValueId gate = build.Node(graph::Unary{graph::UnaryKind::kSigmoid}, {pooled});
  const ValueId y = build.Node(graph::Binary{graph::BinaryKind::kMul}, {x, gate});
  const Analysis analysis = Analyze(build, y, {1, 4, 20});
  EXPECT_FALSE(analysis.of(y).has_value());
  EXPECT_THAT(analysis.found.end, HasSubstr("reads the whole window"));
}

}  // namespace
}  // namespace stillwave::overlap
