// Wakes the observer's thread without ever making the one who rings wait.
#pragma once

#include <semaphore.h>

namespace stillwave::drift {

// Counts: as many Awaits return as there were Rings. A mutex would do too, but the thread that awaits has the lowest
// priority: if it were put aside while it held one, a worker that rings would stand still with it. Thread-safe.
class SampleBell {
 public:
  SampleBell() { sem_init(&semaphore_, /*pshared=*/0, /*value=*/0); }
  ~SampleBell() { sem_destroy(&semaphore_); }
  SampleBell(const SampleBell&) = delete;
  SampleBell& operator=(const SampleBell&) = delete;

  void Ring() { sem_post(&semaphore_); }
  void Await() {
    while (sem_wait(&semaphore_) != 0) {
      // A signal was handled meanwhile.
    }
  }

 private:
  sem_t semaphore_;
};

}  // namespace stillwave::drift
