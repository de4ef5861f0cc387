#include "server/batching/cpu_grant.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace stillwave::batching {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// "150000", "100000" -> 1.5. Nothing when there is no limit ("max" or -1) or the words make no sense.
std::optional<double> Quota(absl::string_view quota, absl::string_view period) {
  double quota_us = 0, period_us = 0;
  if (!absl::SimpleAtod(quota, &quota_us) || !absl::SimpleAtod(period, &period_us)) return std::nullopt;
  if (!(quota_us > 0) || !(period_us > 0)) return std::nullopt;
  return quota_us / period_us;
}

// Version 2: one file "<quota|max> <period>".
std::optional<double> QuotaV2(const std::string& folder) {
  const std::string text = ReadFile(absl::StrCat(folder, "/cpu.max"));
  const std::vector<std::string> words = absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  return words.size() == 2 ? Quota(words[0], words[1]) : std::nullopt;
}

// Version 1: two files.
std::optional<double> QuotaV1(const std::string& folder) {
  return Quota(ReadFile(absl::StrCat(folder, "/cpu.cfs_quota_us")),
               ReadFile(absl::StrCat(folder, "/cpu.cfs_period_us")));
}

// The smallest quota of `path` below `mount` and all its parents, the mount's own root included: inside a container
// the path may be the host's, and only the root is there.
template <typename ReadQuota>
std::optional<double> SmallestQuota(const std::string& mount, absl::string_view path, ReadQuota read_quota) {
  std::optional<double> smallest;
  std::string folder(path == "/" ? "" : path);
  while (true) {
    const std::optional<double> quota = read_quota(absl::StrCat(mount, folder));
    if (quota && (!smallest || *quota < *smallest)) smallest = quota;
    if (folder.empty()) return smallest;
    const size_t slash = folder.rfind('/');
    folder.resize(slash == std::string::npos ? 0 : slash);
  }
}

bool HasController(absl::string_view controllers, absl::string_view name) {
  for (const absl::string_view controller : absl::StrSplit(controllers, ',')) {
    if (controller == name) return true;
  }
  return false;
}

// /proc/self/cgroup has a line "0::<path>" for version 2 and lines "<id>:cpu,cpuacct:<path>" for version 1.
std::optional<double> CgroupQuota(const std::string& root) {
  const std::string mount = absl::StrCat(root, "/sys/fs/cgroup");
  std::optional<double> smallest;
  const std::string cgroups = ReadFile(absl::StrCat(root, "/proc/self/cgroup"));
  for (const absl::string_view line : absl::StrSplit(cgroups, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    std::optional<double> quota;
    if (parts[1].empty()) {
      quota = SmallestQuota(mount, parts[2], QuotaV2);
    } else if (HasController(parts[1], "cpu")) {
      // Mounted under the joined name, with "cpu" as a link to it; some systems have only one of them.
      quota = SmallestQuota(absl::StrCat(mount, "/cpu"), parts[2], QuotaV1);
      if (!quota) quota = SmallestQuota(absl::StrCat(mount, "/", parts[1]), parts[2], QuotaV1);
    }
    if (quota && (!smallest || *quota < *smallest)) smallest = quota;
  }
  return smallest;
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
  const int allowed = affinity_cpus > 0 ? affinity_cpus : AffinityCpus();
  const std::optional<double> quota = CgroupQuota(root == "/" ? "" : root);
  // As a double: a quota may be larger than any int.
  if (quota && std::ceil(*quota) < static_cast<double>(allowed)) {
    return {std::max(1, static_cast<int>(std::ceil(*quota))), absl::StrCat("the cgroup's quota is ", *quota, " CPUs")};
  }
  return {allowed, absl::StrCat("the scheduler's affinity allows ", allowed)};
}

}  // namespace stillwave::batching
