#include "server/onnx/op_converters.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/onnx/limits.h"
#include "server/onnx/names.h"

namespace stillwave::onnx_import {
namespace {

using graph::BinaryKind;
using graph::ReduceKind;
using graph::UnaryKind;
using Names = absl::string_view[];

// Named after the first operator and opset that spells its attributes so.
constexpr Names kAlpha = {"alpha"};
constexpr Names kAlpha1 = {"alpha", "consumed_inputs"};
constexpr Names kAlphaBeta = {"alpha", "beta"};
constexpr Names kArg1 = {"axis", "keepdims"};
constexpr Names kArg12 = {"axis", "keepdims", "select_last_index"};
constexpr Names kAveragePool7 = {"auto_pad", "count_include_pad", "kernel_shape", "pads", "strides"};
constexpr Names kAveragePool10 = {"auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides"};
constexpr Names kAveragePool19 = {"auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape",
                                  "pads",     "strides"};
constexpr Names kAxes = {"axes"};
constexpr Names kAxesAndKeepdims = {"axes", "keepdims"};
constexpr Names kAxis = {"axis"};
constexpr Names kBatchNorm1 = {"consumed_inputs", "epsilon", "is_test", "momentum", "spatial"};
constexpr Names kBatchNorm6 = {"epsilon", "is_test", "momentum", "spatial"};
constexpr Names kBatchNorm7 = {"epsilon", "momentum", "spatial"};
constexpr Names kBatchNorm9 = {"epsilon", "momentum"};
constexpr Names kBatchNorm14 = {"epsilon", "momentum", "training_mode"};
constexpr Names kBinary1 = {"axis", "broadcast", "consumed_inputs"};
constexpr Names kBinary6 = {"axis", "broadcast"};
constexpr Names kBlockSize = {"blocksize"};
constexpr Names kCast = {"to"};
constexpr Names kCast19 = {"saturate", "to"};
constexpr Names kCast24 = {"round_mode", "saturate", "to"};
constexpr Names kCastLike19 = {"saturate"};
constexpr Names kCastLike24 = {"round_mode", "saturate"};
constexpr Names kClip1 = {"consumed_inputs", "max", "min"};
constexpr Names kClip6 = {"max", "min"};
constexpr Names kConstant = {"value"};
constexpr Names kConstant11 = {"sparse_value", "value"};
constexpr Names kConstant12 = {"sparse_value", "value",      "value_float",  "value_floats",
                               "value_int",    "value_ints", "value_string", "value_strings"};
constexpr Names kConsumedInputs = {"consumed_inputs"};
constexpr Names kConv = {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"};
constexpr Names kConvTranspose = {"auto_pad",       "dilations",    "group", "kernel_shape",
                                  "output_padding", "output_shape", "pads",  "strides"};
constexpr Names kCumSum = {"exclusive", "reverse"};
constexpr Names kDepthToSpace11 = {"blocksize", "mode"};
constexpr Names kDropout1 = {"consumed_inputs", "is_test", "ratio"};
constexpr Names kDropout6 = {"is_test", "ratio"};
constexpr Names kDropout7 = {"ratio"};
constexpr Names kDropout12 = {"seed"};
constexpr Names kEpsilon = {"epsilon"};
constexpr Names kGelu = {"approximate"};
constexpr Names kGemm = {"alpha", "beta", "transA", "transB"};
constexpr Names kGemm1 = {"alpha", "beta", "broadcast", "transA", "transB"};
constexpr Names kGroupNorm18 = {"epsilon", "num_groups"};
constexpr Names kGroupNorm21 = {"epsilon", "num_groups", "stash_type"};
constexpr Names kHardSigmoid1 = {"alpha", "beta", "consumed_inputs"};
constexpr Names kInstanceNorm1 = {"consumed_inputs", "epsilon"};
constexpr Names kKeepdims = {"keepdims", "noop_with_empty_axes"};
constexpr Names kLayerNorm = {"axis", "epsilon", "stash_type"};
constexpr Names kLpNorm = {"axis", "p"};
constexpr Names kLpPool1 = {"auto_pad", "kernel_shape", "p", "pads", "strides"};
constexpr Names kLpPool18 = {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "p", "pads", "strides"};
constexpr Names kLrn = {"alpha", "beta", "bias", "size"};
constexpr Names kMaxPool1 = {"auto_pad", "kernel_shape", "pads", "strides"};
constexpr Names kMaxPool8 = {"auto_pad", "kernel_shape", "pads", "storage_order", "strides"};
constexpr Names kMaxPool10 = {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"};
constexpr Names kMod = {"fmod"};
constexpr Names kMode = {"mode"};
constexpr Names kP = {"p"};
constexpr Names kPad1 = {"mode", "paddings", "value"};
constexpr Names kPad2 = {"mode", "pads", "value"};
constexpr Names kReshape1 = {"consumed_inputs", "shape"};
constexpr Names kReshape14 = {"allowzero"};
constexpr Names kResize11 = {"coordinate_transformation_mode",
                             "cubic_coeff_a",
                             "exclude_outside",
                             "extrapolation_value",
                             "mode",
                             "nearest_mode"};
constexpr Names kResize18 = {"antialias",
                             "axes",
                             "coordinate_transformation_mode",
                             "cubic_coeff_a",
                             "exclude_outside",
                             "extrapolation_value",
                             "keep_aspect_ratio_policy",
                             "mode",
                             "nearest_mode"};
constexpr Names kSelu = {"alpha", "gamma"};
constexpr Names kSelu1 = {"alpha", "consumed_inputs", "gamma"};
constexpr Names kShape15 = {"end", "start"};
constexpr Names kShrink = {"bias", "lambd"};
constexpr Names kSlice1 = {"axes", "ends", "starts"};
constexpr Names kSplit1 = {"axis", "split"};
constexpr Names kSplit18 = {"axis", "num_outputs"};
constexpr Names kTranspose = {"perm"};
constexpr Names kUpsample7 = {"mode", "scales"};

// {operator, first opset, last opset, inputs from, to, outputs up to, attributes, converter}
constexpr OpConverter kOpConverters[] = {
    {"Abs", 1, 5, 1, 1, 1, kConsumedInputs, ConvertAbs},
    {"Abs", 6, 25, 1, 1, 1, {}, ConvertAbs},
    {"Acos", 7, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kAcos>},
    {"Acosh", 9, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kAcosh>},
    {"Add", 1, 5, 2, 2, 1, kBinary1, ConvertLegacyAdd},
    {"Add", 6, 6, 2, 2, 1, kBinary6, ConvertLegacyAdd},
    {"Add", 7, 25, 2, 2, 1, {}, ConvertAdd},
    {"And", 7, 25, 2, 2, 1, {}, ConvertBinary<BinaryKind::kAnd>},
    {"ArgMax", 1, 11, 1, 1, 1, kArg1, ConvertArgMax},
    {"ArgMax", 12, 25, 1, 1, 1, kArg12, ConvertArgMax},
    {"ArgMin", 1, 11, 1, 1, 1, kArg1, ConvertArgMin},
    {"ArgMin", 12, 25, 1, 1, 1, kArg12, ConvertArgMin},
    {"Asin", 7, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kAsin>},
    {"Asinh", 9, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kAsinh>},
    {"Atan", 7, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kAtan>},
    {"Atanh", 9, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kAtanh>},
    {"AveragePool", 1, 6, 1, 1, 1, kMaxPool1, ConvertAveragePool},
    {"AveragePool", 7, 9, 1, 1, 1, kAveragePool7, ConvertAveragePool},
    {"AveragePool", 10, 18, 1, 1, 1, kAveragePool10, ConvertAveragePool},
    {"AveragePool", 19, 25, 1, 1, 1, kAveragePool19, ConvertAveragePool},
    {"BatchNormalization", 1, 5, 5, 5, 5, kBatchNorm1, ConvertBatchNormalization},
    {"BatchNormalization", 6, 6, 5, 5, 5, kBatchNorm6, ConvertBatchNormalization},
    {"BatchNormalization", 7, 8, 5, 5, 5, kBatchNorm7, ConvertBatchNormalization},
    {"BatchNormalization", 9, 13, 5, 5, 5, kBatchNorm9, ConvertBatchNormalization},
    {"BatchNormalization", 14, 25, 5, 5, 3, kBatchNorm14, ConvertBatchNormalization},
    {"Cast", 6, 18, 1, 1, 1, kCast, ConvertCast},
    {"Cast", 19, 23, 1, 1, 1, kCast19, ConvertCast},
    {"Cast", 24, 25, 1, 1, 1, kCast24, ConvertCast},
    {"CastLike", 15, 18, 2, 2, 1, {}, ConvertCastLike},
    {"CastLike", 19, 23, 2, 2, 1, kCastLike19, ConvertCastLike},
    {"CastLike", 24, 25, 2, 2, 1, kCastLike24, ConvertCastLike},
    {"Ceil", 1, 5, 1, 1, 1, kConsumedInputs, ConvertUnary<UnaryKind::kCeil>},
    {"Ceil", 6, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kCeil>},
    {"Celu", 12, 25, 1, 1, 1, kAlpha, ConvertCelu},
    {"Clip", 1, 5, 1, 1, 1, kClip1, ConvertClip6},
    {"Clip", 6, 10, 1, 1, 1, kClip6, ConvertClip6},
    {"Clip", 11, 25, 1, 3, 1, {}, ConvertClip11},
    {"Concat", 1, 25, 1, kMaxNodeInputs, 1, kAxis, ConvertConcat},
    {"Constant", 1, 10, 0, 0, 1, kConstant, ConvertConstant},
    {"Constant", 11, 11, 0, 0, 1, kConstant11, ConvertConstant},
    {"Constant", 12, 25, 0, 0, 1, kConstant12, ConvertConstant},
    {"ConstantOfShape", 9, 25, 1, 1, 1, kConstant, ConvertConstantOfShape},
    {"Conv", 1, 25, 2, 3, 1, kConv, ConvertConv},
    {"ConvTranspose", 1, 25, 2, 3, 1, kConvTranspose, ConvertConvTranspose},
    {"Cos", 7, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kCos>},
    {"Cosh", 9, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kCosh>},
    {"CumSum", 11, 25, 2, 2, 1, kCumSum, ConvertCumSum},
    {"DepthToSpace", 1, 10, 1, 1, 1, kBlockSize, ConvertDepthToSpace},
    {"DepthToSpace", 11, 25, 1, 1, 1, kDepthToSpace11, ConvertDepthToSpace},
    {"Div", 1, 5, 2, 2, 1, kBinary1, ConvertLegacyDiv},
    {"Div", 6, 6, 2, 2, 1, kBinary6, ConvertLegacyDiv},
    {"Div", 7, 25, 2, 2, 1, {}, ConvertDiv},
    {"Dropout", 1, 5, 1, 1, 2, kDropout1, ConvertDropout},
    {"Dropout", 6, 6, 1, 1, 2, kDropout6, ConvertDropout},
    {"Dropout", 7, 11, 1, 1, 2, kDropout7, ConvertDropout},
    {"Dropout", 12, 25, 1, 3, 2, kDropout12, ConvertDropout},
    {"Elu", 1, 5, 1, 1, 1, kAlpha1, ConvertElu},
    {"Elu", 6, 25, 1, 1, 1, kAlpha, ConvertElu},
    {"Equal", 7, 25, 2, 2, 1, {}, ConvertBinary<BinaryKind::kEqual>},
    {"Erf", 9, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kErf>},
    {"Exp", 1, 5, 1, 1, 1, kConsumedInputs, ConvertExp},
    {"Exp", 6, 25, 1, 1, 1, {}, ConvertExp},
    {"Expand", 8, 25, 2, 2, 1, {}, ConvertExpand},
    {"Flatten", 1, 25, 1, 1, 1, kAxis, ConvertFlatten},
    {"Floor", 1, 5, 1, 1, 1, kConsumedInputs, ConvertUnary<UnaryKind::kFloor>},
    {"Floor", 6, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kFloor>},
    {"Gather", 1, 25, 2, 2, 1, kAxis, ConvertGather},
    {"Gelu", 20, 25, 1, 1, 1, kGelu, ConvertGelu},
    {"Gemm", 1, 6, 3, 3, 1, kGemm1, ConvertGemm},
    {"Gemm", 7, 10, 3, 3, 1, kGemm, ConvertGemm},
    {"Gemm", 11, 25, 2, 3, 1, kGemm, ConvertGemm},
    {"GlobalAveragePool", 1, 25, 1, 1, 1, {}, ConvertGlobalAveragePool},
    {"GlobalLpPool", 1, 25, 1, 1, 1, kP, ConvertGlobalLpPool},
    {"GlobalMaxPool", 1, 25, 1, 1, 1, {}, ConvertGlobalMaxPool},
    {"Greater", 7, 25, 2, 2, 1, {}, ConvertBinary<BinaryKind::kGreater>},
    {"GreaterOrEqual", 12, 25, 2, 2, 1, {}, ConvertBinary<BinaryKind::kGreaterOrEqual>},
    {"GroupNormalization", 18, 20, 3, 3, 1, kGroupNorm18, ConvertGroupNormalization},
    {"GroupNormalization", 21, 25, 3, 3, 1, kGroupNorm21, ConvertGroupNormalization},
    {"HardSigmoid", 1, 5, 1, 1, 1, kHardSigmoid1, ConvertHardSigmoid},
    {"HardSigmoid", 6, 25, 1, 1, 1, kAlphaBeta, ConvertHardSigmoid},
    {"HardSwish", 14, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kHardSwish>},
    {"Hardmax", 1, 25, 1, 1, 1, kAxis, ConvertHardmax},
    {"Identity", 1, 25, 1, 1, 1, {}, ConvertIdentity},
    {"InstanceNormalization", 1, 5, 3, 3, 1, kInstanceNorm1, ConvertInstanceNormalization},
    {"InstanceNormalization", 6, 25, 3, 3, 1, kEpsilon, ConvertInstanceNormalization},
    {"IsNaN", 9, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kIsNan>},
    {"LRN", 1, 25, 1, 1, 1, kLrn, ConvertLrn},
    {"LayerNormalization", 17, 25, 2, 3, 3, kLayerNorm, ConvertLayerNormalization},
    {"LeakyRelu", 1, 5, 1, 1, 1, kAlpha1, ConvertLeakyRelu},
    {"LeakyRelu", 6, 25, 1, 1, 1, kAlpha, ConvertLeakyRelu},
    {"Less", 7, 25, 2, 2, 1, {}, ConvertBinary<BinaryKind::kLess>},
    {"LessOrEqual", 12, 25, 2, 2, 1, {}, ConvertBinary<BinaryKind::kLessOrEqual>},
    {"Log", 1, 5, 1, 1, 1, kConsumedInputs, ConvertLog},
    {"Log", 6, 25, 1, 1, 1, {}, ConvertLog},
    {"LogSoftmax", 1, 25, 1, 1, 1, kAxis, ConvertLogSoftmax},
    {"LpNormalization", 1, 25, 1, 1, 1, kLpNorm, ConvertLpNormalization},
    {"LpPool", 1, 17, 1, 1, 1, kLpPool1, ConvertLpPool},
    {"LpPool", 18, 25, 1, 1, 1, kLpPool18, ConvertLpPool},
    {"MatMul", 1, 25, 2, 2, 1, {}, ConvertMatMul},
    {"Max", 1, 5, 1, kMaxNodeInputs, 1, kConsumedInputs, ConvertMax},
    {"Max", 6, 25, 1, kMaxNodeInputs, 1, {}, ConvertMax},
    {"MaxPool", 1, 7, 1, 1, 1, kMaxPool1, ConvertMaxPool},
    {"MaxPool", 8, 9, 1, 1, 2, kMaxPool8, ConvertMaxPool},
    {"MaxPool", 10, 25, 1, 1, 2, kMaxPool10, ConvertMaxPool},
    {"Mean", 1, 5, 1, kMaxNodeInputs, 1, kConsumedInputs, ConvertMean},
    {"Mean", 6, 25, 1, kMaxNodeInputs, 1, {}, ConvertMean},
    {"MeanVarianceNormalization", 9, 25, 1, 1, 1, kAxes, ConvertMeanVarianceNormalization},
    {"Min", 1, 5, 1, kMaxNodeInputs, 1, kConsumedInputs, ConvertMin},
    {"Min", 6, 25, 1, kMaxNodeInputs, 1, {}, ConvertMin},
    {"Mish", 18, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kMish>},
    {"Mod", 10, 25, 2, 2, 1, kMod, ConvertMod},
    {"Mul", 1, 5, 2, 2, 1, kBinary1, ConvertLegacyMul},
    {"Mul", 6, 6, 2, 2, 1, kBinary6, ConvertLegacyMul},
    {"Mul", 7, 25, 2, 2, 1, {}, ConvertMul},
    {"Neg", 1, 5, 1, 1, 1, kConsumedInputs, ConvertNeg},
    {"Neg", 6, 25, 1, 1, 1, {}, ConvertNeg},
    {"Not", 1, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kNot>},
    {"Or", 7, 25, 2, 2, 1, {}, ConvertBinary<BinaryKind::kOr>},
    {"PRelu", 1, 5, 2, 2, 1, kConsumedInputs, ConvertLegacyPRelu},
    {"PRelu", 6, 6, 2, 2, 1, {}, ConvertLegacyPRelu},
    {"PRelu", 7, 25, 2, 2, 1, {}, ConvertPRelu},
    {"Pad", 1, 1, 1, 1, 1, kPad1, ConvertPad},
    {"Pad", 2, 10, 1, 1, 1, kPad2, ConvertPad},
    {"Pad", 11, 17, 2, 3, 1, kMode, ConvertPad},
    {"Pad", 18, 25, 2, 4, 1, kMode, ConvertPad},
    {"Pow", 1, 6, 2, 2, 1, kBinary6, ConvertLegacyPow},
    {"Pow", 7, 25, 2, 2, 1, {}, ConvertPow},
    {"Range", 11, 25, 3, 3, 1, {}, ConvertRange},
    {"Reciprocal", 1, 5, 1, 1, 1, kConsumedInputs, ConvertUnary<UnaryKind::kReciprocal>},
    {"Reciprocal", 6, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kReciprocal>},
    {"ReduceL1", 1, 17, 1, 1, 1, kAxesAndKeepdims, ConvertReduce<ReduceKind::kL1>},
    {"ReduceL1", 18, 25, 1, 2, 1, kKeepdims, ConvertReduce<ReduceKind::kL1>},
    {"ReduceL2", 1, 17, 1, 1, 1, kAxesAndKeepdims, ConvertReduce<ReduceKind::kL2>},
    {"ReduceL2", 18, 25, 1, 2, 1, kKeepdims, ConvertReduce<ReduceKind::kL2>},
    {"ReduceLogSum", 1, 17, 1, 1, 1, kAxesAndKeepdims, ConvertReduce<ReduceKind::kLogSum>},
    {"ReduceLogSum", 18, 25, 1, 2, 1, kKeepdims, ConvertReduce<ReduceKind::kLogSum>},
    {"ReduceLogSumExp", 1, 17, 1, 1, 1, kAxesAndKeepdims, ConvertReduce<ReduceKind::kLogSumExp>},
    {"ReduceLogSumExp", 18, 25, 1, 2, 1, kKeepdims, ConvertReduce<ReduceKind::kLogSumExp>},
    {"ReduceMax", 1, 17, 1, 1, 1, kAxesAndKeepdims, ConvertReduceMax},
    {"ReduceMax", 18, 25, 1, 2, 1, kKeepdims, ConvertReduceMax},
    {"ReduceMean", 1, 17, 1, 1, 1, kAxesAndKeepdims, ConvertReduceMean},
    {"ReduceMean", 18, 25, 1, 2, 1, kKeepdims, ConvertReduceMean},
    {"ReduceMin", 1, 17, 1, 1, 1, kAxesAndKeepdims, ConvertReduce<ReduceKind::kMin>},
    {"ReduceMin", 18, 25, 1, 2, 1, kKeepdims, ConvertReduce<ReduceKind::kMin>},
    {"ReduceProd", 1, 17, 1, 1, 1, kAxesAndKeepdims, ConvertReduce<ReduceKind::kProd>},
    {"ReduceProd", 18, 25, 1, 2, 1, kKeepdims, ConvertReduce<ReduceKind::kProd>},
    {"ReduceSum", 1, 12, 1, 1, 1, kAxesAndKeepdims, ConvertReduceSum},
    {"ReduceSum", 13, 25, 1, 2, 1, kKeepdims, ConvertReduceSum},
    {"ReduceSumSquare", 1, 17, 1, 1, 1, kAxesAndKeepdims, ConvertReduce<ReduceKind::kSumSquare>},
    {"ReduceSumSquare", 18, 25, 1, 2, 1, kKeepdims, ConvertReduce<ReduceKind::kSumSquare>},
    {"Relu", 1, 5, 1, 1, 1, kConsumedInputs, ConvertRelu},
    {"Relu", 6, 25, 1, 1, 1, {}, ConvertRelu},
    {"Reshape", 1, 4, 1, 1, 1, kReshape1, ConvertReshape},
    {"Reshape", 5, 13, 2, 2, 1, {}, ConvertReshape},
    {"Reshape", 14, 25, 2, 2, 1, kReshape14, ConvertReshape},
    {"Resize", 10, 10, 2, 2, 1, kMode, ConvertResize},
    {"Resize", 11, 17, 1, 4, 1, kResize11, ConvertResize},
    {"Resize", 18, 25, 1, 4, 1, kResize18, ConvertResize},
    {"Round", 11, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kRound>},
    {"Selu", 1, 5, 1, 1, 1, kSelu1, ConvertSelu},
    {"Selu", 6, 25, 1, 1, 1, kSelu, ConvertSelu},
    {"Shape", 1, 14, 1, 1, 1, {}, ConvertShape},
    {"Shape", 15, 25, 1, 1, 1, kShape15, ConvertShape},
    {"Shrink", 9, 25, 1, 1, 1, kShrink, ConvertShrink},
    {"Sigmoid", 1, 5, 1, 1, 1, kConsumedInputs, ConvertSigmoid},
    {"Sigmoid", 6, 25, 1, 1, 1, {}, ConvertSigmoid},
    {"Sign", 9, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kSign>},
    {"Sin", 7, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kSin>},
    {"Sinh", 9, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kSinh>},
    {"Size", 1, 25, 1, 1, 1, {}, ConvertSize},
    {"Slice", 1, 9, 1, 1, 1, kSlice1, ConvertSlice},
    {"Slice", 10, 25, 3, 5, 1, {}, ConvertSlice},
    {"Softmax", 1, 25, 1, 1, 1, kAxis, ConvertSoftmax},
    {"Softplus", 1, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kSoftplus>},
    {"Softsign", 1, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kSoftsign>},
    {"SpaceToDepth", 1, 25, 1, 1, 1, kBlockSize, ConvertSpaceToDepth},
    {"Split", 1, 1, 1, 2, kMaxNodeOutputs, kSplit1, ConvertSplit},
    {"Split", 2, 12, 1, 1, kMaxNodeOutputs, kSplit1, ConvertSplit},
    {"Split", 13, 17, 1, 2, kMaxNodeOutputs, kAxis, ConvertSplit},
    {"Split", 18, 25, 1, 2, kMaxNodeOutputs, kSplit18, ConvertSplit},
    {"Sqrt", 1, 5, 1, 1, 1, kConsumedInputs, ConvertSqrt},
    {"Sqrt", 6, 25, 1, 1, 1, {}, ConvertSqrt},
    {"Squeeze", 1, 12, 1, 1, 1, kAxes, ConvertSqueeze},
    {"Squeeze", 13, 25, 1, 2, 1, {}, ConvertSqueeze},
    {"Sub", 1, 5, 2, 2, 1, kBinary1, ConvertLegacySub},
    {"Sub", 6, 6, 2, 2, 1, kBinary6, ConvertLegacySub},
    {"Sub", 7, 25, 2, 2, 1, {}, ConvertSub},
    {"Sum", 1, 5, 1, kMaxNodeInputs, 1, kConsumedInputs, ConvertSum},
    {"Sum", 6, 25, 1, kMaxNodeInputs, 1, {}, ConvertSum},
    {"Swish", 24, 25, 1, 1, 1, kAlpha, ConvertSwish},
    {"Tan", 7, 25, 1, 1, 1, {}, ConvertUnary<UnaryKind::kTan>},
    {"Tanh", 1, 5, 1, 1, 1, kConsumedInputs, ConvertTanh},
    {"Tanh", 6, 25, 1, 1, 1, {}, ConvertTanh},
    {"ThresholdedRelu", 10, 25, 1, 1, 1, kAlpha, ConvertThresholdedRelu},
    {"Tile", 6, 25, 2, 2, 1, {}, ConvertTile},
    {"Transpose", 1, 25, 1, 1, 1, kTranspose, ConvertTranspose},
    {"Unsqueeze", 1, 12, 1, 1, 1, kAxes, ConvertUnsqueeze},
    {"Unsqueeze", 13, 25, 2, 2, 1, {}, ConvertUnsqueeze},
    {"Upsample", 7, 8, 1, 1, 1, kUpsample7, ConvertUpsample},
    {"Upsample", 9, 9, 2, 2, 1, kMode, ConvertUpsample},
    {"Where", 9, 25, 3, 3, 1, {}, ConvertPlain<graph::Where>},
    {"Xor", 7, 25, 2, 2, 1, {}, ConvertBinary<BinaryKind::kXor>},
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

namespace {

// Dropout written out, or noise: there in training only.
bool IsRandom(absl::string_view op_type) {
  return absl::StartsWith(op_type, "Random") || op_type == "Bernoulli" || op_type == "Multinomial";
}

}  // namespace

std::string DescribeUnknownOp(absl::string_view op_type, absl::string_view domain, int64_t opset) {
  std::vector<absl::string_view> names;
  int64_t first = 0;
  int64_t last = 0;
  for (const OpConverter& row : kOpConverters) {
    names.push_back(row.name);
    if (!domain.empty() || row.name != op_type) continue;
    if (first == 0) first = row.first_opset;
    last = row.last_opset;
  }
  if (first > 0) {
    return absl::StrCat("operator ", op_type, " is known from opset ", first,
                        last == kMaxOpset ? " on" : absl::StrCat(" to ", last), "; the model has opset ", opset);
  }
  if (domain.empty() && IsRandom(op_type)) {
    return absl::StrCat("operator ", op_type,
                        " is random, as Dropout is in training: call `model.eval()` before torch.onnx.export");
  }
  const std::vector<std::string> near = NearNames(op_type, names);
  return absl::StrCat("operator ", Quoted(op_type), " of ",
                      domain.empty() ? absl::StrCat("opset ", opset) : absl::StrCat("domain ", Quoted(domain)),
                      " is not supported",
                      near.empty() ? "" : absl::StrCat("; near ones that are: ", absl::StrJoin(near, ", ")));
}

}  // namespace stillwave::onnx_import
