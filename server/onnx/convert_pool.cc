// MaxPool, AveragePool, LpPool and their global forms.
#include <cmath>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/op_converters.h"
#include "server/onnx/window_reader.h"

namespace stillwave::onnx_import {
namespace {

using graph::PoolKind;

// A window that sees padding alone would have no maximum and no mean.
absl::Status CheckPadsInsideKernel(const graph::Window& window) {
  for (size_t axis = 0; axis < window.kernel.size(); ++axis) {
    for (const int64_t pad : {window.pads_begin[axis], window.pads_end[axis]}) {
      if (pad >= EffectiveKernel(window, axis)) {
        return absl::InvalidArgumentError(absl::StrCat("pads must be smaller than the kernel's ",
                                                       EffectiveKernel(window, axis), " along axis ", axis, "; was ",
                                                       pad));
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<graph::Pool> ReadPool(const ConvertContext& context, PoolKind kind) {
  graph::Pool pool;
  pool.kind = kind;
  if (!context.attributes().Has("kernel_shape")) return absl::InvalidArgumentError("kernel_shape is missing");
  ASSIGN_OR_RETURN(std::vector<int64_t> kernel, context.attributes().Ints("kernel_shape"));
  ASSIGN_OR_RETURN(pool.window, ReadWindow(context, std::move(kernel)));
  RETURN_IF_ERROR(CheckPadsInsideKernel(pool.window));
  ASSIGN_OR_RETURN(pool.ceil_mode, context.attributes().Bool("ceil_mode", false));
  ASSIGN_OR_RETURN(pool.count_include_pad, context.attributes().Bool("count_include_pad", false));
  return pool;
}

// p of the Lp pools: an integer since opset 2, before that a float.
absl::StatusOr<int64_t> ReadExponent(const ConvertContext& context) {
  constexpr int64_t kMaxExponent = 1024;
  int64_t p = 2;
  if (context.opset() >= 2) {
    ASSIGN_OR_RETURN(p, context.attributes().Int("p", p));
  } else {
    ASSIGN_OR_RETURN(const float value, context.attributes().Float("p", 2));
    if (value != std::floor(value) || std::abs(value) > static_cast<float>(kMaxExponent)) {
      return absl::UnimplementedError(absl::StrCat("p must be a whole number; was ", value));
    }
    p = static_cast<int64_t>(value);
  }
  if (p < 1 || p > kMaxExponent) {
    return absl::InvalidArgumentError(absl::StrCat("p must be from 1 to ", kMaxExponent, "; was ", p));
  }
  return p;
}

}  // namespace

absl::Status ConvertMaxPool(ConvertContext& context) {
  ASSIGN_OR_RETURN(const int64_t storage_order, context.attributes().Int("storage_order", 0));
  if (storage_order != 0 && storage_order != 1) {
    return absl::InvalidArgumentError(absl::StrCat("storage_order must be 0 or 1; was ", storage_order));
  }
  ASSIGN_OR_RETURN(graph::Pool pool, ReadPool(context, PoolKind::kMax));
  if (context.OutputUsed(1)) {
    RETURN_IF_ERROR(
        context.EmitOutput(1, graph::MaxPoolIndices{pool.window, pool.ceil_mode, storage_order}, {context.input(0)}));
  }
  return context.Emit(std::move(pool));
}

absl::Status ConvertAveragePool(ConvertContext& context) {
  ASSIGN_OR_RETURN(graph::Pool pool, ReadPool(context, PoolKind::kAverage));
  return context.Emit(std::move(pool));
}

absl::Status ConvertLpPool(ConvertContext& context) {
  ASSIGN_OR_RETURN(graph::Pool pool, ReadPool(context, PoolKind::kLp));
  ASSIGN_OR_RETURN(pool.p, ReadExponent(context));
  return context.Emit(std::move(pool));
}

absl::Status ConvertGlobalAveragePool(ConvertContext& context) {
  return context.Emit(graph::GlobalPool{PoolKind::kAverage});
}

absl::Status ConvertGlobalMaxPool(ConvertContext& context) { return context.Emit(graph::GlobalPool{PoolKind::kMax}); }

absl::Status ConvertGlobalLpPool(ConvertContext& context) {
  ASSIGN_OR_RETURN(const int64_t p, ReadExponent(context));
  return context.Emit(graph::GlobalPool{PoolKind::kLp, p});
}

}  // namespace stillwave::onnx_import
