// `stillwave infer`: one request with windows of a file, or with the file's own batch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/exit_code.h"
#include "client/global_options.h"

namespace stillwave::client {

struct InferOptions {
  std::string file;
  std::string model;    // empty: the server's only one
  std::string version;  // empty: the newest that is ready
  std::optional<int64_t> window;
  std::optional<int64_t> hop;
  std::optional<int64_t> batch;
  std::optional<int64_t> start;      // sample; at most one of start and at
  std::optional<double> at_seconds;  // needs the rate
  double rate_hz = 0;                // 0: unknown
  std::vector<std::string> columns;
  std::vector<std::string> labels;
  std::vector<std::string> outputs;
  bool softmax = false;
};

absl::StatusOr<ExitCode> RunInfer(const GlobalOptions& global, const InferOptions& options);

}  // namespace stillwave::client
