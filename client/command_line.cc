#include "client/command_line.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/exit_code.h"
#include "client/help_text.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

constexpr int64_t kMaxWindow = int64_t{1} << 24;
constexpr int64_t kMaxChunk = int64_t{1} << 20;
constexpr int64_t kMaxIndex = int64_t{1} << 50;
constexpr double kMaxRate = 1e9;
constexpr double kMaxTimeoutSeconds = 86400;

// Texts of options that need a second look after the library's.
struct RawText {
  double timeout_seconds = 30;
  std::string columns;
  std::string labels;
  std::string partial = "drop";
};

absl::StatusOr<std::vector<std::string>> SplitList(absl::string_view option, absl::string_view text) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    parts.emplace_back(absl::StripAsciiWhitespace(part));
    if (parts.back().empty()) return UsageError(absl::StrCat(option, " has an empty entry: '", text, "'"));
  }
  return parts;
}

// HOST:PORT, [IPv6]:PORT, or one of gRPC's own schemes.
absl::Status CheckServer(absl::string_view server) {
  for (const absl::string_view scheme : {"unix:", "dns:", "ipv4:", "ipv6:"}) {
    if (absl::StartsWith(server, scheme)) return absl::OkStatus();
  }
  const size_t colon = server.rfind(':');
  int port = 0;
  const bool good = colon != absl::string_view::npos && colon > 0 &&
                    absl::SimpleAtoi(server.substr(colon + 1), &port) && port > 0 && port <= 65535;
  if (good) return absl::OkStatus();
  return UsageError(absl::StrCat("--server must be HOST:PORT with a port from 1 to 65535; was '", server, "'"));
}

// In words of ours, because the library's differ between its versions. The range of a number that has a natural limit
// is part of the help; the others' only keeps arithmetic safe.
CLI::Validator CountRange(int64_t minimum, int64_t maximum) {
  const auto check = [minimum, maximum](const std::string& text) -> std::string {
    int64_t value = 0;
    if (absl::SimpleAtoi(text, &value) && value >= minimum && value <= maximum) return "";
    return absl::StrCat("must be a whole number from ", minimum, " to ", maximum, "; was ", text);
  };
  return {check, maximum == kMaxIndex ? "" : absl::StrCat("from ", minimum, " to ", maximum)};
}

CLI::Option* AddCount(CLI::App* app, const std::string& name, std::optional<int64_t>& value, int64_t minimum,
                      int64_t maximum, const std::string& help) {
  return app->add_option(name, value, help)->check(CountRange(minimum, maximum))->type_name("N");
}

CLI::Option* AddCount(CLI::App* app, const std::string& name, int64_t& value, int64_t minimum, int64_t maximum,
                      const std::string& help) {
  return app->add_option(name, value, help)->check(CountRange(minimum, maximum))->type_name("N");
}

void AddGlobalOptions(CLI::App* app, GlobalOptions* global, RawText* raw) {
  app->set_version_flag("--version", std::string("stillwave ") + STILLWAVE_VERSION, "Print the version and exit");
  app->add_option("--server", global->server, "Address of the server (default 127.0.0.1:8001)")
      ->envname("STILLWAVE_SERVER")
      ->type_name("HOST:PORT");
  app->add_option("--timeout", raw->timeout_seconds,
                  "Longest wait for a connection, and for an answer; a stream has no limit (default 30)")
      ->check(CLI::Range(0.001, kMaxTimeoutSeconds).description(""))
      ->type_name("SECONDS");
  app->add_flag("--json", global->json, "Print JSON instead of tables");
}

template <typename Options>
void AddModelOptions(CLI::App* app, Options* options, RawText* raw) {
  app->add_option("--model", options->model, "Name of the model; may be left out when the server has one")
      ->type_name("NAME");
  app->add_option("--version", options->version, "Version of the model (default: the newest that is ready)")
      ->type_name("V");
  app->add_option("--rate", options->rate_hz, "Samples per second; shows times")
      ->check(CLI::Range(1e-9, kMaxRate).description(""))
      ->type_name("HZ");
  app->add_option("--columns", raw->columns, "Columns to send as channels: names of a CSV header, or numbers from 1")
      ->type_name("A,B");
  app->add_option("--labels", raw->labels, "Names of the classes, in the model's order")->type_name("A,B,C");
  app->add_flag("--softmax", options->softmax, "The output is logits: show the probability of the class");
  app->add_option("--output", options->outputs, "Only this output of the model; may be given again")
      ->type_name("NAME")
      ->allow_extra_args(false);
}

CLI::App* AddInfer(CLI::App* app, InferOptions* options, RawText* raw) {
  CLI::App* command = app->add_subcommand("infer", kInferHelp);
  command->footer(kInferFooter);
  command->add_option("file", options->file, ".npy or CSV")->required()->type_name("FILE");
  AddModelOptions(command, options, raw);
  AddCount(command, "--window", options->window, 1, kMaxWindow, "Samples per window (default: the model's own)");
  AddCount(command, "--hop", options->hop, 1, kMaxIndex,
           "Samples between window starts (default: the window's length)");
  AddCount(command, "--batch", options->batch, 1, kMaxIndex, "Windows to send (default 1), or rows of a ready batch");
  AddCount(command, "--start", options->start, 0, kMaxIndex, "First sample, or first row of a ready batch (default 0)");
  command->add_option("--at", options->at_seconds, "Time of the first sample; needs --rate")->type_name("SECONDS");
  return command;
}

CLI::App* AddStream(CLI::App* app, StreamOptions* options, RawText* raw) {
  CLI::App* command = app->add_subcommand("stream", kStreamHelp);
  command->footer(kStreamFooter);
  command->add_option("file", options->file, ".npy, CSV, or - for lines of standard input")
      ->required()
      ->type_name("FILE");
  AddModelOptions(command, options, raw);
  AddCount(command, "--window", options->window, 1, kMaxWindow, "Samples per window (default: the model's own)");
  AddCount(command, "--hop", options->hop, 1, kMaxIndex,
           "Samples between window starts (default: the window's length)");
  AddCount(command, "--chunk", options->chunk, 1, kMaxChunk, "Most samples in one message (default 4096)");
  AddCount(command, "--from", options->from, 0, kMaxIndex,
           "First sample to send; of standard input: the index of its first sample (default 0)");
  AddCount(command, "--to", options->to, 0, kMaxIndex, "Last sample to send (default: the last one)");
  command->add_flag("--realtime", options->realtime, "Send at --rate instead of as fast as the server answers");
  command->add_option("--partial", raw->partial, "What to do with samples at the end that fill no window: drop or pad")
      ->check(CLI::IsMember({"drop", "pad"}).description(""))
      ->type_name("drop|pad");
  command->add_flag("--changes", options->only_changes, "Print only windows of another class than the one before");
  return command;
}

// The library breaks long messages over lines; one is the rule here.
absl::Status ToUsageError(const CLI::ParseError& error) {
  std::vector<std::string> lines = absl::StrSplit(error.what(), '\n', absl::SkipWhitespace());
  std::string message;
  for (const std::string& line : lines) {
    absl::StrAppend(&message, message.empty() ? "" : " ", std::string(absl::StripAsciiWhitespace(line)));
  }
  return UsageError(absl::StrCat(message, " (try: --help)"));
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(int argc, const char* const* argv) {
  CommandLine line;
  RawText raw;
  InferOptions infer;
  StreamOptions stream;
  ModelsOptions models;
  HealthOptions health;

  CLI::App app{kProgramHelp, "stillwave"};
  app.footer(kProgramFooter);
  app.require_subcommand(1);
  app.fallthrough();
  AddGlobalOptions(&app, &line.global, &raw);
  CLI::App* infer_command = AddInfer(&app, &infer, &raw);
  CLI::App* stream_command = AddStream(&app, &stream, &raw);
  CLI::App* models_command = app.add_subcommand("models", kModelsHelp);
  models_command->footer(kModelsFooter);
  models_command->add_option("name", models.names, "Only these models")->type_name("NAME");
  CLI::App* health_command = app.add_subcommand("health", kHealthHelp);
  health_command->footer(kHealthFooter);
  health_command->add_option("model", health.model, "This model, too")->type_name("MODEL");

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.command = PrintText{app.help()};
    return line;
  } catch (const CLI::CallForVersion& version) {
    line.command = PrintText{std::string(version.what()) + "\n"};
    return line;
  } catch (const CLI::ParseError& error) {
    return ToUsageError(error);
  }

  RETURN_IF_ERROR(CheckServer(line.global.server));
  line.global.timeout = absl::Seconds(raw.timeout_seconds);
  ASSIGN_OR_RETURN(const std::vector<std::string> columns, SplitList("--columns", raw.columns));
  ASSIGN_OR_RETURN(const std::vector<std::string> labels, SplitList("--labels", raw.labels));
  infer.columns = stream.columns = columns;
  infer.labels = stream.labels = labels;
  stream.pad = raw.partial == "pad";
  if (infer_command->parsed()) line.command = infer;
  if (stream_command->parsed()) line.command = stream;
  if (models_command->parsed()) line.command = models;
  if (health_command->parsed()) line.command = health;
  return line;
}

}  // namespace stillwave::client
