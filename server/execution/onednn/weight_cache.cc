#include "server/execution/onednn/weight_cache.h"

#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/execution/onednn/onednn_error.h"
#include "server/execution/onednn/primitive.h"

namespace stillwave::execution::onednn {
namespace {

absl::StatusOr<PackedWeights> Reorder(const tensor::Tensor& weights, const dnnl::memory::desc& from,
                                      const dnnl::memory::desc& to) {
  ASSIGN_OR_RETURN(tensor::Tensor bytes,
                   tensor::Tensor::Create(tensor::DataType::kUint8, {static_cast<int64_t>(to.get_size())}));
  return CatchErrors("weight reorder", [&]() -> absl::StatusOr<PackedWeights> {
    // oneDNN only reads the source; its memory object just has no const form.
    dnnl::memory source(from, CpuEngine(), const_cast<void*>(weights.data()));
    dnnl::memory target(to, CpuEngine(), bytes.mutable_data());
    dnnl::stream stream(CpuEngine());
    dnnl::reorder(source, target).execute(stream, source, target);
    stream.wait();
    return PackedWeights{std::make_shared<const tensor::Tensor>(std::move(bytes))};
  });
}

}  // namespace

absl::StatusOr<PackedWeights> WeightCache::Pack(const std::shared_ptr<const tensor::Tensor>& weights,
                                                const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  if (from == to) return PackedWeights{weights};
  const absl::MutexLock lock(&mutex_);
  for (const Entry& entry : entries_) {
    if (entry.source == weights && entry.from == from && entry.to == to) return entry.packed;
  }
  ASSIGN_OR_RETURN(PackedWeights packed, Reorder(*weights, from, to));
  entries_.push_back({weights, from, to, packed});
  return packed;
}

}  // namespace stillwave::execution::onednn
