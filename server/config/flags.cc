#include "server/config/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <initializer_list>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/status_macros.h"
#include "server/config/version.h"

namespace stillwave::config {
namespace {

// "--max-streams=3" -> "--max_streams=3"; values and anything that is not a long flag stay.
std::string WithUnderscores(std::string argument) {
  if (!absl::StartsWith(argument, "--")) return argument;
  const auto end = std::find(argument.begin(), argument.end(), '=');
  std::replace(argument.begin() + 2, end, '-', '_');
  return argument;
}

// Fills one ServerConfig from a CLI::App. The first value that cannot be read is kept as `error`, in our own words.
class FlagTable {
 public:
  FlagTable(CLI::App& app, ServerConfig& config) : app_(app), config_(config) {}

  void AddText(const std::string& flag, const std::string& type, std::string ServerConfig::*field,
               const std::string& group, const std::string& help) {
    const std::string& initial = config_.*field;
    app_.add_option(flag, config_.*field, initial.empty() ? help : absl::StrCat(help, "; default ", initial))
        ->type_name(type)
        ->group(group);
  }

  void AddInteger(const IntegerOption& option) {
    const std::string flag(option.flag);
    app_.add_option_function<std::string>(
            flag, [this, option](const std::string& text) { ReadInteger(option, text); },
            absl::StrCat(option.help, "; ", option.minimum, " to ", option.maximum, ", default ",
                         config_.*option.field))
        ->type_name("N")
        ->group(std::string(option.group));
  }

  // A share of a whole.
  void AddShare(const std::string& flag, double ServerConfig::*field, const std::string& group,
                const std::string& help) {
    app_.add_option_function<std::string>(
            flag,
            [this, flag, field](const std::string& text) {
              if (absl::SimpleAtod(text, &(config_.*field))) return;  // its range is checked by Validate
              Refuse(absl::StrCat(flag, " must be a number between 0 and 1; was \"", text, "\""));
            },
            absl::StrCat(help, "; 0 to 1, default ", config_.*field))
        ->type_name("X")
        ->group(group);
  }

  template <typename Choice>
  void AddChoice(const std::string& flag, Choice ServerConfig::*field,
                 std::initializer_list<std::pair<const char*, Choice>> choices, const std::string& group,
                 const std::string& help) {
    std::vector<std::pair<std::string, Choice>> known(choices.begin(), choices.end());
    const auto initial =
        std::find_if(known.begin(), known.end(), [&](const auto& choice) { return choice.second == config_.*field; });
    const std::string names =
        absl::StrJoin(known, ", ", [](std::string* out, const auto& choice) { out->append(choice.first); });
    const std::string description = absl::StrCat(help, "; one of ", names, "; default ", initial->first);
    app_.add_option_function<std::string>(
            flag,
            [this, flag, field, known, names](const std::string& text) {
              for (const auto& [name, value] : known) {
                if (name == text) {
                  config_.*field = value;
                  return;
                }
              }
              Refuse(absl::StrCat(flag, " must be one of ", names, "; was \"", text, "\""));
            },
            description)
        ->type_name("NAME")
        ->group(group);
  }

  const absl::Status& error() const { return error_; }

 private:
  void ReadInteger(const IntegerOption& option, const std::string& text) {
    int64_t value = 0;
    if (absl::SimpleAtoi(text, &value)) {
      config_.*option.field = value;  // its range is checked by Validate
    } else {
      Refuse(absl::StrCat(option.flag, " must be a whole number between ", option.minimum, " and ", option.maximum,
                          "; was \"", text, "\""));
    }
  }

  void Refuse(const std::string& message) {
    if (error_.ok()) error_ = absl::InvalidArgumentError(message);
  }

  CLI::App& app_;
  ServerConfig& config_;
  absl::Status error_;
};

void AddAll(FlagTable& table) {
  table.AddText("--model_repository", "DIR", &ServerConfig::model_repository, "Models",
                "Folder of models, <model>/<version>/model.onnx with an optional <model>/config.pbtxt");
  table.AddText("--model", "FILE", &ServerConfig::model, "Models",
                "One ONNX file, served under its folder's name when it is called model.onnx, else under its own");
  table.AddText("--grpc_address", "HOST:PORT", &ServerConfig::grpc_address, "Network",
                "Where gRPC is served; port 0: the system chooses");
  table.AddText("--http_address", "HOST:PORT", &ServerConfig::http_address, "Network",
                "Where /metrics, /livez and /readyz are served; port 0: the system chooses");
  for (const IntegerOption& option : IntegerOptions()) table.AddInteger(option);
  using repository::ControlMode;
  table.AddChoice("--model_control_mode", &ServerConfig::model_control_mode,
                  {{"none", ControlMode::kNone}, {"poll", ControlMode::kPoll}, {"explicit", ControlMode::kExplicit}},
                  "Models",
                  "What loads and unloads models of the repository while the server runs: nothing, changes of the "
                  "folder, or clients "
                  "(RepositoryModelLoad and RepositoryModelUnload)");
  using model::BatchNormMode;
  table.AddChoice("--batchnorm", &ServerConfig::batch_norm,
                  {{"primitive", BatchNormMode::kPrimitive}, {"folded", BatchNormMode::kFolded}}, "Execution",
                  "Batch normalization as a layer of its own, or folded into the convolution before it");
  using model::Precision;
  table.AddChoice("--precision", &ServerConfig::precision, {{"fp32", Precision::kFp32}, {"bf16", Precision::kBf16}},
                  "Execution",
                  "Of weights and activations; bf16 is faster, less exact and needs a CPU with avx512_bf16 or AMX");
  table.AddShare("--drift_sample_rate", &ServerConfig::drift_sample_rate, "Execution",
                 "Of computed samples, the share whose activations are compared with the statistics that batch "
                 "normalization was trained with, on a thread of lowest priority");
  using base::LogFormat;
  using base::LogLevel;
  table.AddChoice("--log_level", &ServerConfig::log_level,
                  {{"debug", LogLevel::kDebug},
                   {"info", LogLevel::kInfo},
                   {"warning", LogLevel::kWarning},
                   {"error", LogLevel::kError}},
                  "Logs", "The least severe events to log (on standard error)");
  table.AddChoice("--log_format", &ServerConfig::log_format, {{"text", LogFormat::kText}, {"json", LogFormat::kJson}},
                  "Logs", "One line of text or one JSON object for each event");
}

constexpr char kDescription[] =
    "Serves frozen convolutional networks (ONNX) over gRPC: the Open Inference Protocol for batches,\n"
    "stillwave.v1.TimeSeriesService for windows over time series. Without --model and --model_repository it serves\n"
    "the embedded demonstration model.";
constexpr char kFooter[] =
    "Exit status: 0 after SIGTERM or Ctrl-C, 1 when the server cannot start or --check refuses the model, 2 for a "
    "wrong\n"
    "flag.";

}  // namespace

absl::StatusOr<Invocation> ParseFlags(absl::Span<const char* const> arguments, int64_t granted_cpus) {
  Invocation invocation;
  invocation.config.workers = std::min(granted_cpus, kMaxWorkers);
  CLI::App app(kDescription, "stillwave-server");
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  app.set_help_flag("-h,--help", "Print this text and leave")->group("Other");
  FlagTable table(app, invocation.config);
  AddAll(table);
  app.add_option("--load_model", invocation.config.load_models,
                 "With --model_control_mode=explicit: a model to load at the start, * for all; may be given again; "
                 "default none")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->group("Models");
  bool describe = false;
  bool check = false;
  bool version = false;
  app.add_flag("--strict_readiness", invocation.config.strict_readiness,
               "Not ready while any model of the repository is refused; default false")
      ->group("Life");
  app.add_flag(
         "--shared_memory", invocation.config.shared_memory,
         "Let clients of this machine pass tensors in POSIX shared memory (/dev/shm): any client may then read and "
         "write what this server's user may; default false")
      ->group("Network");
  app.add_flag("--describe", describe, "Print the model (--model or the demonstration model) and leave")
      ->group("Other");
  app.add_flag(
         "--check", check,
         "Only check the model (--model or the demonstration model) as it is checked before it is served: one line "
         "that begins with OK or REFUSED; exit status 0 or 1")
      ->group("Other");
  app.add_flag("--version", version, "Print the version and leave")->group("Other");

  std::vector<std::string> reversed;  // the order in which CLI11 wants them
  for (auto it = arguments.rbegin(); it != arguments.rend(); ++it) reversed.push_back(WithUnderscores(*it));
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    invocation.action = Invocation::Action::kPrint;
    invocation.text = absl::StrCat(app.help(), "\n");
    return invocation;
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  if (version) {
    invocation.action = Invocation::Action::kPrint;
    invocation.text = absl::StrCat("stillwave-server ", Version(), "\n");
    return invocation;
  }
  RETURN_IF_ERROR(table.error());
  RETURN_IF_ERROR(Validate(invocation.config));
  if (describe && check) return absl::InvalidArgumentError("--describe and --check must not be given together");
  if (describe || check) {
    if (!invocation.config.model_repository.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          describe ? "--describe" : "--check", " must go with --model or with neither flag; --model_repository was \"",
          invocation.config.model_repository, "\""));
    }
    invocation.action = describe ? Invocation::Action::kDescribe : Invocation::Action::kCheck;
  }
  return invocation;
}

}  // namespace stillwave::config
