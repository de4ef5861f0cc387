#include "server/passes/specialize.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "server/graph/graph_verifier.h"
#include "tests/support/graph_properties.h"
#include "tests/support/network_builder.h"
#include "tests/support/random_graph.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/status_matchers.h"

namespace stillwave::passes {
namespace {

using tensor::Shape;
using test_support::CountNodes;
using test_support::Difference;
using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::RandomNetwork;
using test_support::RefTensor;
using test_support::StatusIs;
using test_support::UniformWindow;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(SpecializeTest, GivesRandomNetworksConcreteShapesAndTheSameOutputs) {
  for (uint64_t seed = 0; seed < 120; ++seed) {
    const RandomNetwork network = test_support::MakeRandomNetwork(seed);
    for (const int64_t samples : {1, 3}) {
      const RefTensor batch = test_support::RandomBatch(network, samples, seed);
      const auto specialized = Specialize(network.graph, {batch.shape});
      ASSERT_THAT(specialized, IsOk()) << "seed " << seed << "\n" << graph::ToText(network.graph);
      SCOPED_TRACE(graph::ToText(*specialized));
      ASSERT_THAT(graph::VerifyGraph(*specialized), IsOk());
      EXPECT_EQ(CountNodes(*specialized, "Shape"), 0);
      EXPECT_EQ(CountNodes(*specialized, "Gather"), 0);
      const auto want = test_support::Interpret(network.graph, {batch});
      const auto got = test_support::Interpret(*specialized, {batch});
      ASSERT_THAT(want, IsOk());
      ASSERT_THAT(got, IsOk());
      for (size_t j = 0; j < want->size(); ++j) {
        EXPECT_EQ(specialized->value(specialized->outputs()[j]).shape, (*want)[j].shape);
        EXPECT_EQ(Difference((*got)[j], (*want)[j], 0, 0), "");
      }
    }
  }
}

TEST(SpecializeTest, LeavesTheGraphItStartsFromAlone) {
  const RandomNetwork network = test_support::MakeRandomNetwork(3);
  const std::string before = graph::ToText(network.graph);
  ASSERT_THAT(Specialize(network.graph, {test_support::RandomBatch(network, 2, 1).shape}), IsOk());
  EXPECT_EQ(graph::ToText(network.graph), before);
}

TEST(SpecializeTest, AllowsAnotherLengthThanTheFileDeclared) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {1, 3, 16});
  build.Output(build.Conv(x, 3, 4, UniformWindow(1, 3)));
  const auto specialized = Specialize(build.graph(), {Shape({5, 3, 9})});
  ASSERT_THAT(specialized, IsOk());
  EXPECT_EQ(specialized->value(specialized->outputs()[0]).shape, Shape({5, 4, 7}));
}

TEST(SpecializeTest, NamesTheNodeThatCannotTakeTheShapes) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {tensor::kDynamicDim, 3, tensor::kDynamicDim});
  build.Output(build.Conv(x, 3, 4, UniformWindow(1, 9)));
  EXPECT_THAT(
      Specialize(build.graph(), {Shape({1, 3, 8})}),
      StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("Conv 'Conv_0'"), HasSubstr("does not fit"))));
  EXPECT_THAT(Specialize(build.graph(), {Shape({1, 2, 9})}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("the input has 2")));
}

TEST(SpecializeTest, RefusesTheWrongNumberOrRankOfInputs) {
  NetworkBuilder build(1);
  build.Output(build.Relu(build.Input("signal", {tensor::kDynamicDim, 3})));
  EXPECT_THAT(Specialize(build.graph(), {}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has 1 inputs")));
  EXPECT_THAT(Specialize(build.graph(), {Shape({1, 3, 5})}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("input 'signal' must be of rank 2; was [1,3,5]")));
  EXPECT_THAT(Specialize(build.graph(), {Shape({-1, 3})}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("negative dimension")));
}

TEST(SpecializeTest, RefusesAShapeThatDependsOnTheInputsValues) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {2});
  const graph::ValueId wanted = build.Node(graph::Cast{tensor::DataType::kInt64}, {x});
  build.Output(build.Node(graph::Reshape{}, {x, wanted}));
  EXPECT_THAT(Specialize(build.graph(), {Shape({2})}),
              StatusIs(absl::StatusCode::kUnimplemented,
                       AllOf(HasSubstr("Reshape 'Reshape_1'"), HasSubstr("depends on the input's values"))));
}

}  // namespace
}  // namespace stillwave::passes
