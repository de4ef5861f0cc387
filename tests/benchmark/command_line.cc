#include "tests/benchmark/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"

namespace stillwave::benchmark {
namespace {

using Command = CommandLine::Command;

constexpr char kProgramHelp[] = "Measures Stillwave's engine on one core, without a server.";
constexpr char kProgramFooter[] = R"(Examples:
  stillwave-benchmark peak                                    what the core can do at most
  stillwave-benchmark engine --model model.onnx --batch 8     one model, and where its time goes
  stillwave-benchmark engine --model model.onnx --length 1024 --batchnorm folded --json
  stillwave-benchmark error --model model.onnx --input windows.npy
  stillwave-benchmark zoo --models DIR --batch 1,8,32 > results.jsonl
  scripts/bench engine                                        next to ONNX Runtime, as docs/benchmarks.md

Times of CPU are what the work costs, and hold on a machine that others use too; wall times do not. Measure the
release build (cmake --preset release).

Exit status: 0 done, 1 the model was refused or a run failed, 2 a wrong flag.)";
constexpr char kEngineHelp[] =
    "One model: time, GFLOP/s and allocations of an inference, the time of each layer, and of loading and compiling";
constexpr char kErrorHelp[] =
    "One model: how far its outputs are from those computed in double, on your own samples or on random ones";
constexpr char kRoundsHelp[] =
    "One model, measured on demand: reads lines \"BATCH SECONDS\" and answers each with a line of JSON";
constexpr char kZooHelp[] = "Every DIR/*/model.onnx at the length of its cases.json: a line of JSON for each batch";
constexpr char kPeakHelp[] = "The FP32 multiply-adds and the memory reads that one core does per second at most";

constexpr int64_t kLargestBatch = 1024;
constexpr int64_t kLargestLength = int64_t{1} << 24;
constexpr int64_t kMostSamples = 1 << 20;
constexpr double kLongestSeconds = 600;

// Names that a flag takes, and what each means.
struct Texts {
  std::string batch_norm = "primitive";
  std::string precision = "fp32";
};

void AddNetworkFlags(CLI::App& command, CommandLine& line, Texts& texts) {
  command
      .add_option("--batchnorm", texts.batch_norm,
                  "How BatchNormalization runs: primitive (a layer of its own, the default) or folded (into the "
                  "convolution before it)")
      ->type_name("NAME");
  command
      .add_option("--precision", texts.precision,
                  "Of weights and activations: fp32 (the default) or bf16 (needs a CPU with avx512_bf16 or AMX)")
      ->type_name("NAME");
  command.add_option("--seed", line.seed, "Of the random inputs; default 1")->type_name("N");
}

void AddModelFlags(CLI::App& command, CommandLine& line) {
  command.add_option("--model", line.model, "The ONNX file")->type_name("FILE")->required();
  command
      .add_option("--length", line.length,
                  "Time steps, where the model leaves them open; default: a length that the model takes")
      ->type_name("N");
}

void AddTimeFlag(CLI::App& command, CommandLine& line) {
  command.add_option("--min-time", line.seconds, "Seconds to measure for; default 1")->type_name("S");
}

CLI::App* AddEngine(CLI::App& app, CommandLine& line, Texts& texts) {
  CLI::App* const command = app.add_subcommand("engine", kEngineHelp);
  AddModelFlags(*command, line);
  command->add_option("--batch", line.batches, "Samples per inference; default 1")->type_name("N")->expected(1);
  AddNetworkFlags(*command, line, texts);
  AddTimeFlag(*command, line);
  command->add_flag("--json", line.json, "One JSON object instead of text");
  return command;
}

CLI::App* AddError(CLI::App& app, CommandLine& line, Texts& texts) {
  CLI::App* const command = app.add_subcommand("error", kErrorHelp);
  AddModelFlags(*command, line);
  command
      ->add_option("--input", line.inputs,
                   "Samples as a NumPy array of the model's own rank, {N,C,T}; once for each input of the model")
      ->type_name("FILE.npy");
  command->add_option("--samples", line.samples, "Random samples, where no --input is given; default 64")
      ->type_name("N");
  AddNetworkFlags(*command, line, texts);
  command->add_flag("--json", line.json, "One JSON object instead of text");
  return command;
}

CLI::App* AddRounds(CLI::App& app, CommandLine& line, Texts& texts) {
  CLI::App* const command = app.add_subcommand("rounds", kRoundsHelp);
  AddModelFlags(*command, line);
  AddNetworkFlags(*command, line, texts);
  return command;
}

CLI::App* AddZoo(CLI::App& app, CommandLine& line, Texts& texts) {
  CLI::App* const command = app.add_subcommand("zoo", kZooHelp);
  command->add_option("--models", line.models, "The folder of models")->type_name("DIR")->required();
  command->add_option("--batch", line.batches, "Samples per inference, separated by commas; default 1")
      ->type_name("N,…")
      ->delimiter(',');
  command->add_flag("--layers", line.layers, "With the time of each layer");
  AddNetworkFlags(*command, line, texts);
  AddTimeFlag(*command, line);
  return command;
}

CLI::App* AddPeak(CLI::App& app, CommandLine& line) {
  CLI::App* const command = app.add_subcommand("peak", kPeakHelp);
  AddTimeFlag(*command, line);
  command->add_flag("--json", line.json, "One JSON object instead of text");
  return command;
}

template <typename Number>
absl::Status CheckRange(const char* flag, Number value, Number least, Number most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(flag, " must be between ", least, " and ", most, "; was ", value));
}

absl::Status Validate(const Texts& texts, CommandLine& line) {
  for (const int64_t batch : line.batches) RETURN_IF_ERROR(CheckRange<int64_t>("--batch", batch, 1, kLargestBatch));
  RETURN_IF_ERROR(CheckRange<int64_t>("--length", line.length, 0, kLargestLength));
  RETURN_IF_ERROR(CheckRange<int64_t>("--samples", line.samples, 1, kMostSamples));
  RETURN_IF_ERROR(CheckRange<double>("--min-time", line.seconds, 0, kLongestSeconds));
  if (texts.batch_norm == "folded") {
    line.batch_norm = model::BatchNormMode::kFolded;
  } else if (texts.batch_norm != "primitive") {
    return absl::InvalidArgumentError(
        absl::StrCat("--batchnorm must be one of primitive, folded; was \"", texts.batch_norm, "\""));
  }
  if (texts.precision == "bf16") {
    line.precision = model::Precision::kBf16;
  } else if (texts.precision != "fp32") {
    return absl::InvalidArgumentError(
        absl::StrCat("--precision must be one of fp32, bf16; was \"", texts.precision, "\""));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(absl::Span<const char* const> arguments) {
  CommandLine line;
  Texts texts;
  CLI::App app(kProgramHelp, "stillwave-benchmark");
  app.footer(kProgramFooter);
  app.get_formatter()->column_width(26);
  app.set_help_flag("-h,--help", "Print this text and leave");
  app.require_subcommand(1);
  const std::pair<CLI::App*, Command> commands[] = {{AddEngine(app, line, texts), Command::kEngine},
                                                    {AddError(app, line, texts), Command::kError},
                                                    {AddRounds(app, line, texts), Command::kRounds},
                                                    {AddZoo(app, line, texts), Command::kZoo},
                                                    {AddPeak(app, line), Command::kPeak}};
  // CLI11 would only say that a command is missing.
  if (!arguments.empty() && arguments[0][0] != '-' &&
      std::none_of(std::begin(commands), std::end(commands),
                   [&](const auto& known) { return known.first->get_name() == arguments[0]; })) {
    return absl::InvalidArgumentError(
        absl::StrCat("the command must be one of engine, error, rounds, zoo, peak; was \"", arguments[0], "\""));
  }
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // the order that CLI11 wants
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    line.text = app.help();
    for (const auto& [command, kind] : commands) {
      if (command->parsed()) line.text = command->help();
    }
    return line;
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  for (const auto& [command, kind] : commands) {
    if (command->parsed()) line.command = kind;
  }
  RETURN_IF_ERROR(Validate(texts, line));
  return line;
}

}  // namespace stillwave::benchmark
