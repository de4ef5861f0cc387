// Which versions to load and to unload, decided from a snapshot; the repository only applies it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "server/model/model_config.h"

namespace stillwave::repository {

enum class VersionState {
  kLoading,
  kReady,
  kUnavailable,  // refused, with a reason
};

// "LOADING", "READY", "UNAVAILABLE", as in the repository index of the Open Inference Protocol.
const char* Name(VersionState state);

struct KnownVersion {
  int64_t version = 0;
  VersionState state = VersionState::kLoading;
};

struct VersionActions {
  std::vector<int64_t> load;     // ascending
  std::vector<int64_t> unload;   // ascending
  std::vector<int64_t> missing;  // asked for by name and not there, ascending
};

// The versions of `present` that the policy wants, ascending. `missing` (may be null) gets those that it names and that
// are not there.
std::vector<int64_t> WantedVersions(const model::VersionPolicy& policy, absl::Span<const int64_t> present,
                                    std::vector<int64_t>* missing);

// Loads what is wanted and not known; unloads what is known and not wanted or not there any more. A refused version is
// not tried again by itself.
VersionActions DecideVersions(const model::VersionPolicy& policy, absl::Span<const KnownVersion> known,
                              absl::Span<const int64_t> present);

}  // namespace stillwave::repository
