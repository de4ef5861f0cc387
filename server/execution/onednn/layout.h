// How a tensor's elements lie in memory. There are two ways only, decided by measurement (docs/decisions/): row-major
// as in ONNX, and channels last, in which oneDNN's fastest convolutions, poolings and batch normalisations run.
//
// oneDNN sees spatial tensors with at least two spatial axes: N×C×T is described as N×C×1×T, because batch
// normalisation of a 3-D tensor falls to reference code (oneDNN 2.6).
#pragma once

#include <cstdint>

#include "oneapi/dnnl/dnnl.hpp"
#include "server/tensor/shape.h"

namespace stillwave::execution::onednn {

enum class Layout : uint8_t { kRowMajor, kChannelsLast };

// {N,C} -> {N,C,1,1}; {N,C,T} -> {N,C,1,T}; {N,C,H,W} and {N,C,D,H,W} stay. REQUIRES: rank 2 to 5.
dnnl::memory::dims ImageDims(const tensor::Shape& shape);

// FP32 of ImageDims in that layout.
dnnl::memory::desc ImageDesc(const tensor::Shape& shape, Layout layout);

// FP32, row-major, with these dimensions.
dnnl::memory::desc RowMajorDesc(const dnnl::memory::dims& dims);

// True when both layouts are the same bytes: one channel, or nothing but channels.
bool LayoutsCoincide(const tensor::Shape& shape);

}  // namespace stillwave::execution::onednn
