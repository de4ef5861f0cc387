#include "tests/benchmark/echo/echo_command_line.h"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/status_macros.h"

namespace stillwave::benchmark {
namespace {

constexpr char kHelp[] =
    "A bare gRPC server that answers ModelInfer with zeros of the right size: the measure of an inference server.";
constexpr char kFooter[] =
    R"(Prints "listening on HOST:PORT" and serves until SIGTERM. With --work it also does as much on the CPU as an inference
would, to compare where that is best done.

Examples:
  stillwave-echo-server --model ecg-beats --input ecg:1,-1 --output logits:3
  stillwave-echo-server --style async --work 60 --workers 2
  stillwave bench --server 127.0.0.1:PORT --window 128 --concurrency 64

Exit status: 0 done, 1 the port cannot be bound, 2 a wrong flag.)";

constexpr int64_t kLargestDim = int64_t{1} << 24;
constexpr int64_t kMostValues = int64_t{1} << 20;
constexpr int64_t kLongestWorkMicros = 1'000'000;
constexpr int kMostThreads = 64;

template <typename Number>
absl::Status CheckRange(const char* flag, Number value, Number least, Number most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(flag, " must be between ", least, " and ", most, "; was ", value));
}

// "ecg:1,-1".
absl::StatusOr<EchoTensor> ParseTensor(absl::string_view flag, const std::string& text, bool open_dims) {
  const size_t colon = text.rfind(':');
  EchoTensor tensor;
  int64_t values = 1;
  bool good = colon != std::string::npos && colon > 0;
  if (good) {
    tensor.name = text.substr(0, colon);
    for (const absl::string_view part : absl::StrSplit(absl::string_view(text).substr(colon + 1), ',')) {
      int64_t dim = 0;
      good = good && absl::SimpleAtoi(part, &dim) && ((dim >= 1 && dim <= kLargestDim) || (open_dims && dim == -1));
      tensor.sample_shape.push_back(dim);
      if (good && dim > 0) values *= dim;
      good = good && values <= kMostValues;
    }
  }
  if (good) return tensor;
  return absl::InvalidArgumentError(absl::StrCat(flag, " must be NAME:DIM,DIM,… with at most ", kMostValues, " values",
                                                 open_dims ? ", -1 for any dimension" : "", "; was \"", text, "\""));
}

}  // namespace

absl::StatusOr<EchoCommandLine> ParseEchoCommandLine(absl::Span<const char* const> arguments) {
  EchoCommandLine line;
  std::string input = "input:1,-1";
  std::string output = "output:1";
  std::string style = "callback";
  int64_t work_micros = 0;
  CLI::App app(kHelp, "stillwave-echo-server");
  app.footer(kFooter);
  app.set_help_flag("-h,--help", "Print this text and leave");
  app.add_option("--address", line.options.address, "Where to serve; port 0: the system chooses; default 127.0.0.1:0")
      ->type_name("HOST:PORT");
  app.add_option(
         "--style", style,
         "callback (gRPC's threads call the service, the default) or async (own threads poll completion queues)")
      ->type_name("NAME");
  app.add_option("--threads", line.options.threads,
                 "Of --style async: threads and completion queues; 1 to 64, default 2")
      ->type_name("N");
  app.add_option("--model", line.model, "Name of the model; default echo")->type_name("NAME");
  app.add_option("--input", input, "Name and sample shape of the input; default input:1,-1")->type_name("NAME:DIM,…");
  app.add_option("--output", output, "Name and sample shape of the output; default output:1")->type_name("NAME:DIM,…");
  app.add_option("--work", work_micros, "CPU time between request and answer; 0 to 1000000, default 0")
      ->type_name("MICROSECONDS");
  app.add_option("--workers", line.options.workers,
                 "Threads that do --work; 0 (the default): the thread that received the request; at most 64")
      ->type_name("N");
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // the order that CLI11 wants
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    line.help = app.help();
    return line;
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  ASSIGN_OR_RETURN(line.input, ParseTensor("--input", input, /*open_dims=*/true));
  ASSIGN_OR_RETURN(line.output, ParseTensor("--output", output, /*open_dims=*/false));
  RETURN_IF_ERROR(CheckRange("--threads", line.options.threads, 1, kMostThreads));
  RETURN_IF_ERROR(CheckRange("--workers", line.options.workers, 0, kMostThreads));
  RETURN_IF_ERROR(CheckRange<int64_t>("--work", work_micros, 0, kLongestWorkMicros));
  line.options.work = absl::Microseconds(work_micros);
  if (style != "callback" && style != "async") {
    return absl::InvalidArgumentError(absl::StrCat("--style must be one of callback, async; was \"", style, "\""));
  }
  line.options.style = style == "async" ? EchoStyle::kAsync : EchoStyle::kCallback;
  return line;
}

}  // namespace stillwave::benchmark
