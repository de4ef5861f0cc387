// How a tensor's elements lie in memory. There are two ways only, decided by measurement (docs/decisions/): row-major
// as in ONNX, and channels last, in which oneDNN's fastest convolutions, poolings and batch normalisations run.
//
// oneDNN sees spatial tensors with at least two spatial axes: N×C×T is described as N×C×1×T, because batch
// normalisation of a 3-D tensor falls to reference code (oneDNN 2.6).
#pragma once

#include <cstddef>
#include <cstdint>

#include "oneapi/dnnl/dnnl.hpp"
#include "server/tensor/shape.h"

namespace stillwave::execution::onednn {

enum class Layout : uint8_t { kRowMajor, kChannelsLast };

// What activations and weights are kept in. bfloat16 is FP32 with 8 bits of mantissa: half the memory, and twice the
// products per instruction where the CPU has them. Sums, biases and the statistics and affine parameters of batch
// normalisation stay FP32.
enum class Element : uint8_t { kFp32, kBf16 };

// Bytes of one.
inline constexpr size_t SizeOf(Element element) { return element == Element::kBf16 ? 2 : 4; }

dnnl::memory::data_type ToDnnl(Element element);

// {N,C} -> {N,C,1,1}; {N,C,T} -> {N,C,1,T}; {N,C,H,W} and {N,C,D,H,W} stay. REQUIRES: rank 2 to 5.
dnnl::memory::dims ImageDims(const tensor::Shape& shape);

// ImageDims in that layout.
dnnl::memory::desc ImageDesc(const tensor::Shape& shape, Layout layout, Element element = Element::kFp32);

// Row-major, with these dimensions.
dnnl::memory::desc RowMajorDesc(const dnnl::memory::dims& dims, Element element = Element::kFp32);

// True when both layouts are the same bytes: one channel, or nothing but channels.
bool LayoutsCoincide(const tensor::Shape& shape);

}  // namespace stillwave::execution::onednn
