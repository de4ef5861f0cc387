#include "server/batching/cpu_grant.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "server/batching/cgroup.h"

namespace stillwave::batching {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Version 2: one file "<quota|max> <period>". Version 1: two files.
std::optional<double> QuotaOf(const std::string& folder, int version) {
  if (version == 1) {
    return ParseQuota(ReadFile(absl::StrCat(folder, "/cpu.cfs_quota_us")),
                      ReadFile(absl::StrCat(folder, "/cpu.cfs_period_us")));
  }
  const std::string text = ReadFile(absl::StrCat(folder, "/cpu.max"));
  const std::vector<absl::string_view> words = absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  return words.size() == 2 ? ParseQuota(words[0], words[1]) : std::nullopt;
}

// The smallest quota of the process's cgroups and all their parents.
std::optional<double> SmallestQuota(const std::string& root) {
  std::optional<double> smallest;
  for (const Cgroup& cgroup : FindCgroups(root, "cpu")) {
    for (const std::string& folder : Folders(cgroup)) {
      const std::optional<double> quota = QuotaOf(folder, cgroup.version);
      if (quota && (!smallest || *quota < *smallest)) smallest = quota;
    }
  }
  return smallest;
}

// CPUs of the innermost cpuset that says which it has. Those of a child are always among its parents'.
std::optional<int> CpusetCpus(const std::string& root) {
  for (const Cgroup& cgroup : FindCgroups(root, "cpuset")) {
    for (const std::string& folder : Folders(cgroup)) {
      for (const char* name : {"cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"}) {
        if (const std::optional<int> cpus = CountCpus(ReadFile(absl::StrCat(folder, "/", name)))) return cpus;
      }
    }
  }
  return std::nullopt;
}

int AffinityCpus() {
  // CPU_SETSIZE is 1024; a larger machine needs a larger set, which the call asks for with an error.
  for (int cpus = CPU_SETSIZE; cpus <= CPU_SETSIZE * 64; cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<size_t>(cpus));
    if (set == nullptr) break;
    const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(cpus));
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    const int count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (known) return std::max(count, 1);
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

CpuGrant FindCpuGrant(const std::string& root, int affinity_cpus) {
  const std::string prefix = root == "/" ? "" : root;
  CpuGrant grant;
  grant.cpus = affinity_cpus > 0 ? affinity_cpus : AffinityCpus();
  grant.reason = absl::StrCat("the scheduler's affinity allows ", grant.cpus);
  if (const std::optional<int> cpus = CpusetCpus(prefix); cpus && *cpus < grant.cpus) {
    grant = {*cpus, absl::StrCat("the cgroup's cpuset has ", *cpus, " CPUs")};
  }
  // As a double: a quota may be larger than any int.
  const std::optional<double> quota = SmallestQuota(prefix);
  if (quota && std::ceil(*quota) < static_cast<double>(grant.cpus)) {
    grant = {std::max(1, static_cast<int>(std::ceil(*quota))), absl::StrCat("the cgroup's quota is ", *quota, " CPUs")};
  }
  return grant;
}

}  // namespace stillwave::batching
