#include "server/onnx/op_converters.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/onnx/limits.h"
#include "server/onnx/names.h"

namespace stillwave::onnx_import {
namespace {

using Names = absl::string_view[];

constexpr Names kAlpha = {"alpha"};
constexpr Names kAveragePool7 = {"auto_pad", "count_include_pad", "kernel_shape", "pads", "strides"};
constexpr Names kAveragePool10 = {"auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides"};
constexpr Names kAveragePool19 = {"auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape",
                                  "pads",     "strides"};
constexpr Names kAxes = {"axes"};
constexpr Names kAxesAndKeepdims = {"axes", "keepdims"};
constexpr Names kAxis = {"axis"};
constexpr Names kBatchNorm7 = {"epsilon", "momentum", "spatial"};
constexpr Names kBatchNorm9 = {"epsilon", "momentum"};
constexpr Names kBatchNorm14 = {"epsilon", "momentum", "training_mode"};
constexpr Names kCast = {"to"};
constexpr Names kCast19 = {"saturate", "to"};
constexpr Names kConstant = {"value"};
constexpr Names kConstant11 = {"sparse_value", "value"};
constexpr Names kConstant12 = {"sparse_value", "value",      "value_float",  "value_floats",
                               "value_int",    "value_ints", "value_string", "value_strings"};
constexpr Names kConv = {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"};
constexpr Names kDropout7 = {"ratio"};
constexpr Names kDropout12 = {"seed"};
constexpr Names kGemm = {"alpha", "beta", "transA", "transB"};
constexpr Names kKeepdims = {"keepdims", "noop_with_empty_axes"};
constexpr Names kMaxPool7 = {"auto_pad", "kernel_shape", "pads", "strides"};
constexpr Names kMaxPool8 = {"auto_pad", "kernel_shape", "pads", "storage_order", "strides"};
constexpr Names kMaxPool10 = {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"};
constexpr Names kPad7 = {"mode", "pads", "value"};
constexpr Names kPad11 = {"mode"};
constexpr Names kReshape14 = {"allowzero"};
constexpr Names kShape15 = {"end", "start"};
constexpr Names kSlice7 = {"axes", "ends", "starts"};
constexpr Names kTranspose = {"perm"};

// {operator, first opset, last opset, inputs from, to, outputs up to, attributes, converter}
constexpr OpConverter kOpConverters[] = {
    {"Abs", 7, 22, 1, 1, 1, {}, ConvertAbs},
    {"Add", 7, 22, 2, 2, 1, {}, ConvertAdd},
    {"AveragePool", 7, 9, 1, 1, 1, kAveragePool7, ConvertAveragePool},
    {"AveragePool", 10, 18, 1, 1, 1, kAveragePool10, ConvertAveragePool},
    {"AveragePool", 19, 22, 1, 1, 1, kAveragePool19, ConvertAveragePool},
    {"BatchNormalization", 7, 8, 5, 5, 5, kBatchNorm7, ConvertBatchNormalization},
    {"BatchNormalization", 9, 13, 5, 5, 5, kBatchNorm9, ConvertBatchNormalization},
    {"BatchNormalization", 14, 22, 5, 5, 3, kBatchNorm14, ConvertBatchNormalization},
    {"Cast", 7, 18, 1, 1, 1, kCast, ConvertCast},
    {"Cast", 19, 22, 1, 1, 1, kCast19, ConvertCast},
    {"Concat", 7, 22, 1, kMaxNodeInputs, 1, kAxis, ConvertConcat},
    {"Constant", 7, 10, 0, 0, 1, kConstant, ConvertConstant},
    {"Constant", 11, 11, 0, 0, 1, kConstant11, ConvertConstant},
    {"Constant", 12, 22, 0, 0, 1, kConstant12, ConvertConstant},
    {"ConstantOfShape", 9, 22, 1, 1, 1, kConstant, ConvertConstantOfShape},
    {"Conv", 7, 22, 2, 3, 1, kConv, ConvertConv},
    {"Div", 7, 22, 2, 2, 1, {}, ConvertDiv},
    {"Dropout", 7, 11, 1, 1, 2, kDropout7, ConvertDropout},
    {"Dropout", 12, 22, 1, 3, 2, kDropout12, ConvertDropout},
    {"Elu", 7, 22, 1, 1, 1, kAlpha, ConvertElu},
    {"Exp", 7, 22, 1, 1, 1, {}, ConvertExp},
    {"Expand", 8, 22, 2, 2, 1, {}, ConvertExpand},
    {"Flatten", 7, 22, 1, 1, 1, kAxis, ConvertFlatten},
    {"Gather", 7, 22, 2, 2, 1, kAxis, ConvertGather},
    {"Gemm", 7, 10, 3, 3, 1, kGemm, ConvertGemm},
    {"Gemm", 11, 22, 2, 3, 1, kGemm, ConvertGemm},
    {"GlobalAveragePool", 7, 22, 1, 1, 1, {}, ConvertGlobalAveragePool},
    {"GlobalMaxPool", 7, 22, 1, 1, 1, {}, ConvertGlobalMaxPool},
    {"Identity", 7, 22, 1, 1, 1, {}, ConvertIdentity},
    {"LeakyRelu", 7, 22, 1, 1, 1, kAlpha, ConvertLeakyRelu},
    {"Log", 7, 22, 1, 1, 1, {}, ConvertLog},
    {"LogSoftmax", 7, 22, 1, 1, 1, kAxis, ConvertLogSoftmax},
    {"MatMul", 7, 22, 2, 2, 1, {}, ConvertMatMul},
    {"MaxPool", 7, 7, 1, 1, 1, kMaxPool7, ConvertMaxPool},
    {"MaxPool", 8, 9, 1, 1, 2, kMaxPool8, ConvertMaxPool},
    {"MaxPool", 10, 22, 1, 1, 2, kMaxPool10, ConvertMaxPool},
    {"Mul", 7, 22, 2, 2, 1, {}, ConvertMul},
    {"Neg", 7, 22, 1, 1, 1, {}, ConvertNeg},
    {"Pad", 7, 10, 1, 1, 1, kPad7, ConvertPad},
    {"Pad", 11, 17, 2, 3, 1, kPad11, ConvertPad},
    {"Pad", 18, 22, 2, 4, 1, kPad11, ConvertPad},
    {"ReduceMax", 7, 17, 1, 1, 1, kAxesAndKeepdims, ConvertReduceMax},
    {"ReduceMax", 18, 22, 1, 2, 1, kKeepdims, ConvertReduceMax},
    {"ReduceMean", 7, 17, 1, 1, 1, kAxesAndKeepdims, ConvertReduceMean},
    {"ReduceMean", 18, 22, 1, 2, 1, kKeepdims, ConvertReduceMean},
    {"ReduceSum", 7, 12, 1, 1, 1, kAxesAndKeepdims, ConvertReduceSum},
    {"ReduceSum", 13, 22, 1, 2, 1, kKeepdims, ConvertReduceSum},
    {"Relu", 7, 22, 1, 1, 1, {}, ConvertRelu},
    {"Reshape", 7, 13, 2, 2, 1, {}, ConvertReshape},
    {"Reshape", 14, 22, 2, 2, 1, kReshape14, ConvertReshape},
    {"Shape", 7, 14, 1, 1, 1, {}, ConvertShape},
    {"Shape", 15, 22, 1, 1, 1, kShape15, ConvertShape},
    {"Sigmoid", 7, 22, 1, 1, 1, {}, ConvertSigmoid},
    {"Slice", 7, 9, 1, 1, 1, kSlice7, ConvertSlice},
    {"Slice", 10, 22, 3, 5, 1, {}, ConvertSlice},
    {"Softmax", 7, 22, 1, 1, 1, kAxis, ConvertSoftmax},
    {"Sqrt", 7, 22, 1, 1, 1, {}, ConvertSqrt},
    {"Squeeze", 7, 12, 1, 1, 1, kAxes, ConvertSqueeze},
    {"Squeeze", 13, 22, 1, 2, 1, {}, ConvertSqueeze},
    {"Sub", 7, 22, 2, 2, 1, {}, ConvertSub},
    {"Tanh", 7, 22, 1, 1, 1, {}, ConvertTanh},
    {"Transpose", 7, 22, 1, 1, 1, kTranspose, ConvertTranspose},
    {"Unsqueeze", 7, 12, 1, 1, 1, kAxes, ConvertUnsqueeze},
    {"Unsqueeze", 13, 22, 2, 2, 1, {}, ConvertUnsqueeze},
};

}  // namespace

absl::Span<const OpConverter> OpConverters() { return kOpConverters; }

const OpConverter* FindOpConverter(absl::string_view op_type, int64_t opset) {
  const auto* row =
      std::lower_bound(std::begin(kOpConverters), std::end(kOpConverters), op_type,
                       [](const OpConverter& entry, absl::string_view name) { return entry.name < name; });
  for (; row != std::end(kOpConverters) && row->name == op_type; ++row) {
    if (opset >= row->first_opset && opset <= row->last_opset) return row;
  }
  return nullptr;
}

std::string DescribeUnknownOp(absl::string_view op_type, absl::string_view domain, int64_t opset) {
  std::vector<absl::string_view> names;
  for (const OpConverter& row : kOpConverters) {
    if (domain.empty() && row.name == op_type) {
      return absl::StrCat("operator ", op_type, " is known from opset ", row.first_opset, " on; the model has opset ",
                          opset);
    }
    names.push_back(row.name);
  }
  const std::vector<std::string> near = NearNames(op_type, names);
  return absl::StrCat("operator ", Quoted(op_type), " of ",
                      domain.empty() ? absl::StrCat("opset ", opset) : absl::StrCat("domain ", Quoted(domain)),
                      " is not supported",
                      near.empty() ? "" : absl::StrCat("; near ones that are: ", absl::StrJoin(near, ", ")));
}

}  // namespace stillwave::onnx_import
