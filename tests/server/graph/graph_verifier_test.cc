#include "server/graph/graph_verifier.h"

#include "gtest/gtest.h"
#include "tests/support/network_builder.h"
#include "tests/support/random_graph.h"
#include "tests/support/status_matchers.h"

namespace stillwave::graph {
namespace {

using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(VerifyGraphTest, AcceptsRandomNetworks) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_THAT(VerifyGraph(test_support::MakeRandomNetwork(seed).graph), IsOk()) << "seed " << seed;
  }
}

TEST(VerifyGraphTest, RefusesAGraphWithoutOutputs) {
  NetworkBuilder build(1);
  build.Input("x", {1});
  EXPECT_THAT(VerifyGraph(build.graph()), StatusIs(kInvalid, HasSubstr("no outputs")));
}

TEST(VerifyGraphTest, RefusesANodeThatReadsWhatComesLater) {
  Graph graph;
  graph.AddInput("x", tensor::DataType::kFloat32, {1});
  const ValueId h = graph.AddValue("h");
  const ValueId y = graph.AddValue("y");
  graph.AddNode({"second", Identity{}, {h}, {y}});
  graph.AddNode({"first", Identity{}, {0}, {h}});
  graph.AddOutput(y);
  EXPECT_THAT(VerifyGraph(graph), StatusIs(kInvalid, AllOf(HasSubstr("Identity 'second'"), HasSubstr("'h'"))));
}

TEST(VerifyGraphTest, RefusesAValueWithTwoSources) {
  Graph graph;
  const ValueId x = graph.AddInput("x", tensor::DataType::kFloat32, {1});
  const ValueId y = graph.AddValue("y");
  graph.AddNode({"a", Identity{}, {x}, {y}});
  graph.AddNode({"b", Identity{}, {x}, {y}});
  graph.AddOutput(y);
  EXPECT_THAT(VerifyGraph(graph), StatusIs(kInvalid, AllOf(HasSubstr("'b'"), HasSubstr("has a source already"))));
}

TEST(VerifyGraphTest, RefusesANodeThatWritesAConstantOrAnInput) {
  Graph graph;
  const ValueId x = graph.AddInput("x", tensor::DataType::kFloat32, {1});
  const ValueId w = graph.AddConstant("w", tensor::Tensor::FromValues<float>({1}, {1}));
  graph.AddNode({"n", Identity{}, {x}, {w}});
  graph.AddOutput(w);
  EXPECT_THAT(VerifyGraph(graph), StatusIs(kInvalid, HasSubstr("'w', which has a source already")));
}

TEST(VerifyGraphTest, RefusesAnOutputThatNothingProduces) {
  Graph graph;
  graph.AddInput("x", tensor::DataType::kFloat32, {1});
  graph.AddOutput(graph.AddValue("nothing"));
  EXPECT_THAT(VerifyGraph(graph), StatusIs(kInvalid, HasSubstr("graph output 'nothing'")));
}

TEST(VerifyGraphTest, RefusesTheWrongNumberOfInputsOrOutputs) {
  const auto verify = [](Op op, std::vector<ValueId> inputs, bool has_output) {
    Graph graph;
    graph.AddInput("x", tensor::DataType::kFloat32, {1});
    const ValueId y = graph.AddValue("y");
    graph.AddNode(
        {"n", std::move(op), std::move(inputs), has_output ? std::vector<ValueId>{y} : std::vector<ValueId>{}});
    graph.AddOutput(0);
    return VerifyGraph(graph);
  };
  EXPECT_THAT(verify(Binary{}, {0}, true), StatusIs(kInvalid, HasSubstr("has 1")));
  EXPECT_THAT(verify(Unary{}, {0, 0}, true), StatusIs(kInvalid, HasSubstr("has 2")));
  EXPECT_THAT(verify(BatchNormalization{}, {0, 0, 0, 0}, true), StatusIs(kInvalid, HasSubstr("5 to 5")));
  EXPECT_THAT(verify(Conv{}, {0, kNoValue}, true), StatusIs(kInvalid, HasSubstr("input 1 is required")));
  EXPECT_THAT(verify(Concat{}, {0, kNoValue}, true), StatusIs(kInvalid, HasSubstr("input 1 is required")));
  EXPECT_THAT(verify(Gemm{}, {0, 0, kNoValue}, true), IsOk());
  EXPECT_THAT(verify(Unary{}, {0}, false), StatusIs(kInvalid, HasSubstr("one output; has 0")));
}

}  // namespace
}  // namespace stillwave::graph
