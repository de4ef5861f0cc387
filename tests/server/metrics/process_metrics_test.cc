#include "server/metrics/process_metrics.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::metrics {
namespace {

using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

std::map<std::string, double> Values(const ProcessMetrics& process) {
  std::map<std::string, double> values;
  for (const auto& family : process.Collect()) {
    const auto& metric = family.metric.at(0);
    values[family.name] = family.type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value;
  }
  return values;
}

// A folder that looks like /proc.
class FakeProc {
 public:
  FakeProc() : root_(std::filesystem::path(testing::TempDir()) / ("proc" + std::to_string(getpid()))) {
    std::filesystem::create_directories(root_ / "self" / "fd");
  }
  ~FakeProc() { std::filesystem::remove_all(root_); }
  void Write(const std::string& name, const std::string& text) { std::ofstream(root_ / name) << text; }
  std::string path() const { return root_; }

 private:
  const std::filesystem::path root_;
};

TEST(ProcessMetricsTest, ReportsTheStandardSetForThisProcess) {
  const auto values = Values(ProcessMetrics());
  EXPECT_THAT(values,
              UnorderedElementsAre(Key("process_cpu_seconds_total"), Key("process_resident_memory_bytes"),
                                   Key("process_virtual_memory_bytes"), Key("process_open_fds"), Key("process_max_fds"),
                                   Key("process_start_time_seconds"), Key("process_threads")));
  EXPECT_GT(values.at("process_resident_memory_bytes"), 100'000);
  EXPECT_GE(values.at("process_open_fds"), 3);
  EXPECT_GE(values.at("process_threads"), 1);
}

TEST(ProcessMetricsTest, ReadsFieldsBehindAProgramNameWithSpacesAndParentheses) {
  FakeProc proc;
  proc.Write("self/stat",
             "7 (a b) c) S 1 7 7 0 -1 4194304 100 0 0 0 300 200 0 0 20 0 5 0 6000 1048576 10 18446744073709551615\n");
  proc.Write("stat", "cpu 1 2 3\nbtime 1000\nprocesses 9\n");
  proc.Write("self/limits", "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024    4096    files\n");
  proc.Write("self/fd/0", "");
  proc.Write("self/fd/1", "");
  const auto values = Values(ProcessMetrics(proc.path()));
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  EXPECT_EQ(values.at("process_cpu_seconds_total"), 500 / ticks);
  EXPECT_EQ(values.at("process_threads"), 5);
  EXPECT_EQ(values.at("process_start_time_seconds"), 1000 + 6000 / ticks);
  EXPECT_EQ(values.at("process_virtual_memory_bytes"), 1048576);
  EXPECT_EQ(values.at("process_resident_memory_bytes"), 10 * static_cast<double>(sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(values.at("process_max_fds"), 1024);
  EXPECT_EQ(values.at("process_open_fds"), 2);
}

TEST(ProcessMetricsTest, LeavesOutWhatCannotBeRead) {
  EXPECT_THAT(Values(ProcessMetrics("/nowhere/proc")), IsEmpty());
  FakeProc proc;
  proc.Write("self/stat", "7 (short) S 1");
  EXPECT_THAT(Values(ProcessMetrics(proc.path())), UnorderedElementsAre(Key("process_open_fds")));
}

}  // namespace
}  // namespace stillwave::metrics
