// Activations, Clip, comparisons, and operators of any number of inputs.
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/onnx/converter_test.h"
#include "tests/support/reference_interpreter.h"

namespace stillwave::onnx_import {
namespace {

using graph::BinaryKind;
using graph::UnaryKind;
using ::stillwave::test_support::RealTensor;
using ::stillwave::test_support::RefTensor;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(ConvertActivation, ReadsEveryKindWithoutAttributes) {
  const std::vector<std::pair<std::string, UnaryKind>> kinds = {{"Acos", UnaryKind::kAcos},
                                                                {"Acosh", UnaryKind::kAcosh},
                                                                {"Asin", UnaryKind::kAsin},
                                                                {"Asinh", UnaryKind::kAsinh},
                                                                {"Atan", UnaryKind::kAtan},
                                                                {"Atanh", UnaryKind::kAtanh},
                                                                {"Ceil", UnaryKind::kCeil},
                                                                {"Cos", UnaryKind::kCos},
                                                                {"Cosh", UnaryKind::kCosh},
                                                                {"Erf", UnaryKind::kErf},
                                                                {"Floor", UnaryKind::kFloor},
                                                                {"HardSwish", UnaryKind::kHardSwish},
                                                                {"IsNaN", UnaryKind::kIsNan},
                                                                {"Mish", UnaryKind::kMish},
                                                                {"Reciprocal", UnaryKind::kReciprocal},
                                                                {"Round", UnaryKind::kRound},
                                                                {"Sign", UnaryKind::kSign},
                                                                {"Sin", UnaryKind::kSin},
                                                                {"Sinh", UnaryKind::kSinh},
                                                                {"Softplus", UnaryKind::kSoftplus},
                                                                {"Softsign", UnaryKind::kSoftsign},
                                                                {"Tan", UnaryKind::kTan},
                                                                {"Not", UnaryKind::kNot}};
  for (const auto& [op, kind] : kinds) {
    SCOPED_TRACE(op);
    const auto graph = ImportOneNode(18, op, {}, {});
    ASSERT_THAT(graph, IsOk());
    EXPECT_EQ(LastOp<graph::Unary>(graph).kind, kind);
  }
}

TEST(ConvertActivation, ParametersHaveTheirOperatorsDefaults) {
  const auto unary = [](int64_t opset, const std::string& op, const std::vector<Attr>& attributes) {
    return LastOp<graph::Unary>(ImportOneNode(opset, op, {}, attributes));
  };
  EXPECT_FLOAT_EQ(unary(6, "Selu", {}).alpha, 1.67326319F);
  EXPECT_FLOAT_EQ(unary(22, "Selu", {{"gamma", 2.0F}}).beta, 2);
  EXPECT_FLOAT_EQ(unary(12, "Celu", {}).alpha, 1);
  EXPECT_FLOAT_EQ(unary(6, "HardSigmoid", {}).alpha, 0.2F);
  EXPECT_FLOAT_EQ(unary(6, "HardSigmoid", {}).beta, 0.5F);
  EXPECT_FLOAT_EQ(unary(10, "ThresholdedRelu", {}).alpha, 1);
  EXPECT_FLOAT_EQ(unary(24, "Swish", {}).alpha, 1);
  EXPECT_EQ(unary(20, "Gelu", {}).kind, UnaryKind::kGelu);
  EXPECT_EQ(unary(20, "Gelu", {{"approximate", std::string("tanh")}}).kind, UnaryKind::kGeluTanh);
}

TEST(ConvertActivation, RefusesAttributesThatMeanNothing) {
  EXPECT_THAT(ImportOneNode(20, "Gelu", {}, {{"approximate", std::string("sigmoid")}}),
              StatusIs(kInvalid, HasSubstr("'approximate' must be none or tanh; was 'sigmoid'")));
  EXPECT_THAT(ImportOneNode(12, "Celu", {}, {{"alpha", 0.0F}}), StatusIs(kInvalid, HasSubstr("'alpha' must not be 0")));
}

TEST(ConvertClip, HasItsBoundsInAttributesBeforeOpset11) {
  const auto& clip = LastOp<graph::Unary>(ImportOneNode(6, "Clip", {}, {{"min", -1.0F}, {"max", 6.0F}}));
  EXPECT_EQ(clip.kind, UnaryKind::kClip);
  EXPECT_EQ(clip.alpha, -1);
  EXPECT_EQ(clip.beta, 6);
  EXPECT_EQ(LastOp<graph::Unary>(ImportOneNode(6, "Clip", {}, {})).beta, std::numeric_limits<float>::max());
}

TEST(ConvertClip, TakesConstantBoundsOverFromItsInputs) {
  const auto both = ImportOneNode(13, "Clip", {FloatTensor{{}, {0}}, FloatTensor{{}, {6}}}, {});
  ASSERT_THAT(both, IsOk());
  EXPECT_EQ(LastOp<graph::Unary>(both).alpha, 0);
  EXPECT_EQ(LastOp<graph::Unary>(both).beta, 6);
  EXPECT_THAT(both->nodes().back().inputs, SizeIs(1));
  const auto lower = ImportOneNode(13, "Clip", {FloatTensor{{1}, {0}}}, {});
  EXPECT_EQ(LastOp<graph::Unary>(lower).beta, kInfinity);
  EXPECT_THAT(ImportOneNode(13, "Clip", {Iota({2})}, {}),
              StatusIs(kInvalid, HasSubstr("min must be a scalar; was [2]")));
  LastOp<graph::Identity>(ImportOneNode(13, "Clip", {}, {}));
}

TEST(ConvertClip, ComparesWithBoundsThatAreComputedOrIntegers) {
  const auto graph =
      ModelBuilder(13).Input("x", {0, 3}).Input("high", {}).Node("Clip", {"x", "", "high"}, {"y"}).Output("y").Import();
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(LastOp<graph::Binary>(graph).kind, BinaryKind::kMin);
  const auto integers = ImportOneNode(13, "Clip", {Int64Tensor{{}, {0}}, Int64Tensor{{}, {6}}}, {});
  ASSERT_THAT(integers, IsOk());
  EXPECT_EQ(LastOp<graph::Binary>(integers).kind, BinaryKind::kMin);
  EXPECT_THAT(integers->nodes(), SizeIs(2));
}

TEST(ConvertBinary, ReadsEveryKind) {
  const std::vector<std::pair<std::string, BinaryKind>> kinds = {
      {"Pow", BinaryKind::kPow},         {"PRelu", BinaryKind::kPRelu},
      {"Equal", BinaryKind::kEqual},     {"Less", BinaryKind::kLess},
      {"Greater", BinaryKind::kGreater}, {"LessOrEqual", BinaryKind::kLessOrEqual},
      {"And", BinaryKind::kAnd},         {"GreaterOrEqual", BinaryKind::kGreaterOrEqual},
      {"Or", BinaryKind::kOr},           {"Xor", BinaryKind::kXor},
      {"Mod", BinaryKind::kMod}};
  for (const auto& [op, kind] : kinds) {
    SCOPED_TRACE(op);
    const auto graph = ImportOneNode(16, op, {Iota({3, 1})}, {});
    ASSERT_THAT(graph, IsOk());
    EXPECT_EQ(LastOp<graph::Binary>(graph).kind, kind);
  }
  EXPECT_EQ(LastOp<graph::Binary>(ImportOneNode(13, "Mod", {Iota({1})}, {{"fmod", int64_t{1}}})).kind,
            BinaryKind::kFmod);
}

// What a model of one node computes of x {1, 3, 8}.
RefTensor Computed(const absl::StatusOr<graph::Graph>& graph, const RefTensor& x) {
  EXPECT_THAT(graph, IsOk());
  if (!graph.ok()) return {};
  auto outputs = test_support::Interpret(*graph, {x});
  EXPECT_THAT(outputs, IsOk());
  return outputs.ok() ? (*outputs)[0] : RefTensor{};
}

TEST(ConvertVariadic, ChainsItsInputs) {
  const RefTensor x = RealTensor({1, 1}, {6});
  const auto of = [&](const std::string& op) {
    return Computed(ImportOneNode(13, op, {FloatTensor{{}, {2}}, FloatTensor{{1}, {10}}, FloatTensor{{}, {-2}}}, {}), x)
        .reals;
  };
  EXPECT_THAT(of("Sum"), ElementsAre(16));
  EXPECT_THAT(of("Mean"), ElementsAre(4));
  EXPECT_THAT(of("Min"), ElementsAre(-2));
  EXPECT_THAT(of("Max"), ElementsAre(10));
  for (const char* op : {"Sum", "Mean", "Min", "Max"}) LastOp<graph::Identity>(ImportOneNode(8, op, {}, {}));
}

TEST(ConvertActivation, ShrinkIsBuiltOfComparisons) {
  const auto graph = ImportOneNode(9, "Shrink", {}, {{"lambd", 1.5F}, {"bias", 0.5F}});
  EXPECT_THAT(Computed(graph, RealTensor({5}, {-2, -1.5, 0, 1, 3})).reals, ElementsAre(-1.5, 0, 0, 0, 2.5));
}

TEST(ConvertHardmax, MarksTheFirstOfTheLargest) {
  const RefTensor x = RealTensor({2, 3}, {1, 5, 5, 2, 0, 1});
  EXPECT_THAT(Computed(ImportOneNode(13, "Hardmax", {}, {}), x).reals, ElementsAre(0, 1, 0, 1, 0, 0));
  EXPECT_THAT(Computed(ImportOneNode(13, "Hardmax", {}, {{"axis", int64_t{0}}}), x).reals,
              ElementsAre(0, 1, 1, 1, 0, 0));
  const RefTensor old = Computed(ImportOneNode(11, "Hardmax", {}, {{"axis", int64_t{0}}}), x);
  EXPECT_THAT(old.reals, ElementsAre(0, 1, 0, 0, 0, 0));
  EXPECT_EQ(old.shape, tensor::Shape({2, 3}));
}

}  // namespace
}  // namespace stillwave::onnx_import
