// The series whose windows are computed with what was kept of the window before.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/overlap/tape.h"
#include "server/overlap/window_reuse.h"

namespace stillwave::overlap {

// A window in a queue names its series by a number. Whoever computes it takes what is kept and gives it back: a window
// of the same series that is computed at the same time finds nothing, and is computed in full. Thread-safe.
class SeriesTable {
 public:
  // `max_bytes`: of all tapes together.
  explicit SeriesTable(int64_t max_bytes) : max_bytes_(max_bytes) {}

  // The new series' number. FAILED_PRECONDITION when there is no memory for its tapes.
  absl::StatusOr<int64_t> Open(std::shared_ptr<const WindowReuse> reuse);
  void Close(int64_t number);

  struct Taken {
    std::shared_ptr<const WindowReuse> reuse;  // null: the number is not open
    std::unique_ptr<KeptWindow> kept;          // null: another has it
  };
  Taken Take(int64_t number);
  // REQUIRES: taken by Take(number).
  void GiveBack(int64_t number, std::unique_ptr<KeptWindow> kept);

  int64_t bytes() const;

 private:
  struct Entry {
    std::shared_ptr<const WindowReuse> reuse;
    std::unique_ptr<KeptWindow> kept;
    int64_t bytes = 0;
  };

  const int64_t max_bytes_;
  mutable absl::Mutex mutex_;
  int64_t last_number_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<int64_t, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::overlap
