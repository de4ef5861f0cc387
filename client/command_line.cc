#include "client/command_line.h"

#include <CLI/CLI.hpp>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/bench_arguments.h"
#include "client/exit_code.h"
#include "client/help_text.h"
#include "client/option_kinds.h"
#include "client/stream_arguments.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

constexpr double kMaxTimeoutSeconds = 86400;

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

void AddGlobalOptions(CLI::App* app, GlobalOptions* global, double* timeout_seconds) {
  app->set_version_flag("--version", std::string("stillwave ") + STILLWAVE_VERSION, "Print the version and exit");
  app->add_option("--server", global->server, "Address of the server (default 127.0.0.1:8001)")
      ->envname("STILLWAVE_SERVER")
      ->type_name("HOST:PORT");
  app->add_option("--timeout", *timeout_seconds,
                  "Longest wait for a connection, and for an answer; a stream has no limit (default 30)")
      ->check(CLI::Range(0.001, kMaxTimeoutSeconds).description(""))
      ->type_name("SECONDS");
  app->add_flag("--json", global->json, "Print JSON instead of tables");
}

CLI::App* AddInfer(CLI::App* app, InferOptions* options, ModelText* text) {
  CLI::App* command = app->add_subcommand("infer", kInferHelp);
  command->footer(kInferFooter);
  command->add_option("file", options->file, ".npy, CSV, WAV or FLAC")->required()->type_name("FILE");
  AddModelOptions(command, options, text);
  AddCount(command, "--window", options->window, 1, kMaxWindow, "Samples per window (default: the model's own)");
  AddCount(command, "--hop", options->hop, 1, kMaxIndex,
           "Samples between window starts (default: the window's length)");
  AddCount(command, "--batch", options->batch, 1, kMaxIndex, "Windows to send (default 1), or rows of a ready batch");
  AddCount(command, "--start", options->start, 0, kMaxIndex, "First sample, or first row of a ready batch (default 0)");
  command->add_option("--at", options->at_seconds, "Time of the first sample; needs --rate")->type_name("SECONDS");
  return command;
}

CLI::App* AddDrift(CLI::App* app, DriftOptions* options) {
  CLI::App* command = app->add_subcommand("drift", kDriftHelp);
  command->footer(kDriftFooter);
  command->add_option("model", options->model, "May be left out when the server has one")->type_name("MODEL");
  command->add_option("--version", options->version, "Version of the model (default: the newest that is ready)")
      ->type_name("V");
  CLI::Option* const heat_map =
      command->add_flag("--heat-map", options->heat_map, "A map of all channels instead of the table");
  CLI::Option* const watch =
      command->add_option("--watch", options->watch_seconds, "Again and again, so far apart, until Ctrl-C")
          ->check(SecondsRange(0.1, 3600))
          ->type_name("SECONDS");
  AddCount(command, "--reports", options->reports, 1, kMaxIndex, "With --watch: leave after so many")->needs(watch);
  command->add_flag("--reset", options->reset, "Forget what was seen so far")->excludes(heat_map)->excludes(watch);
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
  double timeout_seconds = absl::ToDoubleSeconds(line.global.timeout);
  InferOptions infer;
  ModelText infer_text;
  StreamOptions stream;
  StreamText stream_text;
  ModelsOptions models;
  HealthOptions health;
  BenchOptions bench;
  BenchText bench_text;
  DriftOptions drift;

  CLI::App app{kProgramHelp, "stillwave"};
  app.footer(kProgramFooter);
  app.require_subcommand(1);
  app.fallthrough();
  AddGlobalOptions(&app, &line.global, &timeout_seconds);
  CLI::App* infer_command = AddInfer(&app, &infer, &infer_text);
  CLI::App* stream_command = AddStream(&app, &stream, &stream_text);
  CLI::App* models_command = app.add_subcommand("models", kModelsHelp);
  models_command->footer(kModelsFooter);
  models_command->add_option("name", models.names, "Only these models")->type_name("NAME");
  CLI::App* health_command = app.add_subcommand("health", kHealthHelp);
  health_command->footer(kHealthFooter);
  health_command->add_option("model", health.model, "This model, too")->type_name("MODEL");

  CLI::App* bench_command = AddBench(&app, &bench, &bench_text);
  CLI::App* drift_command = AddDrift(&app, &drift);

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
  line.global.timeout = absl::Seconds(timeout_seconds);
  if (infer_command->parsed()) {
    ASSIGN_OR_RETURN(infer.columns, SplitList("--columns", infer_text.columns));
    ASSIGN_OR_RETURN(infer.labels, SplitList("--labels", infer_text.labels));
    line.command = infer;
  }
  if (stream_command->parsed()) {
    RETURN_IF_ERROR(FinishStream(*stream_command, stream_text, &stream));
    line.command = stream;
  }
  if (models_command->parsed()) line.command = models;
  if (health_command->parsed()) line.command = health;
  if (drift_command->parsed()) line.command = drift;
  if (bench_command->parsed()) {
    RETURN_IF_ERROR(FinishBench(*bench_command, bench_text, line.global, &bench));
    line.command = bench;
  }
  return line;
}

}  // namespace stillwave::client
