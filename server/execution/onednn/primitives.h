// The oneDNN primitives that plans are made of, one family a .cc file. Each maker lists its arguments in the order of
// its comment; a scratchpad, where one is needed, comes last. Data and weights are FP32 where nothing else is asked
// for; biases and per-channel parameters always. UNIMPLEMENTED when oneDNN has no implementation for such shapes,
// elements and this CPU.
#pragma once

#include <type_traits>

#include "absl/status/statusor.h"
#include "server/execution/onednn/layout.h"
#include "server/execution/onednn/primitive.h"
#include "server/graph/op.h"
#include "server/graph/shape_inference.h"

namespace stillwave::execution::onednn {

// Whether oneDNN has it, and not as a fallback only. `Form` is a Primitive or has one as its member `primitive`.
template <typename Form>
bool HasVectorized(const absl::StatusOr<Form>& form) {
  if (!form.ok()) return false;
  if constexpr (std::is_same_v<Form, Primitive>) {
    return !IsFallback(*form);
  } else {
    return !IsFallback(form->primitive);
  }
}

// What goes into a layer (its data and its weights) and what comes out.
struct Elements {
  Element in = Element::kFp32;
  Element out = Element::kFp32;
};

// --- convolution.cc ---
// The row-major weights {M,C/group,kernel…} as oneDNN describes them: {[group],M/group,C/group,[1],kernel…}.
dnnl::memory::desc ConvolutionWeightsDesc(const tensor::Shape& weights, int64_t group);
// {M,C,[1],kernel…} with eight output channels side by side: {M/8,kernel…,C,8}, zeros where M ends. REQUIRES: one
// group, one or two spatial axes.
dnnl::memory::desc EightOutputsDesc(const tensor::Shape& weights);
// src, weights (in the layout that the implementation wants, see arguments[1]), [bias], dst; src and dst channels last.
absl::StatusOr<Primitive> MakeConvolution(const graph::Conv& op, const graph::ResolvedWindow& window,
                                          const tensor::Shape& src, const tensor::Shape& weights, bool has_bias,
                                          const tensor::Shape& dst, Elements elements = {});

// src {M,K}, weights (see arguments[1]), [bias {N}], dst {M,N}; row-major: a convolution of kernel 1 over M columns. A
// row's bits do not depend on M.
dnnl::memory::desc RowwiseProductWeightsDesc(int64_t n, int64_t k, bool stored_as_k_by_n);
absl::StatusOr<Primitive> MakeRowwiseProduct(int64_t m, int64_t k, int64_t n, bool has_bias, Elements elements = {});

// --- batch_normalization.cc ---
// src, mean, variance, scale, shift, dst; src and dst {N,C,…} in `layout`, may be the same memory.
absl::StatusOr<Primitive> MakeBatchNormalization(const graph::BatchNormalization& op, const tensor::Shape& shape,
                                                 Layout layout, Element element = Element::kFp32);

// --- pooling.cc ---
// src, dst; channels last. The last window may hang over the padded end (ceil_mode).
absl::StatusOr<Primitive> MakePooling(const graph::Pool& op, const graph::ResolvedWindow& window,
                                      const tensor::Shape& src, const tensor::Shape& dst,
                                      Element element = Element::kFp32);
absl::StatusOr<Primitive> MakeGlobalPooling(graph::PoolKind kind, const tensor::Shape& src,
                                            Element element = Element::kFp32);

// --- inner_product.cc ---
// src {M,K}, weights (packed from row-major {N,K} or its transpose, see arguments[1]), [bias {N}], dst {M,N};
// row-major.
dnnl::memory::desc InnerProductWeightsDesc(int64_t n, int64_t k, bool stored_as_k_by_n);
absl::StatusOr<Primitive> MakeInnerProduct(int64_t m, int64_t k, int64_t n, bool has_bias, Elements elements = {});

// --- matmul.cc ---
// src, weights, dst of one rank, described by the caller (strides make transposition); batch axes broadcast.
absl::StatusOr<Primitive> MakeMatMul(const dnnl::memory::desc& src, const dnnl::memory::desc& weights,
                                     const dnnl::memory::desc& dst);

// --- elementwise.cc ---
// Whether oneDNN computes it, exactly enough.
bool HasUnary(graph::UnaryKind kind);
bool HasBinary(graph::BinaryKind kind);
// src, dst of `count` elements; may be the same memory.
absl::StatusOr<Primitive> MakeUnary(const graph::Unary& op, int64_t count, Element element = Element::kFp32);
// a, b, dst of `count` elements; dst may be the memory of a.
absl::StatusOr<Primitive> MakeBinary(const graph::Binary& op, int64_t count, Element element = Element::kFp32);
// src, dst of {outer, length, inner} over the middle axis; row-major.
absl::StatusOr<Primitive> MakeSoftmax(int64_t outer, int64_t length, int64_t inner);

// --- reorder.cc ---
// src, dst: the same tensor in two layouts, or of two element types.
absl::StatusOr<Primitive> MakeReorder(const dnnl::memory::desc& src, const dnnl::memory::desc& dst);

}  // namespace stillwave::execution::onednn
