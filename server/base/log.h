// Structured logging: one line per event, an English message and named fields. spdlog is behind it.
//
//   Log(LogLevel::kInfo, "model ready", {{"model", name}, {"version", version}, {"seconds", 0.12}});
//
// text:  2026-01-02T03:04:05.678Z INFO  model ready model=ecg version=1 seconds=0.12
// json:  {"time":"2026-01-02T03:04:05.678Z","level":"info","message":"model ready","model":"ecg",…}
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <variant>

#include "absl/strings/string_view.h"

namespace stillwave::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

struct LogField {
  template <typename T>
  LogField(absl::string_view field_name, const T& field_value) : name(field_name) {  // NOLINT: meant to be implicit
    if constexpr (std::is_same_v<T, bool>) {
      value = field_value;
    } else if constexpr (std::is_integral_v<T>) {
      value = static_cast<int64_t>(field_value);
    } else if constexpr (std::is_floating_point_v<T>) {
      value = static_cast<double>(field_value);
    } else {
      const absl::string_view text(field_value);
      value = std::string(text.data(), text.size());
    }
  }

  absl::string_view name;
  std::variant<bool, int64_t, double, std::string> value;
};

// Sets which events are written to standard error and how; kInfo and text until called. Thread-safe, at any time.
void ConfigureLog(LogLevel minimum_level, LogFormat format);
// What holds now. Thread-safe.
LogLevel MinimumLogLevel();
LogFormat CurrentLogFormat();

// Thread-safe. Control characters in values are escaped, so that one event stays one line.
void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace stillwave::base
