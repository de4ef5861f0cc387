// Normalizations by a sample's own statistics, reductions, and changes of type.
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/onnx/converter_test.h"
#include "tests/support/reference_interpreter.h"

namespace stillwave::onnx_import {
namespace {

using ::stillwave::test_support::RealTensor;
using ::stillwave::test_support::RefTensor;
using ::testing::DoubleNear;
using ::testing::Pointwise;

std::vector<RefTensor> Computed(const absl::StatusOr<graph::Graph>& graph, const RefTensor& x) {
  EXPECT_THAT(graph, IsOk());
  if (!graph.ok()) return {};
  auto outputs = test_support::Interpret(*graph, {x});
  EXPECT_THAT(outputs, IsOk());
  return outputs.ok() ? *outputs : std::vector<RefTensor>{};
}

TEST(ConvertNormalization, ReadsInstanceNormalizationAndLrn) {
  const auto instance = ImportOneNode(6, "InstanceNormalization", {Iota({3}), Iota({3})}, {{"epsilon", 0.5F}});
  ASSERT_THAT(instance, IsOk());
  EXPECT_EQ(LastOp<graph::InstanceNormalization>(instance).epsilon, 0.5F);
  const auto lrn = ImportOneNode(13, "LRN", {}, {{"size", int64_t{3}}, {"bias", 2.0F}});
  ASSERT_THAT(lrn, IsOk());
  EXPECT_EQ(LastOp<graph::Lrn>(lrn).size, 3);
  EXPECT_EQ(LastOp<graph::Lrn>(lrn).bias, 2);
  EXPECT_FLOAT_EQ(LastOp<graph::Lrn>(lrn).alpha, 1e-4F);
  EXPECT_THAT(ImportOneNode(13, "LRN", {}, {}), StatusIs(kInvalid, HasSubstr("'size' is missing")));
  EXPECT_THAT(ImportOneNode(6, "InstanceNormalization", {Iota({3}), Iota({3})}, {{"epsilon", -1.0F}}),
              StatusIs(kInvalid, HasSubstr("'epsilon' must not be negative; was -1")));
}

TEST(ConvertNormalization, GroupsHaveOneScaleEachBeforeOpset21) {
  const std::vector<Attr> three = {{"num_groups", int64_t{3}}};
  EXPECT_TRUE(LastOp<graph::GroupNormalization>(ImportOneNode(18, "GroupNormalization", {Iota({3}), Iota({3})}, three))
                  .per_group_affine);
  EXPECT_FALSE(LastOp<graph::GroupNormalization>(ImportOneNode(21, "GroupNormalization", {Iota({3}), Iota({3})}, three))
                   .per_group_affine);
  EXPECT_THAT(ImportOneNode(21, "GroupNormalization", {Iota({3}), Iota({3})}, {}),
              StatusIs(kInvalid, HasSubstr("'num_groups' is missing")));
}

TEST(ConvertNormalization, LayerNormalizationGivesItsStatisticsToWhoReadsThem) {
  for (const int64_t axis : {1, -2}) {
    const auto graph =
        ModelBuilder(17)
            .Input("x", {0, 2, 2})
            .Weight("scale", FloatTensor{{2}, {1, 1}})
            .Node("LayerNormalization", {"x", "scale"}, {"y", "mean", "inverse"}, {{"axis", axis}, {"epsilon", 0.0F}})
            .Output("mean")
            .Output("inverse")
            .Output("y")
            .Import();
    const std::vector<RefTensor> outputs = Computed(graph, RealTensor({1, 2, 2}, {1, 1, 5, 5}));
    ASSERT_EQ(outputs.size(), 3);
    EXPECT_EQ(outputs[0].shape, tensor::Shape({1, 1, 1}));
    EXPECT_THAT(outputs[0].reals, ElementsAre(3));
    EXPECT_EQ(outputs[1].shape, tensor::Shape({1, 1, 1}));
    EXPECT_THAT(outputs[1].reals, ElementsAre(0.5));
    EXPECT_THAT(outputs[2].reals, ElementsAre(-1, -1, 1, 1));
  }
}

TEST(ConvertNormalization, RefusesAStageInHalfPrecision) {
  EXPECT_THAT(ImportOneNode(17, "LayerNormalization", {Iota({8})}, {{"stash_type", int64_t{10}}}),
              StatusIs(kUnimplemented, HasSubstr("'stash_type' must be 1 (FLOAT); was 10")));
}

TEST(ConvertNormalization, BuildsMeanVarianceNormalizationOfReductions) {
  const auto graph = ImportOneNode(13, "MeanVarianceNormalization", {}, {{"axes", Ints{1, 2}}});
  EXPECT_THAT(Computed(graph, RealTensor({1, 2, 2}, {1, 1, 5, 5})).at(0).reals,
              Pointwise(DoubleNear(1e-6), {-1.0, -1.0, 1.0, 1.0}));
}

TEST(ConvertNormalization, LpNormalizationLeavesZerosAlone) {
  const RefTensor x = RealTensor({1, 2, 2}, {3, 4, 0, 0});
  EXPECT_THAT(Computed(ImportOneNode(1, "LpNormalization", {}, {}), x).at(0).reals,
              Pointwise(DoubleNear(1e-9), {0.6, 0.8, 0.0, 0.0}));
  EXPECT_THAT(
      Computed(ImportOneNode(22, "LpNormalization", {}, {{"p", int64_t{1}}, {"axis", int64_t{1}}}), x).at(0).reals,
      ElementsAre(1, 1, 0, 0));
  EXPECT_THAT(ImportOneNode(22, "LpNormalization", {}, {{"p", int64_t{3}}}),
              StatusIs(kInvalid, HasSubstr("'p' must be 1 or 2; was 3")));
}

TEST(ConvertReduce, ReadsEveryKindInBothSpellings) {
  using graph::ReduceKind;
  const std::vector<std::pair<std::string, ReduceKind>> kinds = {{"ReduceMin", ReduceKind::kMin},
                                                                 {"ReduceProd", ReduceKind::kProd},
                                                                 {"ReduceL1", ReduceKind::kL1},
                                                                 {"ReduceL2", ReduceKind::kL2},
                                                                 {"ReduceLogSum", ReduceKind::kLogSum},
                                                                 {"ReduceLogSumExp", ReduceKind::kLogSumExp},
                                                                 {"ReduceSumSquare", ReduceKind::kSumSquare}};
  for (const auto& [op, kind] : kinds) {
    SCOPED_TRACE(op);
    const auto attribute = ImportOneNode(13, op, {}, {{"axes", Ints{-1}}});
    ASSERT_THAT(attribute, IsOk());
    EXPECT_EQ(LastOp<graph::Reduce>(attribute).kind, kind);
    EXPECT_THAT(Int64Input(attribute, 1), ElementsAre(-1));
    const auto input = ImportOneNode(18, op, {Int64Tensor{{1}, {2}}}, {});
    ASSERT_THAT(input, IsOk());
    EXPECT_EQ(LastOp<graph::Reduce>(input).kind, kind);
    EXPECT_THAT(Int64Input(input, 1), ElementsAre(2));
  }
}

TEST(ConvertReduce, ReadsExtremesAndRunningSums) {
  const auto arg = ImportOneNode(12, "ArgMin", {}, {{"axis", int64_t{2}}, {"select_last_index", int64_t{1}}});
  ASSERT_THAT(arg, IsOk());
  EXPECT_FALSE(LastOp<graph::ArgReduce>(arg).max);
  EXPECT_EQ(LastOp<graph::ArgReduce>(arg).axis, 2);
  EXPECT_TRUE(LastOp<graph::ArgReduce>(arg).keep_dims);
  EXPECT_TRUE(LastOp<graph::ArgReduce>(arg).select_last_index);
  EXPECT_TRUE(LastOp<graph::ArgReduce>(ImportOneNode(7, "ArgMax", {}, {{"keepdims", int64_t{0}}})).max);
  const auto sum = ImportOneNode(11, "CumSum", {Int64Tensor{{}, {1}}}, {{"reverse", int64_t{1}}});
  ASSERT_THAT(sum, IsOk());
  EXPECT_TRUE(LastOp<graph::CumSum>(sum).reverse);
  EXPECT_FALSE(LastOp<graph::CumSum>(sum).exclusive);
}

TEST(ConvertCast, TakesAttributesOfEightBitFloatsWithoutMindingThem) {
  const auto cast =
      ImportOneNode(24, "Cast", {}, {{"to", int64_t{10}}, {"saturate", int64_t{0}}, {"round_mode", std::string("up")}});
  ASSERT_THAT(cast, IsOk());
  EXPECT_EQ(LastOp<graph::Cast>(cast).to, tensor::DataType::kFloat16);
  EXPECT_THAT(ImportOneNode(24, "Cast", {}, {{"to", int64_t{17}}}),
              StatusIs(kUnimplemented, HasSubstr("FLOAT8E4M3FN is not supported")));
  LastOp<graph::CastLike>(ImportOneNode(15, "CastLike", {Int64Tensor{{1}, {0}}}, {}));
}

}  // namespace
}  // namespace stillwave::onnx_import
