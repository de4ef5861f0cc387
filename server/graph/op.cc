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
  }
  return "Reduce";
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

std::string ReluText(bool fused_relu) { return fused_relu ? " +relu" : ""; }

}  // namespace

absl::string_view OpName(const Op& op) {
  using Name = absl::string_view;
  return std::visit(
      Overloaded{
          [](const Conv&) -> Name { return "Conv"; },
          [](const BatchNormalization&) -> Name { return "BatchNormalization"; },
          [](const Pool& pool) -> Name { return pool.kind == PoolKind::kMax ? "MaxPool" : "AveragePool"; },
          [](const GlobalPool& pool) -> Name {
            return pool.kind == PoolKind::kMax ? "GlobalMaxPool" : "GlobalAveragePool";
          },
          [](const Gemm&) -> Name { return "Gemm"; },
          [](const MatMul&) -> Name { return "MatMul"; },
          [](const Unary& unary) -> Name { return UnaryName(unary.kind); },
          [](const Binary& binary) -> Name { return BinaryName(binary.kind); },
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
  return std::visit(Overloaded{
                        [](const Conv& conv) -> Text {
                          return absl::StrCat(WindowText(conv.window),
                                              conv.group == 1 ? "" : absl::StrCat(" group=", conv.group),
                                              ReluText(conv.fused_relu));
                        },
                        [](const BatchNormalization& norm) -> Text {
                          return absl::StrCat("epsilon=", norm.epsilon, ReluText(norm.fused_relu));
                        },
                        [](const Pool& pool) -> Text {
                          return absl::StrCat(WindowText(pool.window), pool.ceil_mode ? " ceil_mode" : "",
                                              pool.count_include_pad ? " count_include_pad" : "");
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
                        [](const Unary& unary) -> Text {
                          const bool has_alpha = unary.kind == UnaryKind::kLeakyRelu || unary.kind == UnaryKind::kElu;
                          return has_alpha ? absl::StrCat("alpha=", unary.alpha) : "";
                        },
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
