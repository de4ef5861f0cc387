// Weights in the layouts that primitives want, packed once and shared by all plans of a model.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "oneapi/dnnl/dnnl.hpp"
#include "server/tensor/tensor.h"

namespace stillwave::execution::onednn {

// Packed bytes, aligned; kept alive by the plans that use them.
struct PackedWeights {
  std::shared_ptr<const tensor::Tensor> bytes;
  const void* data() const { return bytes->data(); }
};

// Weights are known by their tensor's address. Once they are packed, what the file held can be let go (Release): plans
// for other shapes find the packed form, and another form is made from that one.
//
//   weights from the file ──Pack──► packed for brgemm ──► plans
//         │ Release                      │ Pack of the stand-in, for a primitive that wants another form
//         ▼                              ▼
//   empty stand-in                  packed otherwise
//
// Thread-safe.
class WeightCache {
 public:
  using Weights = std::shared_ptr<const tensor::Tensor>;

  // `weights` described by `from`, reordered to `to`; no copy when both are equal.
  absl::StatusOr<PackedWeights> Pack(const Weights& weights, const dnnl::memory::desc& from,
                                     const dnnl::memory::desc& to);

  // An empty FP32 tensor by which Pack and Elements know what was packed of `weights`; null when nothing was that holds
  // every bit of them. The shape is the caller's to remember.
  Weights Release(const Weights& weights);

  // `weights` with its elements, row-major: itself, or what a stand-in stands for, unpacked.
  absl::StatusOr<Weights> Elements(const Weights& weights);

  // Drops forms that no plan holds any more; of a stand-in one always stays, from which the others can be made.
  void DropUnused();

  // Of everything packed here.
  size_t packed_bytes() const;

  // Other weights made of some: transposed, scaled, transformed.
  using Derive = absl::FunctionRef<absl::StatusOr<tensor::Tensor>(const tensor::Tensor&)>;
  // As Pack of what `derive` makes of `weights`; called only when nobody asked for the same (`how`, `from`, `to`)
  // before.
  absl::StatusOr<PackedWeights> PackDerived(const std::shared_ptr<const tensor::Tensor>& weights, absl::string_view how,
                                            Derive derive, const dnnl::memory::desc& from,
                                            const dnnl::memory::desc& to);

 private:
  struct Entry {
    std::string how;  // empty: the weights themselves
    dnnl::memory::desc from;
    dnnl::memory::desc to;
    PackedWeights packed;
  };
  // Of one tensor; few: one or two.
  struct Entries {
    Weights source;  // keeps the address taken
    std::vector<Entry> forms;
    bool is_stand_in = false;
    tensor::Shape stands_in_for;  // its shape
  };

  // Whether the weights can be had back from it.
  static bool HoldsEveryBit(const Entry& form);

  // `derive` is null for the weights themselves.
  absl::StatusOr<PackedWeights> PackLocked(const Weights& weights, absl::string_view how, const Derive* derive,
                                           const dnnl::memory::desc& from, const dnnl::memory::desc& to)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Weights> ElementsLocked(const Weights& weights) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<const tensor::Tensor*, Entries> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::execution::onednn
