#include "server/execution/onednn/finish.h"
#include "server/execution/onednn/onednn_error.h"
#include "server/execution/onednn/primitives.h"
#include "server/execution/onednn/version.h"

namespace stillwave::execution::onednn {

// forward_inference on the stored statistics: use_global_stats makes mean and variance inputs.
absl::StatusOr<Primitive> MakeBatchNormalization(const graph::BatchNormalization& op, const tensor::Shape& shape,
                                                 Layout layout) {
  return CatchErrors("batch normalization", [&]() -> absl::StatusOr<Primitive> {
    using Flags = dnnl::normalization_flags;
    Flags flags = Flags::use_global_stats | Flags::use_scale | Flags::use_shift;
    if (op.fused_relu) flags = flags | Flags::fuse_norm_relu;
    const Desc data = ImageDesc(shape, layout);
    const auto desc = BatchNormalizationDesc(data, op.epsilon, flags, UserScratchpad());
    const Desc per_channel = RowMajorDesc({shape[1]});
    return Finish("batch_normalization", desc, dnnl::batch_normalization_forward(desc),
                  {{DNNL_ARG_SRC, data},
                   {DNNL_ARG_MEAN, per_channel},
                   {DNNL_ARG_VARIANCE, per_channel},
                   {DNNL_ARG_SCALE, per_channel},
                   {DNNL_ARG_SHIFT, per_channel},
                   {DNNL_ARG_DST, data}});
  });
}

}  // namespace stillwave::execution::onednn
