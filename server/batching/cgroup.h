// Where the kernel keeps the limits of this process: cgroup versions 1 and 2, also both at once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace stillwave::batching {

// The process's cgroup of one controller, as far up as this mount shows it.
struct Cgroup {
  int version = 2;
  std::string mount_point;  // "/sys/fs/cgroup", with the root that stands for "/" in front
  std::string path;         // below it; "" for the mount's own root, else "/pod/app"
};

// By /proc/self/cgroup and /proc/self/mountinfo, for a controller as in "cpu". `root` stands for "/", and is empty for
// "/" itself. Where mountinfo cannot be read, the usual places. Empty when there is none; nonsense is passed over.
std::vector<Cgroup> FindCgroups(const std::string& root, absl::string_view controller);

// The folders of the cgroup and all its parents, from the inside out. Some may not exist: inside a container the path
// may be the host's, of which only the root is there.
std::vector<std::string> Folders(const Cgroup& cgroup);

// "150000", "100000" -> 1.5. Nothing when there is no limit ("max" or -1) or the words make no sense.
std::optional<double> ParseQuota(absl::string_view quota, absl::string_view period);

// "0-3,8" -> 5. Nothing for an empty list and for nonsense.
std::optional<int> CountCpus(absl::string_view list);

}  // namespace stillwave::batching
