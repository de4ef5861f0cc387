// Names, order and other structure of a graph; through ImportBytes.
#include "server/onnx/graph_importer.h"

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/graph/graph_verifier.h"
#include "tests/server/onnx/onnx_test_util.h"
#include "tests/support/status_matchers.h"

namespace stillwave::onnx_import {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::FloatTensor;
using ::testing::HasSubstr;
using testing::Iota;
using testing::ModelBuilder;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

std::vector<std::string> NodeNames(const graph::Graph& graph) {
  std::vector<std::string> names;
  for (const graph::Node& node : graph.nodes()) names.push_back(node.name);
  return names;
}

TEST(ImportGraph, KeepsInputsWeightsNodesAndOutputs) {
  const auto graph = ModelBuilder()
                         .Input("x", {0, 3, 8})
                         .Weight("w", Iota({4, 3, 3}))
                         .Node("Conv", {"x", "w"}, {"c"}, {}, "conv")
                         .Node("Relu", {"c"}, {"y"}, {}, "relu")
                         .Output("y")
                         .Import();
  ASSERT_THAT(graph, IsOk());
  EXPECT_THAT(graph::VerifyGraph(*graph), IsOk());
  EXPECT_EQ(graph->name, "g");
  EXPECT_THAT(NodeNames(*graph), ElementsAre("conv", "relu"));
  ASSERT_EQ(graph->inputs().size(), 1U);
  EXPECT_EQ(graph->value(graph->inputs()[0]).name, "x");
  EXPECT_EQ(graph->value(graph->inputs()[0]).shape, tensor::Shape({tensor::kDynamicDim, 3, 8}));
  EXPECT_EQ(graph->value(graph->outputs()[0]).name, "y");
  EXPECT_EQ(graph->value(graph->nodes()[0].inputs[1]).constant->shape(), tensor::Shape({4, 3, 3}));
}

TEST(ImportGraph, TakesInputsThatAreInitializersForWeights) {
  const auto graph = ModelBuilder()
                         .Input("x", {0, 3, 8})
                         .Input("w", {4, 3, 3})
                         .Weight("w", Iota({4, 3, 3}))
                         .Node("Conv", {"x", "w"}, {"y"})
                         .Output("y")
                         .Import();
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->inputs().size(), 1U);
  EXPECT_NE(graph->value(graph->nodes()[0].inputs[1]).constant, nullptr);
}

TEST(ImportGraph, RefusesAWeightThatIsDeclaredWithAnotherShape) {
  EXPECT_THAT(ModelBuilder()
                  .Input("x", {0, 3, 8})
                  .Input("w", {4, 3, 5})
                  .Weight("w", Iota({4, 3, 3}))
                  .Node("Conv", {"x", "w"}, {"y"})
                  .Output("y")
                  .Import(),
              StatusIs(kInvalid, HasSubstr("graph input 'w': is declared with another shape")));
}

TEST(ImportGraph, DimensionsThatAreSymbolicMissingZeroOrNegativeAreDynamic) {
  ModelBuilder model;
  model.Input("x", {0, -1, 3}).Node("Relu", {"x"}, {"y"}).Output("y");
  auto* shape = model.proto().mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape->add_dim()->set_dim_param("T");
  shape->add_dim();
  const auto graph = model.Import();
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->value(graph->inputs()[0]).shape, tensor::Shape({-1, -1, 3, -1, -1}));
}

TEST(ImportGraph, RefusesInputsWithoutTypeOrShape) {
  const auto with = [](const auto& change) {
    ModelBuilder model;
    model.Input("x", {0, 3}).Node("Relu", {"x"}, {"y"}).Output("y");
    change(*model.proto().mutable_graph()->mutable_input(0));
    return model.Import();
  };
  using Info = ::onnx::ValueInfoProto;
  EXPECT_THAT(with([](Info& x) { x.clear_type(); }), StatusIs(kInvalid, HasSubstr("graph input 'x': type is missing")));
  EXPECT_THAT(with([](Info& x) { x.mutable_type()->mutable_tensor_type()->clear_shape(); }),
              StatusIs(kInvalid, HasSubstr("shape is missing")));
  EXPECT_THAT(with([](Info& x) { x.mutable_type()->mutable_sequence_type(); }),
              StatusIs(kUnimplemented, HasSubstr("must be a dense tensor")));
  EXPECT_THAT(with([](Info& x) { x.mutable_type()->mutable_tensor_type()->set_elem_type(8); }),
              StatusIs(kUnimplemented, HasSubstr("STRING")));
  EXPECT_THAT(with([](Info& x) {
                x.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(int64_t{1} << 62);
              }),
              StatusIs(kInvalid, HasSubstr("must not exceed")));
  EXPECT_THAT(with([](Info& x) {
                for (int i = 0; i < 11; ++i) x.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim();
              }),
              StatusIs(kInvalid, HasSubstr("more than 12 dimensions; has 13")));
}

TEST(ImportGraph, SortsNodes) {
  const auto graph = ModelBuilder()
                         .Input("x", {0, 3})
                         .Node("Add", {"a", "b"}, {"y"}, {}, "add")
                         .Node("Relu", {"a"}, {"b"}, {}, "second")
                         .Node("Relu", {"x"}, {"a"}, {}, "first")
                         .Output("y")
                         .Import();
  ASSERT_THAT(graph, IsOk());
  EXPECT_THAT(graph::VerifyGraph(*graph), IsOk());
  EXPECT_THAT(NodeNames(*graph), ElementsAre("first", "second", "add"));
}

TEST(ImportGraph, SortsALongReversedChain) {
  constexpr int kNodes = 50'000;
  ModelBuilder model;
  model.Input("v0", {0, 3}).Output(absl::StrCat("v", kNodes));
  for (int i = kNodes; i > 0; --i) model.Node("Relu", {absl::StrCat("v", i - 1)}, {absl::StrCat("v", i)});
  const auto graph = model.Import();
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->nodes().size(), static_cast<size_t>(kNodes));
  EXPECT_THAT(graph::VerifyGraph(*graph), IsOk());
}

TEST(ImportGraph, RefusesCycles) {
  EXPECT_THAT(ModelBuilder().Input("x", {0, 3}).Node("Add", {"x", "y"}, {"y"}, {}, "loop").Output("y").Import(),
              StatusIs(kInvalid, HasSubstr("node 'loop' (Add) depends on its own output")));
  // "tail" waits for the cycle, but is not in it.
  EXPECT_THAT(ModelBuilder()
                  .Input("x", {0, 3})
                  .Node("Relu", {"b"}, {"y"}, {}, "tail")
                  .Node("Add", {"x", "b"}, {"a"}, {}, "add")
                  .Node("Relu", {"a"}, {"b"}, {}, "relu")
                  .Output("y")
                  .Import(),
              StatusIs(kInvalid, AllOf(HasSubstr("cycle"), ::testing::Not(HasSubstr("tail")))));
}

TEST(ImportGraph, RefusesValuesWithoutOrWithTwoProducers) {
  EXPECT_THAT(ModelBuilder().Input("x", {0, 3}).Node("Relu", {"z"}, {"y"}, {}, "relu").Output("y").Import(),
              StatusIs(kInvalid, HasSubstr("node 'relu' (Relu) reads value 'z'")));
  EXPECT_THAT(ModelBuilder().Input("x", {0, 3}).Node("Relu", {"x"}, {"y"}).Output("z").Import(),
              StatusIs(kInvalid, HasSubstr("graph output 'z' is no input")));
  EXPECT_THAT(ModelBuilder()
                  .Input("x", {0, 3})
                  .Node("Relu", {"x"}, {"y"}, {}, "one")
                  .Node("Tanh", {"x"}, {"y"}, {}, "two")
                  .Output("y")
                  .Import(),
              StatusIs(kInvalid, AllOf(HasSubstr("'one'"), HasSubstr("'two'"), HasSubstr("one producer"))));
  EXPECT_THAT(ModelBuilder().Input("x", {0, 3}).Node("Relu", {"x"}, {"x"}, {}, "self").Output("x").Import(),
              StatusIs(kInvalid, HasSubstr("node 'self' (Relu) writes value 'x'")));
}

TEST(ImportGraph, RefusesNamesThatAreListedTwice) {
  EXPECT_THAT(ModelBuilder().Input("x", {1}).Input("x", {1}).Node("Relu", {"x"}, {"y"}).Output("y").Import(),
              StatusIs(kInvalid, HasSubstr("graph input 'x' is listed twice")));
  EXPECT_THAT(ModelBuilder().Weight("w", Iota({1})).Weight("w", Iota({2})).Output("w").Import(),
              StatusIs(kInvalid, HasSubstr("initializer 'w' is listed twice")));
  EXPECT_THAT(ModelBuilder().Input("x", {1}).Output("x").Output("x").Import(),
              StatusIs(kInvalid, HasSubstr("graph output 'x' is listed twice")));
}

TEST(ImportGraph, RefusesEmptyAndUnreadableNames) {
  EXPECT_THAT(ModelBuilder().Input("", {1}).Output("x").Import(), StatusIs(kInvalid, HasSubstr("input has no name")));
  EXPECT_THAT(ModelBuilder().Weight("", Iota({1})).Output("x").Import(),
              StatusIs(kInvalid, HasSubstr("initializer has no name")));
  EXPECT_THAT(ModelBuilder().Input("x", {1}).Node("Relu", {"x"}, {"a\nb"}).Output("a\nb").Import(),
              StatusIs(kInvalid, HasSubstr("'a\\nb' must be UTF-8 without control characters")));
  EXPECT_THAT(ModelBuilder().Input("x", {1}).Node("Relu", {"x"}, {""}, {}, "n").Output("x").Import(),
              StatusIs(kInvalid, HasSubstr("node 'n' (Relu): its first output has no name")));
  EXPECT_THAT(ModelBuilder().Input("x", {1}).Node("", {"x"}, {"y"}, {}, "n").Output("y").Import(),
              StatusIs(kInvalid, HasSubstr("node 'n' (no operator): it names no operator")));
}

TEST(ImportGraph, NeedsAnOutput) {
  EXPECT_THAT(ModelBuilder().Input("x", {1}).Node("Relu", {"x"}, {"y"}).Import(),
              StatusIs(kInvalid, HasSubstr("must have an output")));
}

TEST(ImportGraph, AnOutputMayBeAnInputOrAWeight) {
  const auto graph = ModelBuilder().Input("x", {1}).Weight("w", Iota({2})).Output("x").Output("w").Import();
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->outputs().size(), 2U);
}

TEST(ImportGraph, GivesEveryNodeAnUniqueName) {
  const auto graph = ModelBuilder()
                         .Input("x", {1})
                         .Node("Relu", {"x"}, {"a"})
                         .Node("Relu", {"a"}, {"b"}, {}, "same")
                         .Node("Relu", {"b"}, {"c"}, {}, "same")
                         .Output("c")
                         .Import();
  ASSERT_THAT(graph, IsOk());
  EXPECT_THAT(NodeNames(*graph), ElementsAre("a", "same", "same#2"));
}

TEST(ImportGraph, ChecksTheNumberOfInputsAndOutputs) {
  EXPECT_THAT(ModelBuilder().Input("x", {1}).Node("Add", {"x"}, {"y"}, {}, "n").Output("y").Import(),
              StatusIs(kInvalid, HasSubstr("node 'n' (Add): it must have 2 inputs; has 1")));
  EXPECT_THAT(ModelBuilder().Input("x", {1}).Node("Add", {"", "x"}, {"y"}, {}, "n").Output("y").Import(),
              StatusIs(kInvalid, HasSubstr("input 0 is required; it is left out")));
  EXPECT_THAT(ModelBuilder().Input("x", {1}).Node("Relu", {"x", "x"}, {"y"}, {}, "n").Output("y").Import(),
              StatusIs(kInvalid, HasSubstr("it must have 1 inputs; has 2")));
  EXPECT_THAT(ModelBuilder().Input("x", {1}).Node("Relu", {"x"}, {"y", "z"}, {}, "n").Output("y").Import(),
              StatusIs(kInvalid, HasSubstr("must not have more than 1 outputs; has 2")));
  EXPECT_THAT(ModelBuilder()
                  .Input("x", {1})
                  .Node("Concat", {"x", "", "x"}, {"y"}, {{"axis", int64_t{0}}}, "n")
                  .Output("y")
                  .Import(),
              StatusIs(kInvalid, HasSubstr("input 1 is required")));
}

TEST(ImportGraph, TrailingLeftOutInputsAreNoInputs) {
  const auto graph = ModelBuilder().Input("x", {1}).Node("Gemm", {"x", "x", ""}, {"y"}).Output("y").Import();
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->nodes()[0].inputs.size(), 2U);
}

TEST(ImportGraph, BoundsTheInputsOfANode) {
  EXPECT_THAT(ModelBuilder()
                  .Input("x", {1})
                  .Node("Concat", std::vector<std::string>(4097, "x"), {"y"}, {{"axis", int64_t{0}}})
                  .Output("y")
                  .Import(),
              StatusIs(kInvalid, HasSubstr("more than 4096 inputs")));
}

TEST(ImportGraph, RefusesUnknownOperatorsNamingNodeOperatorOpsetAndNearOnes) {
  EXPECT_THAT(ModelBuilder().Input("x", {1}).Node("LeakyReluu", {"x"}, {"y"}, {}, "act").Output("y").Import(),
              StatusIs(kUnimplemented, AllOf(HasSubstr("node 'act'"), HasSubstr("'LeakyReluu' of opset 17"),
                                             HasSubstr("near ones that are: LeakyRelu"))));
}

TEST(ImportGraph, RefusesOtherDomains) {
  const auto with_domain = [](bool imported) {
    ModelBuilder model;
    model.Input("x", {1}).Node("FusedConv", {"x"}, {"y"}, {}, "f").Output("y");
    model.proto().mutable_graph()->mutable_node(0)->set_domain("com.microsoft");
    if (imported) model.proto().add_opset_import()->set_domain("com.microsoft");
    return model.Import();
  };
  EXPECT_THAT(with_domain(true), StatusIs(kUnimplemented, AllOf(HasSubstr("node 'f'"), HasSubstr("'com.microsoft'"),
                                                                HasSubstr("near ones that are: Conv"))));
  EXPECT_THAT(with_domain(false), StatusIs(kInvalid, HasSubstr("is not in the model's opset_import")));
}

TEST(ImportGraph, RefusesSparseInitializers) {
  ModelBuilder model;
  model.Input("x", {1}).Node("Relu", {"x"}, {"y"}).Output("y");
  model.proto().mutable_graph()->add_sparse_initializer()->mutable_values()->set_name("w");
  EXPECT_THAT(model.Import(), StatusIs(kUnimplemented, HasSubstr("sparse initializer 'w'")));
}

TEST(ImportGraph, NamesTheInitializerThatIsBroken) {
  ModelBuilder model;
  model.Weight("w", FloatTensor{{3}, {1, 2}}).Output("w");
  EXPECT_THAT(model.Import(), StatusIs(kInvalid, HasSubstr("initializer 'w': raw_data must have 12 bytes")));
}

TEST(ImportGraph, MadeConstantsNeverTakeANameOfTheFile) {
  const auto graph = ModelBuilder(/*opset=*/11)
                         .Input("x", {1, 3})
                         .Node("Squeeze", {"x"}, {"s"}, {{"axes", std::vector<int64_t>{0}}})
                         .Node("Relu", {"s"}, {"s/axes"})
                         .Output("s/axes")
                         .Import();
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->value(graph->nodes()[0].inputs[1]).name, "s/axes_2");
}

}  // namespace
}  // namespace stillwave::onnx_import
