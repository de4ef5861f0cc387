#include "server/service/log_settings.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "server/base/log.h"
#include "server/base/quoted.h"
#include "server/base/status_macros.h"

namespace stillwave::service {
namespace {

using base::LogFormat;
using base::LogLevel;
using base::Quoted;
using Value = inference::LogSettingsRequest::SettingValue;

constexpr char kTextFormat[] = "ISO8601";
constexpr char kJsonFormat[] = "json";

// The protocol's view of one threshold and a format.
struct Settings {
  bool error = true;
  bool warning = true;
  bool info = true;
  uint32_t verbose_level = 0;
  LogFormat format = LogFormat::kText;
};

Settings CurrentSettings() {
  const LogLevel level = base::MinimumLogLevel();
  Settings settings;
  settings.warning = level <= LogLevel::kWarning;
  settings.info = level <= LogLevel::kInfo;
  settings.verbose_level = level <= LogLevel::kDebug ? 1 : 0;
  settings.format = base::CurrentLogFormat();
  return settings;
}

LogLevel LevelOf(const Settings& settings) {
  if (settings.verbose_level > 0) return LogLevel::kDebug;
  if (settings.info) return LogLevel::kInfo;
  return settings.warning ? LogLevel::kWarning : LogLevel::kError;
}

absl::Status RefuseSetting(absl::string_view setting, absl::string_view rule) {
  return absl::InvalidArgumentError(absl::StrCat("log setting ", setting, " must be ", rule));
}

absl::Status ReadBool(const std::string& name, const Value& value, bool* setting) {
  if (value.parameter_choice_case() != Value::kBoolParam)
    return RefuseSetting(name, "a bool_param; was of another type");
  *setting = value.bool_param();
  return absl::OkStatus();
}

absl::Status ReadVerboseLevel(const Value& value, uint32_t* level) {
  if (value.parameter_choice_case() != Value::kUint32Param) {
    return RefuseSetting("log_verbose_level", "a uint32_param; was of another type");
  }
  if (value.uint32_param() > 1)
    return RefuseSetting("log_verbose_level", absl::StrCat("0 or 1; was ", value.uint32_param()));
  *level = value.uint32_param();
  return absl::OkStatus();
}

absl::Status ReadFormat(const Value& value, LogFormat* format) {
  if (value.string_param() != kTextFormat && value.string_param() != kJsonFormat) {
    return RefuseSetting("log_format",
                         absl::StrCat(kTextFormat, " or ", kJsonFormat, "; was ", Quoted(value.string_param())));
  }
  *format = value.string_param() == kJsonFormat ? LogFormat::kJson : LogFormat::kText;
  return absl::OkStatus();
}

absl::Status ReadSetting(const std::string& name, const Value& value, Settings* settings) {
  if (name == "log_error") return ReadBool(name, value, &settings->error);
  if (name == "log_warning") return ReadBool(name, value, &settings->warning);
  if (name == "log_info") return ReadBool(name, value, &settings->info);
  if (name == "log_verbose_level") return ReadVerboseLevel(value, &settings->verbose_level);
  if (name == "log_format") return ReadFormat(value, &settings->format);
  if (name == "log_file") {
    if (value.string_param().empty()) return absl::OkStatus();
    return RefuseSetting(name,
                         absl::StrCat("empty, as events go to standard error; was ", Quoted(value.string_param())));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "log setting ", Quoted(name),
      " is not known; known are log_error, log_warning, log_info, log_verbose_level, log_format, log_file"));
}

// Severities are one threshold here.
absl::Status CheckTogether(const Settings& settings) {
  if (!settings.error) return RefuseSetting("log_error", "true: errors are always logged; was false");
  if (settings.info && !settings.warning) return RefuseSetting("log_warning", "true while log_info is; was false");
  if (settings.verbose_level > 0 && !settings.info) {
    return RefuseSetting("log_info", "true while log_verbose_level is not 0; was false");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status HandleLogSettings(const inference::LogSettingsRequest& request, inference::LogSettingsResponse* response) {
  Settings settings = CurrentSettings();
  for (const auto& [name, value] : request.settings()) {
    // The clients send what they leave alone as a value without a choice.
    if (value.parameter_choice_case() == Value::PARAMETER_CHOICE_NOT_SET) continue;
    RETURN_IF_ERROR(ReadSetting(name, value, &settings));
  }
  RETURN_IF_ERROR(CheckTogether(settings));
  if (request.settings_size() > 0) {
    base::Log(LogLevel::kWarning, "a client changes the log settings",
              {{"info", settings.info}, {"warning", settings.warning}, {"verbose_level", settings.verbose_level}});
    base::ConfigureLog(LevelOf(settings), settings.format);
  }
  auto& answer = *response->mutable_settings();
  answer["log_error"].set_bool_param(settings.error);
  answer["log_warning"].set_bool_param(settings.warning);
  answer["log_info"].set_bool_param(settings.info);
  answer["log_verbose_level"].set_uint32_param(settings.verbose_level);
  answer["log_format"].set_string_param(settings.format == LogFormat::kJson ? kJsonFormat : kTextFormat);
  answer["log_file"].set_string_param("");
  return absl::OkStatus();
}

}  // namespace stillwave::service
