#include "server/base/log.h"

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace stillwave::base {
namespace {

std::atomic<LogFormat> g_format{LogFormat::kText};
std::atomic<LogLevel> g_minimum_level{LogLevel::kInfo};

spdlog::logger& Logger() {
  static spdlog::logger* const logger = [] {
    auto* made = new spdlog::logger("stillwave", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

absl::string_view Name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

std::string Timestamp() { return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone()); }

// `invalid UTF-8 -> U+FFFD`, so that a hostile name cannot break the line or throw.
std::string Quote(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

nlohmann::ordered_json ToJson(const LogField& field) {
  return std::visit([](const auto& value) { return nlohmann::ordered_json(value); }, field.value);
}

bool NeedsQuotes(const std::string& text) {
  if (text.empty()) return true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '"' || c == '=' || c == '\\') return true;
  }
  return false;
}

std::string FormatJson(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields) {
  nlohmann::ordered_json line;
  line["time"] = Timestamp();
  line["level"] = std::string(Name(level));
  line["message"] = std::string(message);
  for (const LogField& field : fields) line[std::string(field.name)] = ToJson(field);
  return Quote(line);
}

std::string FormatText(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields) {
  static constexpr absl::string_view kPadded[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
  std::string line = absl::StrCat(Timestamp(), " ", kPadded[static_cast<int>(level)], " ", message);
  for (const LogField& field : fields) {
    const auto* text = std::get_if<std::string>(&field.value);
    absl::StrAppend(&line, " ", field.name, "=", text != nullptr && !NeedsQuotes(*text) ? *text : Quote(ToJson(field)));
  }
  return line;
}

}  // namespace

void ConfigureLog(LogLevel minimum_level, LogFormat format) {
  g_format = format;
  g_minimum_level = minimum_level;
  Logger().set_level(ToSpdlog(minimum_level));
}

LogLevel MinimumLogLevel() { return g_minimum_level; }

LogFormat CurrentLogFormat() { return g_format; }

void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields) {
  spdlog::logger& logger = Logger();
  if (!logger.should_log(ToSpdlog(level))) return;
  const std::string line =
      g_format == LogFormat::kJson ? FormatJson(level, message, fields) : FormatText(level, message, fields);
  logger.log(ToSpdlog(level), "{}", line);
}

}  // namespace stillwave::base
