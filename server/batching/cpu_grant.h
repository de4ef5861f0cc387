// How many CPUs this process may really use: what the number of workers follows from.
#pragma once

#include <string>

namespace stillwave::batching {

struct CpuGrant {
  int cpus = 1;        // at least 1
  std::string reason;  // "the cgroup's quota is 1.5 CPUs": for people
};

// The smallest of the scheduler affinity, the cpuset of the process's cgroup, and the CPU quota of that cgroup and all
// its parents, version 2 or 1 or both, rounded up. `root` stands for "/"; `affinity_cpus` for what sched_getaffinity
// says, and 0 asks the system. What cannot be read sets no limit.
CpuGrant FindCpuGrant(const std::string& root = "/", int affinity_cpus = 0);

}  // namespace stillwave::batching
