#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "server/execution/onednn/finish.h"
#include "server/execution/onednn/onednn_error.h"
#include "server/execution/onednn/primitives.h"
#include "server/execution/onednn/version.h"

namespace stillwave::execution::onednn {
namespace {

// Longer kernels of a series are laid along H.
constexpr int64_t kMaxUnrolledKernel = 32;

struct PoolDims {
  Dims kernel, strides, dilates, pads_begin, pads_end;
};

absl::StatusOr<Primitive> Make(dnnl::algorithm algorithm, const tensor::Shape& src, const tensor::Shape& dst,
                               const PoolDims& dims, Element element) {
  return CatchErrors("pooling", [&]() -> absl::StatusOr<Primitive> {
    const Desc from = ImageDesc(src, Layout::kChannelsLast, element);
    const Desc to = ImageDesc(dst, Layout::kChannelsLast, element);
    const auto desc = PoolingDesc(algorithm, from, to, dims.strides, dims.kernel, dims.dilates, dims.pads_begin,
                                  dims.pads_end, UserScratchpad());
    return Finish("pooling", desc, Pooling(desc), {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}});
  });
}

}  // namespace

absl::StatusOr<Primitive> MakePooling(const graph::Pool& op, const graph::ResolvedWindow& window,
                                      const tensor::Shape& src, const tensor::Shape& dst, Element element) {
  // Without padding both ways to count are one: what hangs over the end in ceil_mode is never counted.
  const auto is_padded = [](const std::vector<int64_t>& pads) {
    return std::any_of(pads.begin(), pads.end(), [](int64_t pad) { return pad > 0; });
  };
  const bool counts_padding = op.kind == graph::PoolKind::kAverage && op.count_include_pad &&
                              (is_padded(window.pads_begin) || is_padded(window.pads_end));
  PoolDims dims;
  // N×C×T is N×C×1×T; with a long kernel N×C×T×1, for the reason that MakeGlobalPooling gives.
  const bool is_series = src.rank() == 3;
  const bool stands = is_series && op.window.kernel[0] > kMaxUnrolledKernel;
  if (is_series && !stands) dims = {{1}, {1}, {0}, {0}, {0}};
  for (size_t i = 0; i < window.output.size(); ++i) {
    const int64_t extent = (op.window.kernel[i] - 1) * op.window.dilations[i] + 1;
    const int64_t reach = (window.output[i] - 1) * op.window.strides[i] + extent;
    // oneDNN wants the padding that the windows really read: less where the last stride falls short, more in ceil_mode.
    const int64_t pad_end = reach - src[static_cast<int>(i) + 2] - window.pads_begin[i];
    if (pad_end > window.pads_end[i] && counts_padding) {
      return absl::UnimplementedError(
          "AveragePool with both ceil_mode and count_include_pad, whose last window hangs over the padding");
    }
    dims.kernel.push_back(op.window.kernel[i]);
    dims.strides.push_back(op.window.strides[i]);
    dims.dilates.push_back(op.window.dilations[i] - 1);
    dims.pads_begin.push_back(window.pads_begin[i]);
    dims.pads_end.push_back(pad_end);
  }
  dnnl::algorithm algorithm = dnnl::algorithm::pooling_max;
  if (op.kind == graph::PoolKind::kAverage) {
    algorithm =
        counts_padding ? dnnl::algorithm::pooling_avg_include_padding : dnnl::algorithm::pooling_avg_exclude_padding;
  }
  if (!stands) return Make(algorithm, src, dst, dims, element);
  for (Dims* list : {&dims.kernel, &dims.strides}) list->push_back(1);
  for (Dims* list : {&dims.dilates, &dims.pads_begin, &dims.pads_end}) list->push_back(0);
  return Make(algorithm, {src[0], src[1], src[2], 1}, {dst[0], dst[1], dst[2], 1}, dims, element);
}

// All spatial axes as one, and that one as H: N×C×(D·H·W)×1. oneDNN loops over the kernel's height, but writes code for
// each step of its width: a width of T would make code and compile time grow with the length of the series.
absl::StatusOr<Primitive> MakeGlobalPooling(graph::PoolKind kind, const tensor::Shape& src, Element element) {
  int64_t length = 1;
  for (int axis = 2; axis < src.rank(); ++axis) length *= src[axis];
  const tensor::Shape column({src[0], src[1], length, 1});
  const tensor::Shape pooled({src[0], src[1], 1, 1});
  const auto algorithm =
      kind == graph::PoolKind::kMax ? dnnl::algorithm::pooling_max : dnnl::algorithm::pooling_avg_exclude_padding;
  return Make(algorithm, column, pooled, {{length, 1}, {1, 1}, {0, 0}, {0, 0}, {0, 0}}, element);
}

}  // namespace stillwave::execution::onednn
