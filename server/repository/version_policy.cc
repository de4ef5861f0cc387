#include "server/repository/version_policy.h"

#include <algorithm>
#include <map>
#include <set>

namespace stillwave::repository {

using model::VersionPolicy;

const char* Name(VersionState state) {
  switch (state) {
    case VersionState::kLoading:
      return "LOADING";
    case VersionState::kReady:
      return "READY";
    case VersionState::kUnavailable:
    case VersionState::kUnloaded:
      return "UNAVAILABLE";
  }
  return "UNAVAILABLE";
}

std::vector<int64_t> WantedVersions(const VersionPolicy& policy, absl::Span<const int64_t> present,
                                    std::vector<int64_t>* missing) {
  const std::set<int64_t> there(present.begin(), present.end());
  std::vector<int64_t> wanted;
  switch (policy.kind) {
    case VersionPolicy::Kind::kLatest: {
      const auto count = std::min<size_t>(there.size(), static_cast<size_t>(policy.latest));
      wanted.assign(std::prev(there.end(), static_cast<std::ptrdiff_t>(count)), there.end());
      break;
    }
    case VersionPolicy::Kind::kAll:
      wanted.assign(there.begin(), there.end());
      break;
    case VersionPolicy::Kind::kSpecific:
      for (const int64_t version : std::set<int64_t>(policy.specific.begin(), policy.specific.end())) {
        if (there.contains(version)) {
          wanted.push_back(version);
        } else if (missing != nullptr) {
          missing->push_back(version);
        }
      }
      break;
  }
  return wanted;
}

VersionActions DecideVersions(const VersionPolicy& policy, absl::Span<const KnownVersion> known,
                              absl::Span<const SeenVersion> seen) {
  std::map<int64_t, const SeenVersion*> there;
  for (const SeenVersion& one : seen) there[one.version] = &one;
  std::map<int64_t, const KnownVersion*> tried;
  for (const KnownVersion& one : known) tried[one.version] = &one;
  std::vector<int64_t> present;
  for (const auto& [version, one] : there) present.push_back(version);

  VersionActions actions;
  const std::vector<int64_t> wanted = WantedVersions(policy, present, &actions.missing);
  size_t without_answer = actions.missing.size();
  for (const int64_t version : wanted) {
    const auto it = tried.find(version);
    if (it == tried.end() || it->second->stamp != there[version]->stamp) actions.load.push_back(version);
    if (it == tried.end() || it->second->state != VersionState::kReady) ++without_answer;
  }
  if (!actions.load.empty()) return actions;
  for (auto it = tried.rbegin(); it != tried.rend(); ++it) {
    const auto& [version, one] = *it;
    if (std::binary_search(wanted.begin(), wanted.end(), version)) continue;
    // Named by the policy and not there: it stays listed, with nothing that answers.
    const bool missing = std::binary_search(actions.missing.begin(), actions.missing.end(), version);
    if (missing && one->state != VersionState::kReady) continue;
    if (one->state == VersionState::kReady && there.contains(version) && without_answer > 0) {
      --without_answer;
      continue;
    }
    actions.unload.push_back(version);
  }
  std::reverse(actions.unload.begin(), actions.unload.end());
  return actions;
}

}  // namespace stillwave::repository
