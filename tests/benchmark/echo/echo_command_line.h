// The echo server's arguments.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tests/benchmark/echo/echo_model.h"
#include "tests/benchmark/echo/echo_server.h"

namespace stillwave::benchmark {

struct EchoCommandLine {
  std::string help;  // not empty: print it and leave
  std::string model = "echo";
  EchoTensor input = {"input", {1, -1}};
  EchoTensor output = {"output", {1}};
  EchoOptions options;
};

// INVALID_ARGUMENT naming flag, rule and value.
absl::StatusOr<EchoCommandLine> ParseEchoCommandLine(absl::Span<const char* const> arguments);

}  // namespace stillwave::benchmark
