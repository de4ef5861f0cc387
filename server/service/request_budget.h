// Bounds the bytes of requests that the server holds: queues are bounded in samples, and a sample may be long.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"

namespace stillwave::service {

// Thread-safe; takes no lock.
class RequestBudget {
 public:
  // A share of the budget, given back at the end. Movable. The budget outlives it.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
    Share& operator=(Share&& other) noexcept {
      if (this != &other) {
        Release();
        budget_ = std::exchange(other.budget_, nullptr);
        bytes_ = other.bytes_;
      }
      return *this;
    }
    ~Share() { Release(); }

    void Release() {
      if (budget_ != nullptr) std::exchange(budget_, nullptr)->held_.fetch_sub(bytes_);
    }

   private:
    friend class RequestBudget;
    Share(RequestBudget* budget, int64_t bytes) : budget_(budget), bytes_(bytes) {}

    RequestBudget* budget_ = nullptr;
    int64_t bytes_ = 0;
  };

  // `max_bytes` is positive.
  explicit RequestBudget(int64_t max_bytes) : max_bytes_(max_bytes) {}
  RequestBudget(const RequestBudget&) = delete;
  RequestBudget& operator=(const RequestBudget&) = delete;

  // RESOURCE_EXHAUSTED when all that is held would be more than max_bytes. REQUIRES: bytes is not negative.
  absl::StatusOr<Share> Take(int64_t bytes);

  int64_t held_bytes() const { return held_.load(); }

 private:
  const int64_t max_bytes_;
  std::atomic<int64_t> held_{0};
};

}  // namespace stillwave::service
