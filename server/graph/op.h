// The operators of the graph IR, one attribute struct each. The IR knows no opsets: a converter (server/onnx) turns
// every opset's spelling into the one form here. So attributes that became inputs in later opsets (axes, pads,
// starts, …) are always inputs here, and must be constants once a graph is specialised to concrete shapes.
//
// Names and meanings are ONNX's; each struct says only what its inputs are and where it differs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/tensor/tensor.h"

namespace stillwave::graph {

enum class AutoPad : uint8_t { kNotSet, kSameUpper, kSameLower, kValid };

// A sliding window over the spatial axes (T of N×C×T; H, W of N×C×H×W). All vectors have one entry per spatial
// axis; the importer fills in ONNX's defaults, so none is empty. pads_* are 0 unless auto_pad is kNotSet; the
// amounts of SAME_* depend on the input's length and are resolved by ResolvePads (shape_inference.h).
struct Window {
  std::vector<int64_t> kernel;
  std::vector<int64_t> strides;
  std::vector<int64_t> dilations;
  std::vector<int64_t> pads_begin;
  std::vector<int64_t> pads_end;
  AutoPad auto_pad = AutoPad::kNotSet;
};

// X {N,C,spatial…}, W {M,C/group,kernel…}, [B {M}] -> {N,M,spatial…}. `fused_relu` is set by a pass.
struct Conv {
  Window window;
  int64_t group = 1;
  bool fused_relu = false;
};

// X {N,C,…}, scale {C}, bias {C}, running mean {C}, running variance {C} -> as X. Inference form only:
// y = scale * (x - mean) / sqrt(variance + epsilon) + bias. `fused_relu` is set by a pass.
struct BatchNormalization {
  float epsilon = 1e-5F;
  bool fused_relu = false;
};

// X {N,C,spatial…}, W {C,M/group,kernel…}, [B {M}] -> {N,M,spatial…}: the transpose of a convolution. Its length along
// an axis is (input-1)*stride + output_padding + (kernel-1)*dilation + 1 - pads_begin - pads_end. Where `output_shape`
// is given, that is the length, and the pads are what is left over. `fused_relu` is set by a pass.
struct ConvTranspose {
  Window window;
  int64_t group = 1;
  std::vector<int64_t> output_padding;  // one entry per spatial axis
  std::vector<int64_t> output_shape;    // empty, or one entry per spatial axis
  bool fused_relu = false;
};

enum class PoolKind : uint8_t { kMax, kAverage, kLp };

// X {N,C,spatial…}.
struct Pool {
  PoolKind kind = PoolKind::kMax;
  Window window;
  bool ceil_mode = false;
  bool count_include_pad = false;  // kAverage only
  int64_t p = 2;                   // kLp only: the norm's exponent
};

// The second output of ONNX's MaxPool: for each maximum its index in the flattened X, int64. storage_order 1 counts the
// spatial axes column by column.
struct MaxPoolIndices {
  Window window;
  bool ceil_mode = false;
  int64_t storage_order = 0;
};

// X {N,C,spatial…} -> {N,C,1…}.
struct GlobalPool {
  PoolKind kind = PoolKind::kAverage;
  int64_t p = 2;           // kLp only
  bool of_blocks = false;  // the second of two steps that a pass made of one: not to be split again
};

// A {M,K} (or {K,M}), B {K,N} (or {N,K}), [C broadcastable to {M,N}] -> alpha*A*B + beta*C.
struct Gemm {
  float alpha = 1;
  float beta = 1;
  bool transpose_a = false;
  bool transpose_b = false;
};

// numpy.matmul.
struct MatMul {};

enum class UnaryKind : uint8_t {
  kRelu,
  kLeakyRelu,  // alpha
  kElu,        // alpha
  kSigmoid,
  kTanh,
  kAbs,
  kExp,
  kLog,
  kNeg,
  kSqrt,
  kSelu,             // alpha, beta (ONNX: gamma)
  kCelu,             // alpha
  kHardSigmoid,      // alpha, beta
  kHardSwish,        // x * max(0, min(1, x/6 + 1/2))
  kSoftplus,         // ln(1 + e^x)
  kSoftsign,         // x / (1 + |x|)
  kThresholdedRelu,  // alpha
  kErf,
  kGelu,      // x/2 * (1 + erf(x/sqrt 2))
  kGeluTanh,  // its approximation by tanh
  kMish,      // x * tanh(ln(1 + e^x))
  kSwish,     // alpha: x * sigmoid(alpha * x)
  kClip,      // alpha, beta: min(max(x, alpha), beta)
  kReciprocal,
  kSign,
  kFloor,
  kCeil,
  kRound,  // halves to even
  kSin,
  kCos,
  kTan,
  kAsin,
  kAcos,
  kAtan,
  kSinh,
  kCosh,
  kAsinh,
  kAcosh,
  kAtanh,
  kNot,    // BOOL -> BOOL
  kIsNan,  // FP32 -> BOOL
};

// Element by element.
struct Unary {
  UnaryKind kind = UnaryKind::kRelu;
  float alpha = 0;
  float beta = 0;
};

enum class BinaryKind : uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kPow,   // B may be of another type; the output has A's
  kMod,   // the sign of B, as Python's %
  kFmod,  // the sign of A, as C's fmod
  kMin,
  kMax,
  kPRelu,  // A where A >= 0, else A*B; B broadcasts to A
  // From here on the output is BOOL.
  kEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kAnd,
  kOr,
  kXor,
};

// A, B with numpy's broadcasting. `fused_relu` is set by a pass.
struct Binary {
  BinaryKind kind = BinaryKind::kAdd;
  bool fused_relu = false;
};

// condition BOOL, X, Y with numpy's broadcasting: X where true, else Y.
struct Where {};

// X {N,C,spatial…}, scale {C}, bias {C} -> as X: each sample's channel with its own mean and variance.
struct InstanceNormalization {
  float epsilon = 1e-5F;
};

// X, scale, [bias] -> as X: mean and variance over the axes from `axis` on; scale and bias broadcast to X.
struct LayerNormalization {
  int64_t axis = -1;
  float epsilon = 1e-5F;
};

// X {N,C,spatial…}, scale, bias -> as X: mean and variance over the channels of a group and all spatial axes. scale and
// bias are {C}, or {groups} with per_group_affine (opset 18 to 20).
struct GroupNormalization {
  int64_t groups = 1;
  float epsilon = 1e-5F;
  bool per_group_affine = false;
};

// X {N,C,spatial…}: x / (bias + alpha/size * sum of squares over `size` neighbouring channels)^beta.
struct Lrn {
  int64_t size = 1;
  float alpha = 1e-4F;
  float beta = 0.75F;
  float bias = 1;
};

// Softmax or LogSoftmax. `flatten_to_2d` is the meaning before opset 13: over all axes from `axis` on.
struct Softmax {
  int64_t axis = -1;
  bool log = false;
  bool flatten_to_2d = false;
};

enum class ReduceKind : uint8_t { kMean, kSum, kMax, kMin, kProd, kL1, kL2, kLogSum, kLogSumExp, kSumSquare };

// data, [axes int64 {K}]. Without axes, all axes (or none, when noop_with_empty_axes).
struct Reduce {
  ReduceKind kind = ReduceKind::kMean;
  bool keep_dims = true;
  bool noop_with_empty_axes = false;
  bool of_blocks = false;  // as GlobalPool's, where it is one
};

// ArgMax or ArgMin: the index of the extreme along `axis`, int64; of equal ones the first, or the last.
struct ArgReduce {
  bool max = true;
  int64_t axis = 0;
  bool keep_dims = true;
  bool select_last_index = false;
};

// data, axis (a scalar).
struct CumSum {
  bool exclusive = false;
  bool reverse = false;
};

struct Concat {
  int64_t axis = 0;
};

// data, [split int64 {parts}] -> one part of ONNX's Split, which becomes one node for each output. Without split the
// parts are equal, the last one smaller where they cannot be.
struct SplitPart {
  int64_t axis = 0;
  int64_t index = 0;
  int64_t parts = 1;
};

// data, repeats int64 {rank}.
struct Tile {};

// {N,C,H,W} -> {N,C/b²,H*b,W*b}. `column_row_depth`: ONNX's mode CRD, else DCR.
struct DepthToSpace {
  int64_t block = 1;
  bool column_row_depth = false;
};

// {N,C,H,W} -> {N,C*b²,H/b,W/b}.
struct SpaceToDepth {
  int64_t block = 1;
};

// {N,factor*C,T} -> {N,C,T*factor}: time step t*factor + p of channel c is channel p*C + c at step t. Not of ONNX: a
// pass makes it of a ConvTranspose. Channels last it moves nothing.
struct Interleave {
  int64_t factor = 1;
};

enum class ResizeMode : uint8_t { kNearest, kLinear, kCubic };
enum class CoordinateMode : uint8_t {
  kHalfPixel,
  kHalfPixelSymmetric,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric,
  kTfCropAndResize,
};
enum class NearestMode : uint8_t { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };
enum class AspectPolicy : uint8_t { kStretch, kNotLarger, kNotSmaller };

// X, [roi], [scales FP32 {K}], [sizes int64 {K}]; scales or sizes, for `axes` (all when empty). Upsample is one of
// these.
struct Resize {
  ResizeMode mode = ResizeMode::kNearest;
  CoordinateMode coordinates = CoordinateMode::kHalfPixel;
  NearestMode nearest = NearestMode::kRoundPreferFloor;
  AspectPolicy aspect = AspectPolicy::kStretch;
  bool antialias = false;
  bool exclude_outside = false;
  float cubic_coefficient = -0.75F;
  float extrapolation_value = 0;
  std::vector<int64_t> axes;
};

// data, shape int64 {K}.
struct Reshape {
  bool allow_zero = false;
};

struct Flatten {
  int64_t axis = 1;
};

// data, [axes int64 {K}].
struct Squeeze {};

// data, axes int64 {K}.
struct Unsqueeze {};

// Empty perm: axes reversed.
struct Transpose {
  std::vector<int64_t> perm;
};

enum class PadMode : uint8_t { kConstant, kReflect, kEdge, kWrap };

// data, pads int64 {2K}, [constant value, a scalar], [axes int64 {K}].
struct Pad {
  PadMode mode = PadMode::kConstant;
};

// data, starts {K}, ends {K}, [axes {K}], [steps {K}], int32 or int64.
struct Slice {};

// data, indices int32 or int64.
struct Gather {
  int64_t axis = 0;
};

struct Cast {
  tensor::DataType to = tensor::DataType::kFloat32;
};

// input, target_type (only its type counts).
struct CastLike {};

// Any tensor -> its dimensions from `start` to `end` (exclusive, negative counts from the end), int64.
struct ShapeOf {
  int64_t start = 0;
  int64_t end = INT64_MAX;
};

// Any tensor -> its number of elements, an int64 scalar.
struct SizeOf {};

// start, limit, delta (scalars) -> start, start+delta, … below limit.
struct Range {};

// shape int64 {K} -> a tensor of that shape filled with `value`, which has one element.
struct ConstantOfShape {
  std::shared_ptr<const tensor::Tensor> value;
};

// data, shape int64 {K}: numpy's two-way broadcasting.
struct Expand {};

struct Identity {};

// Inference mode only: output = input. ratio and training mode were checked by the importer.
struct Dropout {};

using Op = std::variant<Conv, ConvTranspose, BatchNormalization, Pool, MaxPoolIndices, GlobalPool, Gemm, MatMul, Unary,
                        Binary, Where, InstanceNormalization, LayerNormalization, GroupNormalization, Lrn, Softmax,
                        Reduce, ArgReduce, CumSum, Concat, SplitPart, Reshape, Flatten, Squeeze, Unsqueeze, Transpose,
                        Tile, DepthToSpace, SpaceToDepth, Interleave, Resize, Pad, Slice, Gather, Cast, CastLike,
                        ShapeOf, SizeOf, Range, ConstantOfShape, Expand, Identity, Dropout>;

// ONNX's name of the operator: "Conv", "GlobalAveragePool", "LogSoftmax", …
absl::string_view OpName(const Op& op);

// The attributes for people: "kernel=[3] pads=[1,1] relu"; empty when there is nothing to say.
std::string OpAttributes(const Op& op);

}  // namespace stillwave::graph
