#include "server/repository/version_policy.h"

#include <algorithm>
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
                              absl::Span<const int64_t> present) {
  VersionActions actions;
  const std::vector<int64_t> wanted = WantedVersions(policy, present, &actions.missing);
  const auto is_known = [&](int64_t version) {
    return std::any_of(known.begin(), known.end(), [&](const KnownVersion& one) { return one.version == version; });
  };
  for (const int64_t version : wanted) {
    if (!is_known(version)) actions.load.push_back(version);
  }
  for (const KnownVersion& one : known) {
    if (!std::binary_search(wanted.begin(), wanted.end(), one.version)) actions.unload.push_back(one.version);
  }
  std::sort(actions.unload.begin(), actions.unload.end());
  return actions;
}

}  // namespace stillwave::repository
