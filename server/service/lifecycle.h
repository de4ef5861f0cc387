// Whether the server takes work, as every service and the probes see it.
#pragma once

#include <atomic>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/repository/model_repository.h"

namespace stillwave::service {

// serving -> draining (not ready, but still serving: balancers have time to notice) -> ending streams (those that are
// open are finished, new ones refused; the rest is served) -> refusing (accepted work is finished, new work refused).
// Thread-safe.
class Lifecycle {
 public:
  // `repository` outlives it. `strict`: not ready while any model is refused.
  Lifecycle(const repository::ModelRepository* repository, bool strict) : repository_(repository), strict_(strict) {}

  void BeginDrain() { phase_.store(Phase::kDraining); }
  void RefuseStreams() { phase_.store(Phase::kEndingStreams); }
  void RefuseWork() { phase_.store(Phase::kRefusing); }

  // OK when the server wants requests; else UNAVAILABLE with the reason.
  absl::Status Readiness() const;
  // OK when this model wants requests. NOT_FOUND for an unknown model or version, UNAVAILABLE with the reason
  // otherwise.
  absl::Status ModelReadiness(absl::string_view name, absl::string_view version) const;
  // OK unless new work is refused.
  absl::Status Admission() const;
  // OK unless new streams are refused.
  absl::Status StreamAdmission() const;

 private:
  enum class Phase { kServing, kDraining, kEndingStreams, kRefusing };

  const repository::ModelRepository* const repository_;
  const bool strict_;
  std::atomic<Phase> phase_{Phase::kServing};
};

}  // namespace stillwave::service
