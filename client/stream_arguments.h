// The arguments of `stillwave stream`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "absl/status/status.h"
#include "client/commands/stream.h"
#include "client/option_kinds.h"

namespace stillwave::client {

struct StreamText {
  ModelText model;
  std::string partial = "drop";
  std::string raw_format;
  RawFormat raw;
};

// Both must outlive the parsing.
CLI::App* AddStream(CLI::App* app, StreamOptions* options, StreamText* text);

// What the library does not look at, after the parsing. Usage error naming option, rule and value.
absl::Status FinishStream(const CLI::App& command, const StreamText& text, StreamOptions* options);

}  // namespace stillwave::client
