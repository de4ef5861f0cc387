#include "server/graph/op.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace stillwave::graph {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

absl::string_view UnaryName(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::kRelu:
      return "Relu";
    case UnaryKind::kLeakyRelu:
      return "LeakyRelu";
    case UnaryKind::kElu:
      return "Elu";
    case UnaryKind::kSigmoid:
      return "Sigmoid";
    case UnaryKind::kTanh:
      return "Tanh";
    case UnaryKind::kAbs:
      return "Abs";
    case UnaryKind::kExp:
      return "Exp";
    case UnaryKind::kLog:
      return "Log";
    case UnaryKind::kNeg:
      return "Neg";
    case UnaryKind::kSqrt:
      return "Sqrt";
    case UnaryKind::kSelu:
      return "Selu";
    case UnaryKind::kCelu:
      return "Celu";
    case UnaryKind::kHardSigmoid:
      return "HardSigmoid";
    case UnaryKind::kHardSwish:
      return "HardSwish";
    case UnaryKind::kSoftplus:
      return "Softplus";
    case UnaryKind::kSoftsign:
      return "Softsign";
    case UnaryKind::kThresholdedRelu:
      return "ThresholdedRelu";
    case UnaryKind::kErf:
      return "Erf";
    case UnaryKind::kGelu:
      return "Gelu";
    case UnaryKind::kGeluTanh:
      return "Gelu";
    case UnaryKind::kMish:
      return "Mish";
    case UnaryKind::kSwish:
      return "Swish";
    case UnaryKind::kClip:
      return "Clip";
    case UnaryKind::kReciprocal:
      return "Reciprocal";
    case UnaryKind::kSign:
      return "Sign";
    case UnaryKind::kFloor:
      return "Floor";
    case UnaryKind::kCeil:
      return "Ceil";
    case UnaryKind::kRound:
      return "Round";
    case UnaryKind::kSin:
      return "Sin";
    case UnaryKind::kCos:
      return "Cos";
    case UnaryKind::kTan:
      return "Tan";
    case UnaryKind::kAsin:
      return "Asin";
    case UnaryKind::kAcos:
      return "Acos";
    case UnaryKind::kAtan:
      return "Atan";
    case UnaryKind::kSinh:
      return "Sinh";
    case UnaryKind::kCosh:
      return "Cosh";
    case UnaryKind::kAsinh:
      return "Asinh";
    case UnaryKind::kAcosh:
      return "Acosh";
    case UnaryKind::kAtanh:
      return "Atanh";
    case UnaryKind::kNot:
      return "Not";
    case UnaryKind::kIsNan:
      return "IsNaN";
  }
  return "Unary";
}

absl::string_view BinaryName(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::kAdd:
      return "Add";
    case BinaryKind::kSub:
      return "Sub";
    case BinaryKind::kMul:
      return "Mul";
    case BinaryKind::kDiv:
      return "Div";
    case BinaryKind::kPow:
      return "Pow";
    case BinaryKind::kMod:
      return "Mod";
    case BinaryKind::kMin:
      return "Min";
    case BinaryKind::kMax:
      return "Max";
    case BinaryKind::kEqual:
      return "Equal";
    case BinaryKind::kLess:
      return "Less";
    case BinaryKind::kLessOrEqual:
      return "LessOrEqual";
    case BinaryKind::kGreater:
      return "Greater";
    case BinaryKind::kGreaterOrEqual:
      return "GreaterOrEqual";
    case BinaryKind::kAnd:
      return "And";
    case BinaryKind::kOr:
      return "Or";
    case BinaryKind::kXor:
      return "Xor";
    case BinaryKind::kFmod:
      return "Mod";
    case BinaryKind::kPRelu:
      return "PRelu";
  }
  return "Binary";
}

absl::string_view ReduceName(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::kMean:
      return "ReduceMean";
    case ReduceKind::kSum:
      return "ReduceSum";
    case ReduceKind::kMax:
      return "ReduceMax";
    case ReduceKind::kMin:
      return "ReduceMin";
    case ReduceKind::kProd:
      return "ReduceProd";
    case ReduceKind::kL1:
      return "ReduceL1";
    case ReduceKind::kL2:
      return "ReduceL2";
    case ReduceKind::kLogSum:
      return "ReduceLogSum";
    case ReduceKind::kLogSumExp:
      return "ReduceLogSumExp";
    case ReduceKind::kSumSquare:
      return "ReduceSumSquare";
  }
  return "Reduce";
}

absl::string_view PoolName(PoolKind kind, bool global) {
  switch (kind) {
    case PoolKind::kMax:
      return global ? "GlobalMaxPool" : "MaxPool";
    case PoolKind::kAverage:
      return global ? "GlobalAveragePool" : "AveragePool";
    case PoolKind::kLp:
      return global ? "GlobalLpPool" : "LpPool";
  }
  return "Pool";
}

absl::string_view AutoPadName(AutoPad auto_pad) {
  switch (auto_pad) {
    case AutoPad::kNotSet:
      return "NOTSET";
    case AutoPad::kSameUpper:
      return "SAME_UPPER";
    case AutoPad::kSameLower:
      return "SAME_LOWER";
    case AutoPad::kValid:
      return "VALID";
  }
  return "NOTSET";
}

bool AllEqual(const std::vector<int64_t>& values, int64_t expected) {
  for (const int64_t value : values) {
    if (value != expected) return false;
  }
  return true;
}

std::string List(const std::vector<int64_t>& values) { return absl::StrCat("[", absl::StrJoin(values, ","), "]"); }

// Only what differs from the default is worth a reader's time.
std::string WindowText(const Window& window) {
  std::string text = absl::StrCat("kernel=", List(window.kernel));
  if (!AllEqual(window.strides, 1)) absl::StrAppend(&text, " strides=", List(window.strides));
  if (!AllEqual(window.dilations, 1)) absl::StrAppend(&text, " dilations=", List(window.dilations));
  if (window.auto_pad != AutoPad::kNotSet) {
    absl::StrAppend(&text, " auto_pad=", AutoPadName(window.auto_pad));
  } else if (!AllEqual(window.pads_begin, 0) || !AllEqual(window.pads_end, 0)) {
    absl::StrAppend(&text, " pads=", List(window.pads_begin), "..", List(window.pads_end));
  }
  return text;
}

std::string UnaryText(const Unary& unary) {
  switch (unary.kind) {
    case UnaryKind::kLeakyRelu:
    case UnaryKind::kElu:
    case UnaryKind::kCelu:
    case UnaryKind::kThresholdedRelu:
    case UnaryKind::kSwish:
      return absl::StrCat("alpha=", unary.alpha);
    case UnaryKind::kSelu:
    case UnaryKind::kHardSigmoid:
      return absl::StrCat("alpha=", unary.alpha, " beta=", unary.beta);
    case UnaryKind::kClip:
      return absl::StrCat(unary.alpha, "..", unary.beta);
    case UnaryKind::kGeluTanh:
      return "tanh";
    default:
      return "";
  }
}

std::string ReluText(bool fused_relu) { return fused_relu ? " +relu" : ""; }

}  // namespace

absl::string_view OpName(const Op& op) {
  using Name = absl::string_view;
  return std::visit(Overloaded{
                        [](const Conv&) -> Name { return "Conv"; },
                        [](const BatchNormalization&) -> Name { return "BatchNormalization"; },
                        [](const ConvTranspose&) -> Name { return "ConvTranspose"; },
                        [](const Pool& pool) -> Name { return PoolName(pool.kind, /*global=*/false); },
                        [](const MaxPoolIndices&) -> Name { return "MaxPool"; },
                        [](const GlobalPool& pool) -> Name { return PoolName(pool.kind, /*global=*/true); },
                        [](const Gemm&) -> Name { return "Gemm"; },
                        [](const MatMul&) -> Name { return "MatMul"; },
                        [](const Unary& unary) -> Name { return UnaryName(unary.kind); },
                        [](const Binary& binary) -> Name { return BinaryName(binary.kind); },
                        [](const ArgReduce& arg) -> Name { return arg.max ? "ArgMax" : "ArgMin"; },
                        [](const Where&) -> Name { return "Where"; },
                        [](const InstanceNormalization&) -> Name { return "InstanceNormalization"; },
                        [](const LayerNormalization&) -> Name { return "LayerNormalization"; },
                        [](const GroupNormalization&) -> Name { return "GroupNormalization"; },
                        [](const Lrn&) -> Name { return "LRN"; },
                        [](const CumSum&) -> Name { return "CumSum"; },
                        [](const SplitPart&) -> Name { return "Split"; },
                        [](const Tile&) -> Name { return "Tile"; },
                        [](const DepthToSpace&) -> Name { return "DepthToSpace"; },
                        [](const SpaceToDepth&) -> Name { return "SpaceToDepth"; },
                        [](const Interleave&) -> Name { return "Interleave"; },
                        [](const Resize&) -> Name { return "Resize"; },
                        [](const CastLike&) -> Name { return "CastLike"; },
                        [](const SizeOf&) -> Name { return "Size"; },
                        [](const Range&) -> Name { return "Range"; },
                        [](const Softmax& softmax) -> Name { return softmax.log ? "LogSoftmax" : "Softmax"; },
                        [](const Reduce& reduce) -> Name { return ReduceName(reduce.kind); },
                        [](const Concat&) -> Name { return "Concat"; },
                        [](const Reshape&) -> Name { return "Reshape"; },
                        [](const Flatten&) -> Name { return "Flatten"; },
                        [](const Squeeze&) -> Name { return "Squeeze"; },
                        [](const Unsqueeze&) -> Name { return "Unsqueeze"; },
                        [](const Transpose&) -> Name { return "Transpose"; },
                        [](const Pad&) -> Name { return "Pad"; },
                        [](const Slice&) -> Name { return "Slice"; },
                        [](const Gather&) -> Name { return "Gather"; },
                        [](const Cast&) -> Name { return "Cast"; },
                        [](const ShapeOf&) -> Name { return "Shape"; },
                        [](const ConstantOfShape&) -> Name { return "ConstantOfShape"; },
                        [](const Expand&) -> Name { return "Expand"; },
                        [](const Identity&) -> Name { return "Identity"; },
                        [](const Dropout&) -> Name { return "Dropout"; },
                    },
                    op);
}

std::string OpAttributes(const Op& op) {
  using Text = std::string;
  return std::visit(
      Overloaded{
          [](const Conv& conv) -> Text {
            return absl::StrCat(WindowText(conv.window), conv.group == 1 ? "" : absl::StrCat(" group=", conv.group),
                                ReluText(conv.fused_relu));
          },
          [](const BatchNormalization& norm) -> Text {
            return absl::StrCat("epsilon=", norm.epsilon, ReluText(norm.fused_relu));
          },
          [](const ConvTranspose& conv) -> Text {
            return absl::StrCat(WindowText(conv.window), conv.group == 1 ? "" : absl::StrCat(" group=", conv.group),
                                ReluText(conv.fused_relu));
          },
          [](const Pool& pool) -> Text {
            return absl::StrCat(WindowText(pool.window), pool.ceil_mode ? " ceil_mode" : "",
                                pool.count_include_pad ? " count_include_pad" : "",
                                pool.kind == PoolKind::kLp ? absl::StrCat(" p=", pool.p) : "");
          },
          [](const MaxPoolIndices& pool) -> Text {
            return absl::StrCat(WindowText(pool.window), pool.ceil_mode ? " ceil_mode" : "", " indices");
          },
          [](const LayerNormalization& norm) -> Text {
            return absl::StrCat("axis=", norm.axis, " epsilon=", norm.epsilon);
          },
          [](const InstanceNormalization& norm) -> Text { return absl::StrCat("epsilon=", norm.epsilon); },
          [](const GroupNormalization& norm) -> Text {
            return absl::StrCat("groups=", norm.groups, " epsilon=", norm.epsilon);
          },
          [](const Binary& binary) -> Text { return binary.fused_relu ? "+relu" : ""; },
          [](const Interleave& interleave) -> Text { return absl::StrCat("factor=", interleave.factor); },
          [](const ArgReduce& arg) -> Text { return absl::StrCat("axis=", arg.axis); },
          [](const SplitPart& split) -> Text {
            return absl::StrCat("axis=", split.axis, " part ", split.index, " of ", split.parts);
          },
          [](const Gemm& gemm) -> Text {
            Text text;
            if (gemm.alpha != 1) absl::StrAppend(&text, "alpha=", gemm.alpha, " ");
            if (gemm.beta != 1) absl::StrAppend(&text, "beta=", gemm.beta, " ");
            if (gemm.transpose_a) absl::StrAppend(&text, "transA ");
            if (gemm.transpose_b) absl::StrAppend(&text, "transB ");
            if (!text.empty()) text.pop_back();
            return text;
          },
          [](const Unary& unary) -> Text { return UnaryText(unary); },
          [](const Softmax& softmax) -> Text {
            return absl::StrCat("axis=", softmax.axis, softmax.flatten_to_2d ? " flattened" : "");
          },
          [](const Concat& concat) -> Text { return absl::StrCat("axis=", concat.axis); },
          [](const Flatten& flatten) -> Text { return absl::StrCat("axis=", flatten.axis); },
          [](const Transpose& transpose) -> Text { return absl::StrCat("perm=", List(transpose.perm)); },
          [](const Gather& gather) -> Text { return absl::StrCat("axis=", gather.axis); },
          [](const Cast& cast) -> Text { return absl::StrCat("to=", tensor::Name(cast.to)); },
          [](const auto&) -> Text { return ""; },
      },
      op);
}

}  // namespace stillwave::graph
