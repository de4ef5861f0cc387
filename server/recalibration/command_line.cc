#include "server/recalibration/command_line.h"

#include <CLI/CLI.hpp>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace stillwave::recalibration {
namespace {

constexpr char kProgram[] = "stillwave-recalibrate";
constexpr int64_t kMaxBatch = 65536;

constexpr char kDescription[] =
    "Finds the running statistics of a network's BatchNormalization layers anew, on samples of what it meets now, and\n"
    "writes an ONNX file that differs in those statistics alone. Weights stay, nothing is trained, no labels are "
    "needed.\n"
    "\n"
    "Each layer normalizes by each batch's own mean and variance while the batches run, and its running statistics "
    "are\n"
    "updated as PyTorch does under train(), with Dropout off. The server never does this: its statistics do not "
    "change.";

constexpr char kFooter[] =
    "Data: NumPy files of samples as the model takes them, [N,C,T] for a series of C channels; [C,T] is one sample, "
    "and\n"
    "[B,N,C,T] holds B batches as they are. Take some hundred samples or more, in random order, that are like what "
    "the\n"
    "model will meet.\n"
    "\n"
    "Examples:\n"
    "  stillwave-recalibrate --model model.onnx --data new_sensor.npy --output recalibrated.onnx\n"
    "      moves the statistics toward the new data: 10 % a batch of 32\n"
    "  stillwave-recalibrate --model model.onnx --data monday.npy tuesday.npy --cumulative --output recalibrated.onnx\n"
    "      forgets the old statistics: the average over all batches\n"
    "  stillwave-recalibrate --model model.onnx --data new_sensor.npy --layers features.1 --output recalibrated.onnx\n"
    "      the first layer only, as PyTorch calls it or as the file calls its node; the others stay as they are\n"
    "\n"
    "Exit status: 0 when the model was written; 2 for an option that is wrong or does not fit the model or the data;\n"
    "4 when the model cannot be recalibrated; 5 for a file that cannot be read, does not fit, or cannot be written.";

absl::Status ReadMomentum(const std::string& text, std::optional<double>& momentum) {
  double value = 0;
  if (!absl::SimpleAtod(text, &value) || !(value > 0 && value <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--momentum must be a number over 0 and not over 1; was \"", text, "\""));
  }
  momentum = value;
  return absl::OkStatus();
}

absl::Status ReadBatch(const std::string& text, std::optional<int64_t>& batch) {
  int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value) || value < 1 || value > kMaxBatch) {
    return absl::InvalidArgumentError(
        absl::StrCat("--batch must be a whole number between 1 and ", kMaxBatch, "; was \"", text, "\""));
  }
  batch = value;
  return absl::OkStatus();
}

}  // namespace

ExitCode ExitCodeOf(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kAlreadyExists:
      return ExitCode::kUsage;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnimplemented:
      return ExitCode::kRefused;
    default:
      return ExitCode::kBadInput;
  }
}

absl::StatusOr<Invocation> ParseCommandLine(absl::Span<const char* const> arguments, const std::string& version) {
  Invocation invocation;
  RecalibrationOptions& options = invocation.options;
  std::string momentum;
  std::string batch;
  bool cumulative = false;
  bool print_version = false;
  CLI::App app(kDescription, kProgram);
  app.footer(kFooter);
  app.get_formatter()->column_width(26);
  app.set_help_flag("-h,--help", "Print this text and leave");
  app.add_option("--model", options.model, "The ONNX file to begin with; it is not changed")->type_name("FILE");
  app.add_option("--data", options.data, "One or more .npy files of samples, used in this order")->type_name("FILE");
  app.add_option("--output", options.output, "The ONNX file to write")->type_name("FILE");
  auto* momentum_option =
      app.add_option("--momentum", momentum,
                     "Share of each new batch: running = (1 - M) * running + M * batch; over 0 to 1, default 0.1")
          ->type_name("M");
  app.add_flag("--cumulative", cumulative,
               "The plain average over all batches instead; the stored statistics do not count")
      ->excludes(momentum_option);
  app.add_option("--layers", options.layers,
                 "Only these, by their names in PyTorch or in the file, with commas between; default all")
      ->type_name("NAME")
      ->delimiter(',');
  app.add_option("--batch", batch, "Samples in a batch, 1 to 65536, default 32; files of ready batches need none")
      ->type_name("N");
  app.add_flag("--json", invocation.json, "Print the report as JSON");
  app.add_flag("--force", options.force, "Replace --output where it is there already");
  app.add_flag("--version", print_version, "Print the version and leave");

  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // the order that CLI11 wants
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    invocation.print = absl::StrCat(app.help(), "\n");
    return invocation;
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  if (print_version) {
    invocation.print = absl::StrCat(kProgram, " ", version, "\n");
    return invocation;
  }
  // By hand: CLI11's "required" would also ask for them beside --version.
  for (const auto& [flag, is_missing] :
       {std::pair("--model FILE", options.model.empty()), std::pair("--data FILE…", options.data.empty()),
        std::pair("--output FILE", options.output.empty())}) {
    if (is_missing) return absl::InvalidArgumentError(absl::StrCat(flag, " is required"));
  }
  if (cumulative) options.momentum.reset();
  if (!momentum.empty()) {
    if (absl::Status status = ReadMomentum(momentum, options.momentum); !status.ok()) return status;
  }
  if (!batch.empty()) {
    if (absl::Status status = ReadBatch(batch, options.batch); !status.ok()) return status;
  }
  return invocation;
}

}  // namespace stillwave::recalibration
