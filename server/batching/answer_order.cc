#include "server/batching/answer_order.h"

#include <optional>
#include <utility>

namespace stillwave::batching {

uint64_t AnswerOrder::Enter() { return entered_.fetch_add(1, std::memory_order_relaxed); }

void AnswerOrder::Leave(uint64_t ticket, int64_t samples, absl::AnyInvocable<void()> answer) {
  held_samples_.fetch_add(samples, std::memory_order_relaxed);
  mutex_.Lock();
  held_.emplace(ticket, Held{samples, std::move(answer)});
  if (!answering_) {
    answering_ = true;
    while (!held_.empty() && held_.begin()->first == due_) {
      std::optional<Held> held = std::move(held_.begin()->second);
      held_.erase(held_.begin());
      ++due_;
      mutex_.Unlock();
      held_samples_.fetch_sub(held->samples, std::memory_order_relaxed);
      std::move(held->answer)();
      held.reset();  // what the answer owns dies without the lock
      mutex_.Lock();
    }
    answering_ = false;
  }
  mutex_.Unlock();
}

}  // namespace stillwave::batching
