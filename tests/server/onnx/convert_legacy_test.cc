// What opsets 1 to 6 spelled differently.
#include <string>
#include <vector>

#include "tests/server/onnx/converter_test.h"
#include "tests/support/reference_interpreter.h"

namespace stillwave::onnx_import {
namespace {

using test_support::RefTensor;

const Attr kBroadcast = {"broadcast", int64_t{1}};

TEST(LegacyBroadcast, LaysBAgainstTheAxesFromAxisOn) {
  // x {1,3,8} + w {3}: one value for each channel.
  const auto graph = ImportOneNode(6, "Add", {Iota({3})}, {kBroadcast, {"axis", int64_t{1}}});
  ASSERT_THAT(graph, IsOk());
  const auto sum = test_support::Interpret(*graph, {test_support::RealTensor({1, 3, 8}, std::vector<double>(24, 10))});
  ASSERT_THAT(sum, IsOk());
  const RefTensor& y = (*sum)[0];
  EXPECT_EQ(y.shape, tensor::Shape({1, 3, 8}));
  for (size_t i = 0; i < y.reals.size(); ++i) EXPECT_EQ(y.reals[i], 10.0 + static_cast<double>(i / 8)) << i;
}

TEST(LegacyBroadcast, WithoutAxisIsNumpysRule) {
  for (const std::vector<Attr>& attributes : {std::vector<Attr>{}, {kBroadcast}, {{"axis", int64_t{1}}}}) {
    const auto graph = ImportOneNode(6, "Mul", {Iota({8})}, attributes);
    ASSERT_THAT(graph, IsOk());
    EXPECT_THAT(graph->nodes(), SizeIs(1));
    EXPECT_EQ(LastOp<graph::Binary>(graph).kind, graph::BinaryKind::kMul);
  }
}

TEST(LegacyBroadcast, RefusesWhatItCannotPlace) {
  EXPECT_THAT(ImportOneNode(6, "Sub", {Iota({3})}, {kBroadcast, {"axis", int64_t{-1}}}),
              StatusIs(kUnimplemented, HasSubstr("axis must be from 0 to 11; was -1")));
  EXPECT_THAT(ModelBuilder(6)
                  .Input("x", {0, 3, 8})
                  .Node("Relu", {"x"}, {"b"})
                  .Node("Div", {"x", "b"}, {"y"}, {kBroadcast, {"axis", int64_t{1}}})
                  .Output("y")
                  .Import(),
              StatusIs(kUnimplemented, HasSubstr("a constant or a graph input")));
  EXPECT_THAT(ImportOneNode(7, "Add", {Iota({8})}, {kBroadcast}), StatusIs(kUnimplemented, HasSubstr("'broadcast'")));
}

TEST(LegacyPRelu, HasASlopeForEachChannel) {
  const auto one = ImportOneNode(6, "PRelu", {Iota({1})}, {});
  ASSERT_THAT(one, IsOk());
  EXPECT_THAT(one->nodes(), SizeIs(1));
  const auto several = ImportOneNode(6, "PRelu", {Iota({3})}, {});
  ASSERT_THAT(several, IsOk());
  EXPECT_GT(several->nodes().size(), 1);
  EXPECT_EQ(LastOp<graph::Binary>(several).kind, graph::BinaryKind::kPRelu);
}

absl::StatusOr<graph::Graph> ImportNorm(int64_t opset, const std::vector<Attr>& attributes) {
  return ModelBuilder(opset)
      .Input("x", {0, 3, 8})
      .Weight("p", Iota({3}))
      .Node("BatchNormalization", {"x", "p", "p", "p", "p"}, {"y"}, attributes)
      .Output("y")
      .Import();
}

TEST(LegacyBatchNormalization, IsTrainingUnlessIsTestSaysOtherwise) {
  EXPECT_THAT(ImportNorm(6, {{"is_test", int64_t{1}}}), IsOk());
  EXPECT_THAT(ImportNorm(1, {{"is_test", int64_t{1}}, {"consumed_inputs", Ints{0, 0, 0, 1, 1}}}), IsOk());
  EXPECT_THAT(ImportNorm(6, {{"is_test", int64_t{0}}}), StatusIs(kNotFrozen, HasSubstr("is_test is 0")));
  EXPECT_THAT(ImportNorm(6, {}), StatusIs(kNotFrozen, HasSubstr("model.eval()")));
  EXPECT_THAT(ImportNorm(7, {{"is_test", int64_t{1}}}), StatusIs(kUnimplemented, HasSubstr("'is_test'")));
}

TEST(LegacyDropout, IsTrainingUnlessIsTestSaysOtherwise) {
  EXPECT_THAT(ImportOneNode(6, "Dropout", {}, {{"is_test", int64_t{1}}}), IsOk());
  EXPECT_THAT(ImportOneNode(6, "Dropout", {}, {}), StatusIs(kNotFrozen, HasSubstr("is_test is 0")));
}

TEST(LegacyShapes, StoodInAttributes) {
  const auto reshape = ImportOneNode(4, "Reshape", {}, {{"shape", Ints{0, -1}}});
  ASSERT_THAT(reshape, IsOk());
  EXPECT_THAT(Int64Input(reshape, 1), ElementsAre(0, -1));
  EXPECT_THAT(ImportOneNode(4, "Reshape", {}, {}), StatusIs(kInvalid, HasSubstr("'shape' is missing")));
  EXPECT_EQ(LastOp<graph::Concat>(ImportOneNode(1, "Concat", {Iota({1, 3, 8})}, {})).axis, 1);
  EXPECT_THAT(ImportOneNode(4, "Concat", {}, {}), StatusIs(kInvalid, HasSubstr("'axis' is missing")));
}

TEST(LegacyUnary, IgnoresWhichInputsMayBeOverwritten) {
  EXPECT_THAT(ImportOneNode(1, "Relu", {}, {{"consumed_inputs", Ints{0}}}), IsOk());
  EXPECT_THAT(ImportOneNode(6, "Relu", {}, {{"consumed_inputs", Ints{0}}}),
              StatusIs(kUnimplemented, HasSubstr("'consumed_inputs'")));
}

}  // namespace
}  // namespace stillwave::onnx_import
