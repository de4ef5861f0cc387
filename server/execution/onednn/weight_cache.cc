#include "server/execution/onednn/weight_cache.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/execution/onednn/onednn_error.h"
#include "server/execution/onednn/primitive.h"
#include "server/execution/onednn/version.h"

namespace stillwave::execution::onednn {
namespace {

// `target` has the bytes that `to` needs.
absl::Status Reorder(const tensor::Tensor& source, const Desc& from, const Desc& to, tensor::Tensor& target) {
  return CatchErrors("weight reorder", [&]() -> absl::Status {
    // oneDNN only reads the source; its memory object just has no const form.
    dnnl::memory source_memory(from, CpuEngine(), const_cast<void*>(source.data()));
    dnnl::memory target_memory(to, CpuEngine(), target.mutable_data());
    dnnl::stream stream(CpuEngine());
    dnnl::reorder(source_memory, target_memory).execute(stream, source_memory, target_memory);
    stream.wait();
    return absl::OkStatus();
  });
}

}  // namespace

absl::StatusOr<WeightCache::Weights> WeightCache::ElementsLocked(const Weights& weights) {
  const auto found = entries_.find(weights.get());
  if (found == entries_.end() || !found->second.is_stand_in) return weights;
  for (const Entry& form : found->second.forms) {
    if (!HoldsEveryBit(form)) continue;
    ASSIGN_OR_RETURN(tensor::Tensor elements,
                     tensor::Tensor::Create(tensor::DataType::kFloat32, found->second.stands_in_for));
    SW_CHECK(form.from.get_size() == elements.byte_size());
    RETURN_IF_ERROR(Reorder(*form.packed.bytes, form.to, form.from, elements));
    return std::make_shared<const tensor::Tensor>(std::move(elements));
  }
  SW_CHECK(false);
}

absl::StatusOr<WeightCache::Weights> WeightCache::Elements(const Weights& weights) {
  const absl::MutexLock lock(&mutex_);
  return ElementsLocked(weights);
}

bool WeightCache::HoldsEveryBit(const Entry& form) { return form.how.empty() && TypeOf(form.to) == TypeOf(form.from); }

absl::StatusOr<PackedWeights> WeightCache::Pack(const Weights& weights, const Desc& from, const Desc& to) {
  const absl::MutexLock lock(&mutex_);
  return PackLocked(weights, "", nullptr, from, to);
}

absl::StatusOr<PackedWeights> WeightCache::PackDerived(const Weights& weights, absl::string_view how, Derive derive,
                                                       const Desc& from, const Desc& to) {
  SW_CHECK(!how.empty());
  const absl::MutexLock lock(&mutex_);
  return PackLocked(weights, how, &derive, from, to);
}

absl::StatusOr<PackedWeights> WeightCache::PackLocked(const Weights& weights, absl::string_view how,
                                                      const Derive* derive, const Desc& from, const Desc& to) {
  if (const auto found = entries_.find(weights.get()); found != entries_.end()) {
    for (const Entry& form : found->second.forms) {
      if (form.how == how && form.from == from && form.to == to) return form.packed;
    }
  }
  ASSIGN_OR_RETURN(Weights elements, ElementsLocked(weights));
  if (derive != nullptr) {
    ASSIGN_OR_RETURN(tensor::Tensor derived, (*derive)(*elements));
    elements = std::make_shared<const tensor::Tensor>(std::move(derived));
  } else if (from == to && elements == weights) {
    return PackedWeights{weights};
  }
  PackedWeights packed{elements};
  if (from != to) {
    ASSIGN_OR_RETURN(tensor::Tensor bytes,
                     tensor::Tensor::Create(tensor::DataType::kUint8, {static_cast<int64_t>(to.get_size())}));
    RETURN_IF_ERROR(Reorder(*elements, from, to, bytes));
    packed.bytes = std::make_shared<const tensor::Tensor>(std::move(bytes));
  }
  Entries& entries = entries_[weights.get()];
  entries.source = weights;
  entries.forms.push_back({std::string(how), from, to, packed});
  return packed;
}

WeightCache::Weights WeightCache::Release(const Weights& weights) {
  const absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(weights.get());
  if (found == entries_.end() || found->second.is_stand_in || weights->data_type() != tensor::DataType::kFloat32) {
    return nullptr;
  }
  const std::vector<Entry>& forms = found->second.forms;
  if (std::none_of(forms.begin(), forms.end(), HoldsEveryBit)) return nullptr;
  const auto stand_in = std::make_shared<const tensor::Tensor>();
  Entries kept{stand_in, forms, /*is_stand_in=*/true, weights->shape()};
  entries_.erase(found);
  entries_.emplace(stand_in.get(), std::move(kept));
  return stand_in;
}

void WeightCache::DropUnused() {
  const absl::MutexLock lock(&mutex_);
  for (auto it = entries_.begin(); it != entries_.end();) {
    Entries& entries = it->second;
    // Plans hold the bytes too; what they take anew, they take under the lock.
    const auto is_used = [](const Entry& form) { return form.packed.bytes.use_count() > 1; };
    const bool one_more =
        entries.is_stand_in && std::none_of(entries.forms.begin(), entries.forms.end(),
                                            [&](const Entry& form) { return is_used(form) && HoldsEveryBit(form); });
    const auto kept =
        one_more ? std::find_if(entries.forms.begin(), entries.forms.end(), HoldsEveryBit) : entries.forms.end();
    const tensor::Tensor* const source = kept == entries.forms.end() ? nullptr : kept->packed.bytes.get();
    std::erase_if(entries.forms,
                  [&](const Entry& form) { return !is_used(form) && form.packed.bytes.get() != source; });
    const auto next = std::next(it);
    if (entries.forms.empty()) entries_.erase(it);
    it = next;
  }
}

size_t WeightCache::packed_bytes() const {
  const absl::MutexLock lock(&mutex_);
  size_t bytes = 0;
  for (const auto& [source, entries] : entries_) {
    for (const Entry& form : entries.forms) bytes += form.packed.bytes->byte_size();
  }
  return bytes;
}

}  // namespace stillwave::execution::onednn
