// What a benchmark tells: its set-up, and a row for each step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/bench/load_plan.h"
#include "client/bench/load_result.h"
#include "client/bench/server_stats.h"
#include "client/table.h"

namespace stillwave::client::bench {

struct BenchSetup {
  std::string server;
  std::string model;
  std::string version;  // empty: the server chose
  std::string input;    // "ecg [8,1,128], 16 random requests (seed 1)"
  bool stream = false;
  int64_t batch = 1;
  int64_t series = 0;  // of a stream's open loop
  int64_t series_per_call = 1;
  int64_t message_windows = 1;
};

// Of the server's process, resident.
struct ServerMemory {
  double before_bytes = 0;  // before the series were opened
  double open_bytes = 0;    // near the end of the measured time, with all of them open
};

struct BenchStep {
  LoadOptions options;
  int64_t series = 0;  // of a stream
  LoadResult result;
  std::optional<ServerStats> server;
  std::optional<ServerMemory> memory;
  double sent_bytes_per_answer = 0;
  bool interrupted = false;
};

// "random windows of ecg-beats at 127.0.0.1:8001: …": one or two lines that say what is measured.
std::string SetupText(const BenchSetup& setup, const LoadOptions& options);

// Rows as the steps end. Not thread-safe.
class BenchTable {
 public:
  BenchTable(bool open_loop, bool stream, bool server_stats);

  std::string HeaderLine() const { return layout_.HeaderLine(); }
  std::string Line(const BenchStep& step);

 private:
  const bool open_loop_;
  const bool server_stats_;
  TableLayout layout_;
};

// Under a step's row: each code with its count, its latencies and the first message; what was not sent; how late this
// client was when that is a good part of what it measured. Empty when there is nothing to say.
std::string NotesText(const BenchStep& step);

// "3 of 7  8 in flight  [####----------------]  20 %  12345 answers  3021/s  2 errors".
std::string StepProgressText(const LoadOptions& options, size_t step, size_t steps, absl::Duration elapsed, int64_t ok,
                             int64_t errors);

}  // namespace stillwave::client::bench
