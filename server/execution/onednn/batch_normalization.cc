#include "server/execution/onednn/finish.h"
#include "server/execution/onednn/onednn_error.h"
#include "server/execution/onednn/primitives.h"
#include "server/execution/onednn/version.h"

namespace stillwave::execution::onednn {

// forward_inference on the stored statistics: use_global_stats makes mean and variance inputs.
absl::StatusOr<Primitive> MakeBatchNormalization(const graph::BatchNormalization& op, const tensor::Shape& shape,
                                                 Layout layout, Element element) {
  return CatchErrors("batch normalization", [&]() -> absl::StatusOr<Primitive> {
    using Flags = dnnl::normalization_flags;
    Flags flags = Flags::use_global_stats | Flags::use_scale | Flags::use_shift;
    if (op.fused_relu) flags = flags | Flags::fuse_norm_relu;
    // Statistics are per channel, so N×C×D×H×W is N×C×(D·H)×W: oneDNN 2.6 has no vectorised code for five axes.
    const tensor::Shape image =
        shape.rank() == 5 ? tensor::Shape({shape[0], shape[1], shape[2] * shape[3], shape[4]}) : shape;
    const Desc data = ImageDesc(image, layout, element);
    const auto desc = BatchNormalizationDesc(kInference, data, op.epsilon, flags, UserScratchpad());
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
