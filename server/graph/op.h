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

enum class PoolKind : uint8_t { kMax, kAverage };

// X {N,C,spatial…}.
struct Pool {
  PoolKind kind = PoolKind::kMax;
  Window window;
  bool ceil_mode = false;
  bool count_include_pad = false;  // kAverage only
};

// X {N,C,spatial…} -> {N,C,1…}.
struct GlobalPool {
  PoolKind kind = PoolKind::kAverage;
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
};

// Element by element.
struct Unary {
  UnaryKind kind = UnaryKind::kRelu;
  float alpha = 0;
};

enum class BinaryKind : uint8_t { kAdd, kSub, kMul, kDiv };

// A, B with numpy's broadcasting.
struct Binary {
  BinaryKind kind = BinaryKind::kAdd;
};

// Softmax or LogSoftmax. `flatten_to_2d` is the meaning before opset 13: over all axes from `axis` on.
struct Softmax {
  int64_t axis = -1;
  bool log = false;
  bool flatten_to_2d = false;
};

enum class ReduceKind : uint8_t { kMean, kSum, kMax };

// data, [axes int64 {K}]. Without axes, all axes (or none, when noop_with_empty_axes).
struct Reduce {
  ReduceKind kind = ReduceKind::kMean;
  bool keep_dims = true;
  bool noop_with_empty_axes = false;
};

struct Concat {
  int64_t axis = 0;
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

enum class PadMode : uint8_t { kConstant, kReflect, kEdge };

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

// Any tensor -> its dimensions from `start` to `end` (exclusive, negative counts from the end), int64.
struct ShapeOf {
  int64_t start = 0;
  int64_t end = INT64_MAX;
};

// shape int64 {K} -> a tensor of that shape filled with `value`, which has one element.
struct ConstantOfShape {
  std::shared_ptr<const tensor::Tensor> value;
};

// data, shape int64 {K}: numpy's two-way broadcasting.
struct Expand {};

struct Identity {};

// Inference mode only: output = input. ratio and training mode were checked by the importer.
struct Dropout {};

using Op = std::variant<Conv, BatchNormalization, Pool, GlobalPool, Gemm, MatMul, Unary, Binary, Softmax, Reduce,
                        Concat, Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Pad, Slice, Gather, Cast, ShapeOf,
                        ConstantOfShape, Expand, Identity, Dropout>;

// ONNX's name of the operator: "Conv", "GlobalAveragePool", "LogSoftmax", …
absl::string_view OpName(const Op& op);

// The attributes for people: "kernel=[3] pads=[1,1] relu"; empty when there is nothing to say.
std::string OpAttributes(const Op& op);

}  // namespace stillwave::graph
