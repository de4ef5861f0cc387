#include "server/batching/cgroup.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace stillwave::batching {
namespace {

// More than any machine has, and few enough to be counted in an int.
constexpr int kMaxCpuNumber = 1 << 20;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<absl::string_view> Lines(absl::string_view text) { return absl::StrSplit(text, '\n', absl::SkipEmpty()); }

bool Contains(absl::string_view comma_separated, absl::string_view word) {
  const std::vector<absl::string_view> words = absl::StrSplit(comma_separated, ',');
  return std::find(words.begin(), words.end(), word) != words.end();
}

// A line of /proc/self/cgroup: "0::/app" for version 2, "4:cpu,cpuacct:/app" for version 1.
struct Membership {
  absl::string_view controllers;
  absl::string_view path;

  int version() const { return controllers.empty() ? 2 : 1; }
};

std::vector<Membership> ParseMemberships(absl::string_view text) {
  std::vector<Membership> memberships;
  for (const absl::string_view line : Lines(text)) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() == 3 && absl::StartsWith(parts[2], "/")) memberships.push_back({parts[1], parts[2]});
  }
  return memberships;
}

struct Mount {
  int version = 2;
  std::string root;  // what of the hierarchy it shows
  std::string point;
  std::string options;  // names the controllers of version 1
};

// In mountinfo, blanks and backslashes of a path are octal: "\040".
std::string DecodePath(absl::string_view text) {
  std::string path;
  for (size_t i = 0; i < text.size(); ++i) {
    const absl::string_view digits = text.substr(i, 4);
    const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
    if (digits.size() == 4 && digits[0] == '\\' && std::all_of(digits.begin() + 1, digits.end(), is_octal)) {
      path += static_cast<char>((digits[1] - '0') * 64 + (digits[2] - '0') * 8 + (digits[3] - '0'));
      i += 3;
    } else {
      path += text[i];
    }
  }
  return path;
}

// "31 23 0:28 <root> <mount point> rw,… [tags] - cgroup2 <source> <options>"
std::vector<Mount> ParseMounts(absl::string_view text) {
  std::vector<Mount> mounts;
  for (const absl::string_view line : Lines(text)) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (dash - words.begin() < 6 || words.end() - dash < 4) continue;
    const absl::string_view type = dash[1];
    if (type != "cgroup" && type != "cgroup2") continue;
    mounts.push_back({type == "cgroup" ? 1 : 2, DecodePath(words[3]), DecodePath(words[4]), std::string(dash[3])});
  }
  return mounts;
}

// Where mounts are if nobody says otherwise. Version 1 is mounted under its controllers' names, or under one of them.
std::vector<Mount> UsualMounts(const std::vector<Membership>& memberships, absl::string_view controller) {
  std::vector<Mount> mounts = {{2, "/", "/sys/fs/cgroup", ""}};
  const std::string name(controller.data(), controller.size());
  mounts.push_back({1, "/", absl::StrCat("/sys/fs/cgroup/", name), name});
  for (const Membership& membership : memberships) {
    if (membership.controllers == controller || !Contains(membership.controllers, controller)) continue;
    mounts.push_back({1, "/", absl::StrCat("/sys/fs/cgroup/", membership.controllers), name});
  }
  return mounts;
}

// The part of `path` that lies below what the mount shows; "" when it lies elsewhere, of which nothing can be seen.
std::string PathBelow(absl::string_view mount_root, absl::string_view path) {
  if (mount_root == "/") mount_root = "";
  if (!absl::StartsWith(path, mount_root) || absl::StrContains(path, "/..")) return "";
  path.remove_prefix(mount_root.size());
  while (absl::EndsWith(path, "/")) path.remove_suffix(1);
  return path.empty() || path.front() == '/' ? std::string(path.data(), path.size()) : "";
}

}  // namespace

std::vector<Cgroup> FindCgroups(const std::string& root, absl::string_view controller) {
  const std::string cgroup_text = ReadFile(absl::StrCat(root, "/proc/self/cgroup"));
  const std::vector<Membership> memberships = ParseMemberships(cgroup_text);
  std::vector<Mount> mounts = ParseMounts(ReadFile(absl::StrCat(root, "/proc/self/mountinfo")));
  if (mounts.empty()) mounts = UsualMounts(memberships, controller);
  std::vector<Cgroup> cgroups;
  for (const Membership& membership : memberships) {
    if (membership.version() == 1 && !Contains(membership.controllers, controller)) continue;
    for (const Mount& mount : mounts) {
      if (mount.version != membership.version()) continue;
      if (mount.version == 1 && !Contains(mount.options, controller)) continue;
      cgroups.push_back({mount.version, absl::StrCat(root, mount.point), PathBelow(mount.root, membership.path)});
    }
  }
  return cgroups;
}

std::vector<std::string> Folders(const Cgroup& cgroup) {
  std::vector<std::string> folders;
  std::string path = cgroup.path;
  while (true) {
    folders.push_back(absl::StrCat(cgroup.mount_point, path));
    if (path.empty()) return folders;
    const size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
}

std::optional<double> ParseQuota(absl::string_view quota, absl::string_view period) {
  double quota_us = 0, period_us = 0;
  if (!absl::SimpleAtod(quota, &quota_us) || !absl::SimpleAtod(period, &period_us)) return std::nullopt;
  if (!(quota_us > 0) || !(period_us > 0)) return std::nullopt;
  return quota_us / period_us;
}

std::optional<int> CountCpus(absl::string_view list) {
  int64_t cpus = 0;
  for (const absl::string_view range : absl::StrSplit(absl::StripAsciiWhitespace(list), ',')) {
    const std::vector<absl::string_view> ends = absl::StrSplit(range, absl::MaxSplits('-', 1));
    int first = 0, last = 0;
    if (!absl::SimpleAtoi(ends.front(), &first) || !absl::SimpleAtoi(ends.back(), &last)) return std::nullopt;
    if (first < 0 || last < first || last > kMaxCpuNumber) return std::nullopt;
    cpus += last - first + 1;
    if (cpus > kMaxCpuNumber) return std::nullopt;
  }
  return static_cast<int>(cpus);
}

}  // namespace stillwave::batching
