// What the user asked for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/model/load_options.h"

namespace stillwave::benchmark {

struct CommandLine {
  enum class Command : uint8_t { kPrint, kEngine, kError, kRounds, kZoo, kPeak };
  Command command = Command::kPrint;
  std::string text;  // kPrint: what to print

  std::string model;                   // kEngine, kError, kRounds: an ONNX file
  std::string models;                  // kZoo: a folder of folders with a model.onnx
  std::vector<std::string> inputs;     // kError: NumPy files, one for each input; none: random samples
  int64_t samples = 64;                // kError: random ones
  std::vector<int64_t> batches = {1};  // kZoo: several
  int64_t length = 0;                  // 0: the model's own, or one that is chosen
  model::BatchNormMode batch_norm = model::BatchNormMode::kPrimitive;
  model::Precision precision = model::Precision::kFp32;
  double seconds = 1;  // --min-time
  int64_t seed = 1;
  bool layers = false;  // kZoo: layers too
  bool json = false;    // kEngine, kError, kPeak
};

// INVALID_ARGUMENT, naming the flag, for anything wrong.
absl::StatusOr<CommandLine> ParseCommandLine(absl::Span<const char* const> arguments);

}  // namespace stillwave::benchmark
