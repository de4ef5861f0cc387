// What one step of a benchmark does, and how far it is.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"
#include "client/bench/arrival_schedule.h"

namespace stillwave::client::bench {

// Nanoseconds of the monotonic clock: nobody sets it while it measures.
using Tick = int64_t;
inline constexpr Tick kNever = std::numeric_limits<Tick>::max();
Tick Now();

// Exactly one of concurrency and rate is above zero.
struct LoadOptions {
  int64_t concurrency = 0;  // closed loop: so many requests are always in flight
  double rate = 0;          // open loop: so many requests a second, whatever the server does
  Arrivals arrivals = Arrivals::kPoisson;
  uint64_t seed = 1;                                   // of the arrivals
  absl::Duration warmup = absl::Seconds(1);            // sent and not counted
  absl::Duration duration = absl::Seconds(10);         // of what is counted
  int64_t requests = 0;                                // above zero: so many are counted, however long it takes
  int64_t max_in_flight = 4096;                        // open loop: more wait at the client, and that counts as latency
  absl::Duration timeout = absl::Seconds(30);          // of a request
  absl::Duration deadline = absl::InfiniteDuration();  // an OK that took longer is late
  // Above zero, of streams: samples a second of each series, in messages of `chunk_samples`; `rate` is then what
  // follows from them.
  double sample_rate = 0;
  int64_t chunk_samples = 0;
  int threads = 1;
  int connections = 1;

  bool paced() const { return sample_rate > 0; }
  bool open_loop() const { return rate > 0 || paced(); }
};

// What becomes of a request that is about to be sent.
enum class Ticket {
  kWarmUp,    // send it, don't count it
  kMeasured,  // send it and count it
  kSurplus,   // send it with one that is wanted, and don't count it
  kOver,      // don't send it: the step is over
};

// The phases of one step: warm-up, measured time, over. Thread-safe.
class LoadPlan {
 public:
  LoadPlan(const LoadOptions& options, Tick start);

  // For a request that is sent or due at `tick`.
  Ticket Take(Tick tick);
  // Ends the step early: nothing more is sent, and who waits for answers gives them up.
  void Interrupt() { interrupted_ = true; }
  bool interrupted() const { return interrupted_; }

  Tick start() const { return start_; }
  Tick measure_from() const { return measure_from_; }
  Tick measure_until() const { return measure_until_; }  // kNever: when the requests are sent

 private:
  const Tick start_;
  const Tick measure_from_;
  const Tick measure_until_;
  std::atomic<int64_t> requests_left_;
  std::atomic<bool> interrupted_{false};
};

}  // namespace stillwave::client::bench
