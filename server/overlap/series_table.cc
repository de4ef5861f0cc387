#include "server/overlap/series_table.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"

namespace stillwave::overlap {

absl::StatusOr<int64_t> SeriesTable::Open(std::shared_ptr<const WindowReuse> reuse) {
  const int64_t bytes = TapeBytes(reuse->plan());
  {
    const absl::MutexLock lock(&mutex_);
    if (bytes > max_bytes_ - bytes_) {
      return absl::FailedPreconditionError(absl::StrCat("what is kept for all series must have at most ", max_bytes_,
                                                        " bytes; another ", bytes, " would be more"));
    }
    bytes_ += bytes;
  }
  absl::StatusOr<KeptWindow> kept = MakeKeptWindow(reuse->plan());
  const absl::MutexLock lock(&mutex_);
  if (!kept.ok()) {
    bytes_ -= bytes;
    return kept.status();
  }
  const int64_t number = ++last_number_;
  entries_.emplace(number, Entry{std::move(reuse), std::make_unique<KeptWindow>(*std::move(kept)), bytes});
  return number;
}

void SeriesTable::Close(int64_t number) {
  Entry gone;  // is freed without the lock
  const absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(number);
  if (found == entries_.end()) return;
  bytes_ -= found->second.bytes;
  gone = std::move(found->second);
  entries_.erase(found);
}

SeriesTable::Taken SeriesTable::Take(int64_t number) {
  const absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(number);
  if (found == entries_.end()) return {};
  return {found->second.reuse, std::move(found->second.kept)};
}

void SeriesTable::GiveBack(int64_t number, std::unique_ptr<KeptWindow> kept) {
  const absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(number);
  if (found != entries_.end()) found->second.kept = std::move(kept);
}

int64_t SeriesTable::bytes() const {
  const absl::MutexLock lock(&mutex_);
  return bytes_;
}

}  // namespace stillwave::overlap
