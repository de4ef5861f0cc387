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
  kUnloaded,     // there, and nobody asked for it, or somebody asked for it to go
};

// "LOADING", "READY", "UNAVAILABLE" (also of kUnloaded), as in the repository index of the Open Inference Protocol.
const char* Name(VersionState state);

struct KnownVersion {
  int64_t version = 0;
  VersionState state = VersionState::kLoading;  // kReady: something answers, be it what an older stamp said
  std::string stamp;                            // of the files that were tried last; "" for none
  bool refused = false;                         // these files were
};

struct SeenVersion {
  int64_t version = 0;
  std::string stamp;  // of the files that are there now; not empty
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

// One step towards what the policy wants of the versions that are there. Loads come first: what is wanted and was not
// tried with these files yet, be it new, changed or refused before. When no load is left, it unloads what is known and
// not wanted; but for every wanted version that does not answer, the highest that does and still lies there goes on in
// its place. A refused version is not tried again before its files change. Applied until nothing is left to do, it
// comes to rest.
VersionActions DecideVersions(const model::VersionPolicy& policy, absl::Span<const KnownVersion> known,
                              absl::Span<const SeenVersion> seen);

}  // namespace stillwave::repository
