#include "server/execution/onednn/batch_statistics.h"

#include <unordered_map>
#include <utility>

#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/execution/onednn/finish.h"
#include "server/execution/onednn/layout.h"
#include "server/execution/onednn/onednn_error.h"
#include "server/execution/onednn/version.h"

namespace stillwave::execution::onednn {

BatchStatistics::BatchStatistics(Primitive primitive)
    : primitive_(std::move(primitive)), scratchpad_(primitive_.scratchpad_bytes) {}

// forward_training without use_global_stats: mean and variance are outputs.
absl::StatusOr<BatchStatistics> BatchStatistics::Create(const tensor::Shape& shape, float epsilon) {
  SW_CHECK(shape.rank() >= 2 && shape.rank() <= 5);
  return CatchErrors("batch statistics", [&]() -> absl::StatusOr<BatchStatistics> {
    using Flags = dnnl::normalization_flags;
    const Desc data = ImageDesc(shape, Layout::kRowMajor);
    const auto desc =
        BatchNormalizationDesc(kTraining, data, epsilon, Flags::use_scale | Flags::use_shift, UserScratchpad());
    const Desc per_channel = RowMajorDesc({shape[1]});
    return BatchStatistics(Finish("batch_normalization", desc, dnnl::batch_normalization_forward(desc),
                                  {{DNNL_ARG_SRC, data},
                                   {DNNL_ARG_SCALE, per_channel},
                                   {DNNL_ARG_SHIFT, per_channel},
                                   {DNNL_ARG_MEAN, per_channel},
                                   {DNNL_ARG_VARIANCE, per_channel},
                                   {DNNL_ARG_DST, data}}));
  });
}

absl::Status BatchStatistics::Run(const float* src, const float* scale, const float* shift, float* mean,
                                  float* variance, float* dst) {
  return CatchErrors("batch statistics", [&]() -> absl::Status {
    // oneDNN's handles are not const; the primitive only reads its sources.
    const std::vector<void*> pointers = {
        const_cast<float*>(src), const_cast<float*>(scale), const_cast<float*>(shift), mean, variance, dst,
        scratchpad_.data()};
    std::unordered_map<int, dnnl::memory> arguments;
    for (size_t i = 0; i < primitive_.arguments.size(); ++i) {
      const Argument& argument = primitive_.arguments[i];
      arguments.emplace(argument.index, dnnl::memory(argument.desc, CpuEngine(), pointers[i]));
    }
    dnnl::stream stream(CpuEngine());
    primitive_.primitive.execute(stream, arguments);
    stream.wait();
    return absl::OkStatus();
  });
}

}  // namespace stillwave::execution::onednn
