// The arguments of `stillwave bench`.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "client/commands/bench.h"
#include "client/global_options.h"

namespace stillwave::client {

struct BenchText {
  std::string columns;
  std::string concurrency = "1";
  std::string rate;
  std::string arrivals = "poisson";
  double duration_seconds = 10;
  double warmup_seconds = 1;
  double deadline_millis = 0;
  std::optional<int64_t> calls;
};

// Both must outlive the parsing.
CLI::App* AddBench(CLI::App* app, BenchOptions* options, BenchText* text);

// What the library does not look at, after the parsing. Usage error naming option, rule and value.
absl::Status FinishBench(const CLI::App& command, const BenchText& text, const GlobalOptions& global,
                         BenchOptions* options);

}  // namespace stillwave::client
