// `stillwave stream`: a series in, one result for each window out, while it is sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/exit_code.h"
#include "client/global_options.h"
#include "client/raw_source.h"

namespace stillwave::client {

struct StreamOptions {
  std::string file;              // "-": standard input, sent as it comes
  std::optional<RawFormat> raw;  // of standard input; nothing: CSV lines
  std::string model;             // empty: the server's only one
  std::string version;           // empty: the newest that is ready
  int64_t window = 0;            // samples; 0: the model's own
  int64_t hop = 0;               // samples; 0: the window's length
  int64_t chunk = 0;             // samples a message; 0: chosen for the way of sending
  double rate_hz = 0;            // 0: a sound file's own, else unknown
  bool realtime = false;         // send at the rate, not as fast as the server takes it
  bool pad = false;              // fill the last, partial window with zeros instead of dropping it
  int64_t from = 0;              // sample
  std::optional<int64_t> to;     // sample, inclusive; default: the last one
  std::vector<std::string> columns;
  std::vector<std::string> labels;
  std::vector<std::string> outputs;
  bool softmax = false;
  bool only_changes = false;
  bool plot = false;
  std::string out;        // .csv, .jsonl or .npy; empty: none
  bool no_retry = false;  // a call that breaks ends it
};

// kInterrupted when Ctrl-C ended it: results of what was sent are still printed. kUnreachable when the call broke and
// the server was not there again within the timeout.
absl::StatusOr<ExitCode> RunStream(const GlobalOptions& global, const StreamOptions& options);

}  // namespace stillwave::client
