#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/base/status_macros.h"
#include "server/model/network_shapes.h"
#include "tests/benchmark/command_line.h"
#include "tests/benchmark/engine_measurement.h"
#include "tests/benchmark/engine_report.h"
#include "tests/benchmark/error_measurement.h"
#include "tests/benchmark/error_report.h"
#include "tests/benchmark/fma_peak.h"
#include "tests/benchmark/memory_bandwidth.h"
#include "tests/benchmark/rounds.h"
#include "tests/benchmark/sample_inputs.h"
#include "tests/benchmark/zoo.h"

namespace stillwave::benchmark {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongFlag = 2;

// At once: who reads may be waiting for it.
void PrintLine(absl::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void Progress(absl::string_view text) {
  std::fprintf(stderr, "stillwave-benchmark: %.*s\n", static_cast<int>(text.size()), text.data());
}

absl::Status Engine(const CommandLine& line) {
  const int64_t batch = line.batches[0];
  Progress(absl::StrCat("loading ", line.model));
  ASSIGN_OR_RETURN(const Subject subject,
                   LoadSubject(line.model, {line.batch_norm, line.precision, line.length, batch}));
  Progress(absl::StrCat("measuring for ", 1.6 * line.seconds, " s"));
  const MeasureOptions options = {line.seconds, /*layers=*/true, static_cast<uint64_t>(line.seed)};
  ASSIGN_OR_RETURN(const EngineMeasurement measurement, MeasureEngine(subject, line.model, batch, options));
  if (line.json) {
    PrintLine(OneLine(ToJson(measurement)));
  } else {
    std::fputs(ToText(measurement).c_str(), stdout);
  }
  return absl::OkStatus();
}

absl::Status Error(const CommandLine& line) {
  Progress(absl::StrCat("loading ", line.model));
  ASSIGN_OR_RETURN(const Subject subject,
                   LoadSubject(line.model, {line.batch_norm, line.precision, line.length, /*max_batch=*/32}));
  const auto random_shapes = model::WithBatch(subject.model->sample_shapes(), line.samples);
  ASSIGN_OR_RETURN(
      const std::vector<tensor::Tensor> inputs,
      line.inputs.empty() ? RandomInputs(random_shapes, static_cast<uint64_t>(line.seed)) : ReadInputs(line.inputs));
  ASSIGN_OR_RETURN(const std::vector<OutputError> errors, MeasureError(line.model, *subject.model, inputs, Progress));
  const int64_t samples = inputs[0].shape()[0];
  if (line.json) {
    PrintLine(OneLine({{"model", line.model}, {"samples", samples}, {"outputs", ToJson(errors)}}));
  } else {
    std::printf("%s, %lld samples\n%s", line.model.c_str(), static_cast<long long>(samples), ToText(errors).c_str());
  }
  return absl::OkStatus();
}

absl::Status Peak(const CommandLine& line) {
  Progress(absl::StrCat("measuring for ", line.seconds, " s"));
  const FmaPeak fma = MeasureFmaPeak(line.seconds / 2);
  const MemoryBandwidth memory = MeasureReadBandwidth(line.seconds / 2);
  if (line.json) {
    PrintLine(OneLine({{"instructions", fma.instructions},
                       {"fma_gflops_per_second", {{"best", fma.best}, {"median", fma.median}}},
                       {"read_gigabytes_per_second", {{"best", memory.best}, {"median", memory.median}}}}));
  } else {
    std::printf("FP32 multiply-adds (%s)  best %.1f, median %.1f GFLOP/s\nmemory reads  best %.1f, median %.1f GB/s\n",
                fma.instructions.c_str(), fma.best, fma.median, memory.best, memory.median);
  }
  return absl::OkStatus();
}

absl::Status Run(const CommandLine& line) {
  switch (line.command) {
    case CommandLine::Command::kPrint:
      std::fputs(line.text.c_str(), stdout);
      return absl::OkStatus();
    case CommandLine::Command::kEngine:
      return Engine(line);
    case CommandLine::Command::kError:
      return Error(line);
    case CommandLine::Command::kRounds:
      return RunRounds(line, std::cin, PrintLine);
    case CommandLine::Command::kZoo:
      return RunZoo(line, PrintLine, Progress);
    case CommandLine::Command::kPeak:
      return Peak(line);
  }
  return absl::OkStatus();
}

int Main(absl::Span<const char* const> arguments) {
  const absl::StatusOr<CommandLine> line = ParseCommandLine(arguments);
  if (!line.ok()) {
    std::fprintf(stderr, "stillwave-benchmark: %s\nRun stillwave-benchmark --help for commands and flags.\n",
                 std::string(line.status().message()).c_str());
    return kWrongFlag;
  }
  const absl::Status status = Run(*line);
  if (status.ok()) return 0;
  Progress(status.message());
  return kFailed;
}

}  // namespace
}  // namespace stillwave::benchmark

int main(int argc, char** argv) {
  return stillwave::benchmark::Main(absl::MakeConstSpan(argv + 1, static_cast<size_t>(argc > 0 ? argc - 1 : 0)));
}
