#include "server/metrics/process_metrics.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace stillwave::metrics {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

MetricFamily MakeFamily(const char* name, const char* help, MetricType type, double value) {
  MetricFamily family{name, help, type, {}};
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return family;
}

// The fields of /proc/self/stat from the third ("state") on: the second, the program's name in parentheses, may itself
// hold spaces and parentheses.
std::vector<std::string> StatFields(const std::string& proc) {
  const std::string stat = ReadFile(proc + "/self/stat");
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return {};
  return absl::StrSplit(stat.substr(name_end + 1), absl::ByAnyChar(" \n"), absl::SkipEmpty());
}

// Field `number` as proc(5) counts, the first being 1.
std::optional<double> StatField(const std::vector<std::string>& fields, size_t number) {
  double value = 0;
  if (number < 3 || number - 3 >= fields.size() || !absl::SimpleAtod(fields[number - 3], &value)) return std::nullopt;
  return value;
}

// Seconds since the epoch at which the machine started.
std::optional<double> BootTime(const std::string& proc) {
  const std::string stat = ReadFile(proc + "/stat");
  for (absl::string_view line : absl::StrSplit(stat, '\n')) {
    double value = 0;
    if (absl::ConsumePrefix(&line, "btime ") && absl::SimpleAtod(line, &value)) return value;
  }
  return std::nullopt;
}

std::optional<double> OpenFiles(const std::string& proc) {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator it(proc + "/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  if (error) return std::nullopt;
  return count;
}

// "Max open files            1024                 4096                 files": the first number, which holds now.
std::optional<double> MaxFiles(const std::string& proc) {
  const std::string limits = ReadFile(proc + "/self/limits");
  for (absl::string_view line : absl::StrSplit(limits, '\n')) {
    if (!absl::ConsumePrefix(&line, "Max open files")) continue;
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    double value = 0;
    if (!words.empty() && absl::SimpleAtod(words[0], &value)) return value;
  }
  return std::nullopt;
}

}  // namespace

std::vector<MetricFamily> ProcessMetrics::Collect() const {
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const double page = static_cast<double>(sysconf(_SC_PAGESIZE));
  const std::vector<std::string> stat = StatFields(proc_);
  const auto user = StatField(stat, 14), system = StatField(stat, 15), threads = StatField(stat, 20),
             start = StatField(stat, 22), virtual_bytes = StatField(stat, 23), resident_pages = StatField(stat, 24),
             boot = BootTime(proc_), open_files = OpenFiles(proc_), max_files = MaxFiles(proc_);

  std::vector<MetricFamily> families;
  const auto add = [&](const char* name, const char* help, MetricType type, double value) {
    families.push_back(MakeFamily(name, help, type, value));
  };
  if (user && system) {
    add("process_cpu_seconds_total", "User and system CPU time spent in seconds.", MetricType::Counter,
        (*user + *system) / ticks);
  }
  if (resident_pages) {
    add("process_resident_memory_bytes", "Resident memory size in bytes.", MetricType::Gauge, *resident_pages * page);
  }
  if (virtual_bytes) {
    add("process_virtual_memory_bytes", "Virtual memory size in bytes.", MetricType::Gauge, *virtual_bytes);
  }
  if (open_files) {
    add("process_open_fds", "Number of open file descriptors.", MetricType::Gauge, *open_files);
  }
  if (max_files) {
    add("process_max_fds", "Maximum number of open file descriptors.", MetricType::Gauge, *max_files);
  }
  if (boot && start) {
    add("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", MetricType::Gauge,
        *boot + *start / ticks);
  }
  if (threads) {
    add("process_threads", "Number of threads of the process.", MetricType::Gauge, *threads);
  }
  return families;
}

}  // namespace stillwave::metrics
