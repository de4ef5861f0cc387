// Weights in the layouts that primitives want, packed once and shared by all plans of a model.
#pragma once

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "oneapi/dnnl/dnnl.hpp"
#include "server/tensor/tensor.h"

namespace stillwave::execution::onednn {

// Packed bytes, aligned; kept alive by the plans that use them.
struct PackedWeights {
  std::shared_ptr<const tensor::Tensor> bytes;
  const void* data() const { return bytes->data(); }
};

// Thread-safe.
class WeightCache {
 public:
  // `weights` described by `from`, reordered to `to`; no copy when both are equal.
  absl::StatusOr<PackedWeights> Pack(const std::shared_ptr<const tensor::Tensor>& weights,
                                     const dnnl::memory::desc& from, const dnnl::memory::desc& to);

 private:
  struct Entry {
    std::shared_ptr<const tensor::Tensor> source;
    dnnl::memory::desc from;
    dnnl::memory::desc to;
    PackedWeights packed;
  };

  absl::Mutex mutex_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // few: one or two per weight tensor
};

}  // namespace stillwave::execution::onednn
