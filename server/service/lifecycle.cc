#include "server/service/lifecycle.h"

#include "server/base/status_macros.h"

namespace stillwave::service {
namespace {

absl::Status Draining() { return absl::UnavailableError("the server is stopping; try another one"); }

}  // namespace

absl::Status Lifecycle::Readiness() const {
  if (phase_.load() != Phase::kServing) return Draining();
  return repository_->Readiness(strict_);
}

absl::Status Lifecycle::ModelReadiness(absl::string_view name, absl::string_view version) const {
  RETURN_IF_ERROR(repository_->Find(name, version).status());
  return phase_.load() == Phase::kServing ? absl::OkStatus() : Draining();
}

absl::Status Lifecycle::Admission() const { return phase_.load() == Phase::kRefusing ? Draining() : absl::OkStatus(); }

absl::Status Lifecycle::StreamAdmission() const {
  const Phase phase = phase_.load();
  return phase == Phase::kServing || phase == Phase::kDraining ? absl::OkStatus() : Draining();
}

}  // namespace stillwave::service
