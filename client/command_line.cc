#include "client/command_line.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/bench/sweep.h"
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
constexpr int64_t kMaxInFlight = 16384;
constexpr int64_t kMaxSeries = 16384;
constexpr int64_t kMaxBenchBatch = int64_t{1} << 16;
constexpr int64_t kMaxBenchRequests = int64_t{1} << 40;
constexpr double kMinBenchRate = 0.01;
constexpr double kMaxBenchRate = 1e6;
constexpr double kMaxBenchSeconds = 86400;

// Texts of options that need a second look after the library's.
struct RawText {
  double timeout_seconds = 30;
  std::string columns;
  std::string labels;
  std::string partial = "drop";
  std::string concurrency = "1";
  std::string rate;
  std::string arrivals = "poisson";
  double duration_seconds = 10;
  double warmup_seconds = 1;
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

CLI::Validator SecondsRange(double minimum, double maximum) {
  const auto check = [minimum, maximum](const std::string& text) -> std::string {
    double value = 0;
    if (absl::SimpleAtod(text, &value) && value >= minimum && value <= maximum) return "";
    return absl::StrCat("must be seconds from ", minimum, " to ", maximum, "; was ", text);
  };
  return {check, absl::StrCat("from ", minimum, " to ", maximum)};
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

void AddBenchLoad(CLI::App* command, BenchOptions* options, RawText* raw) {
  CLI::Option* const concurrency =
      command
          ->add_option("--concurrency", raw->concurrency,
                       "Requests in flight, or series of a stream: one number or a sweep, from 1 to 16384 (default 1)")
          ->type_name("SWEEP");
  command
      ->add_option("--rate", raw->rate,
                   "Requests a second instead, answered or not: one number or a sweep, from 0.01 to 1000000")
      ->type_name("SWEEP")
      ->excludes(concurrency);
  command
      ->add_option("--arrivals", raw->arrivals,
                   "Of --rate: poisson, at random times as of many users (default), or constant, in equal distances")
      ->check(CLI::IsMember({"poisson", "constant"}).description(""))
      ->type_name("poisson|constant");
  CLI::Option* const duration =
      command->add_option("--duration", raw->duration_seconds, "Measured time of each step (default 10)")
          ->check(SecondsRange(0.1, kMaxBenchSeconds))
          ->type_name("SECONDS");
  AddCount(command, "--requests", options->load.requests, 1, kMaxBenchRequests,
           "Measure so many requests in each step, however long it takes")
      ->excludes(duration);
  command->add_option("--warmup", raw->warmup_seconds, "Time before each step that is not measured (default 1)")
      ->check(SecondsRange(0, kMaxBenchSeconds))
      ->type_name("SECONDS");
  AddCount(command, "--max-in-flight", options->load.max_in_flight, 1, kMaxInFlight,
           "Of --rate: most requests that wait for their answers; later ones wait at this client (default 4096)");
  command->add_option("--connections", options->load.connections, "TCP connections, used in turns (default 1)")
      ->check(CountRange(1, 4096))
      ->type_name("N");
  command->add_option("--threads", options->load.threads, "Threads of this client that send and receive (default 1)")
      ->check(CountRange(1, 64))
      ->type_name("N");
}

CLI::App* AddBench(CLI::App* app, BenchOptions* options, RawText* raw) {
  CLI::App* command = app->add_subcommand("bench", kBenchHelp);
  command->footer(kBenchFooter);
  command->add_option("file", options->file, ".npy or CSV with what to send (default: random values)")
      ->type_name("FILE");
  command->add_option("--model", options->model, "Name of the model; may be left out when the server has one")
      ->type_name("NAME");
  command->add_option("--version", options->version, "Version of the model (default: the newest that is ready)")
      ->type_name("V");
  AddBenchLoad(command, options, raw);
  AddCount(command, "--batch", options->batch, 1, kMaxBenchBatch, "Samples in a request (default 1)");
  AddCount(command, "--window", options->window, 1, kMaxWindow, "Time steps of a sample (default: the model's own)");
  AddCount(command, "--hop", options->hop, 1, kMaxIndex,
           "Of series: samples between window starts (default: the window's length)");
  command->add_option("--columns", raw->columns, "Columns of FILE to send as channels, as of infer")->type_name("A,B");
  command->add_option("--seed", options->load.seed, "Of random values and arrival times (default 1)")
      ->check(CountRange(0, kMaxIndex))
      ->type_name("N");
  command->add_flag("--stream", options->stream,
                    "Windows of live series through StreamWindows: from a chunk sent to its result");
  AddCount(command, "--series", options->series, 1, kMaxSeries,
           "Of --stream with --rate: series that take turns (default 16)");
  AddCount(command, "--series-per-stream", options->series_per_call, 1, kMaxSeries,
           "Of --stream: series that share a call (default 1)");
  command
      ->add_option("--server-stats", options->server_stats,
                   "HTTP address of the server: also show its mean compute and queue time, from /metrics")
      ->type_name("HOST:PORT");
  return command;
}

absl::Status FinishBench(const CLI::App& command, const RawText& raw, const GlobalOptions& global,
                         BenchOptions* options) {
  if (command.count("--rate") > 0) {
    ASSIGN_OR_RETURN(options->rates, bench::ParseSweep("--rate", raw.rate, {kMinBenchRate, kMaxBenchRate, false}));
  } else {
    ASSIGN_OR_RETURN(const std::vector<double> values,
                     bench::ParseSweep("--concurrency", raw.concurrency, {1, double{kMaxInFlight}, true}));
    options->concurrencies.assign(values.begin(), values.end());
  }
  for (const char* open_loop_only : {"--arrivals", "--max-in-flight", "--series"}) {
    if (command.count(open_loop_only) > 0 && options->rates.empty()) {
      return UsageError(absl::StrCat(open_loop_only, " needs --rate"));
    }
  }
  for (const char* stream_only : {"--series", "--series-per-stream"}) {
    if (command.count(stream_only) > 0 && !options->stream) {
      return UsageError(absl::StrCat(stream_only, " needs --stream"));
    }
  }
  options->load.arrivals = raw.arrivals == "poisson" ? bench::Arrivals::kPoisson : bench::Arrivals::kConstant;
  options->load.duration = absl::Seconds(raw.duration_seconds);
  options->load.warmup = absl::Seconds(raw.warmup_seconds);
  options->load.timeout = global.timeout;
  return absl::OkStatus();
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
  BenchOptions bench;
  DriftOptions drift;

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

  CLI::App* bench_command = AddBench(&app, &bench, &raw);
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
  if (drift_command->parsed()) line.command = drift;
  if (bench_command->parsed()) {
    bench.columns = columns;
    RETURN_IF_ERROR(FinishBench(*bench_command, raw, line.global, &bench));
    line.command = bench;
  }
  return line;
}

}  // namespace stillwave::client
