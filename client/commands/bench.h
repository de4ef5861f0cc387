// `stillwave bench`: how fast a server answers, and under how much load.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/bench/load_plan.h"
#include "client/exit_code.h"
#include "client/global_options.h"

namespace stillwave::client {

struct BenchOptions {
  std::string file;     // empty: random values
  std::string model;    // empty: the server's only one
  std::string version;  // empty: the newest that is ready
  // Steps, one after the other. Exactly one of the two has values; `rates` makes an open loop.
  std::vector<int64_t> concurrencies;
  std::vector<double> rates;
  bench::LoadOptions load;  // of every step; its concurrency and rate come from above
  int64_t batch = 1;        // samples in a request
  std::optional<int64_t> window;
  std::optional<int64_t> hop;
  std::vector<std::string> columns;
  bool stream = false;
  int64_t series = 16;          // open loop of a stream
  int64_t series_per_call = 1;  // of a stream
  int64_t message_windows = 1;  // of a stream's closed loop
  std::string server_stats;     // HOST:PORT of /metrics; empty: not read
};

// Prints a row for each step as it ends. Usage error for options that exclude each other. When a step ends without any
// OK answer the error is the server's most frequent one; kInterrupted when Ctrl-C ended it.
absl::StatusOr<ExitCode> RunBench(const GlobalOptions& global, const BenchOptions& options);

}  // namespace stillwave::client
