#include "server/repository/model_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/quoted.h"

namespace stillwave::repository {
namespace {

constexpr size_t kMaxNamesShown = 20;
constexpr size_t kMaxNameShown = 128;  // of a name that a client sent: it comes back in a header

std::string Shown(absl::string_view name) { return base::Quoted(name, kMaxNameShown); }

// "a, b, c", cut after kMaxNamesShown; "none" for nothing.
template <typename Map>
std::string Keys(const Map& map) {
  if (map.empty()) return "none";
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) {
    if (keys.size() == kMaxNamesShown) {
      keys.push_back(absl::StrCat("and ", map.size() - kMaxNamesShown, " more"));
      break;
    }
    keys.push_back(absl::StrCat(key));
  }
  return absl::StrJoin(keys, ", ");
}

}  // namespace

absl::StatusOr<ModelTable::ServedModelPtr> ModelTable::Find(absl::string_view name, absl::string_view version) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto it = models_.find(name);
  if (it == models_.end()) {
    return absl::NotFoundError(absl::StrCat("model ", Shown(name), " is not known; known models: ", Keys(models_)));
  }
  return version.empty() ? FindNewest(name, it->second) : FindVersion(name, it->second, version);
}

absl::StatusOr<ModelTable::ServedModelPtr> ModelTable::FindNewest(absl::string_view name, const Model& model) {
  for (auto it = model.versions.rbegin(); it != model.versions.rend(); ++it) {
    if (it->second.state == VersionState::kReady) return it->second.served;
  }
  if (model.versions.empty()) {
    return absl::UnavailableError(absl::StrCat("model '", name, "' is not ready: ", model.reason));
  }
  const auto& [number, newest] = *model.versions.rbegin();
  return NotReady(name, absl::StrCat(number), newest);
}

absl::StatusOr<ModelTable::ServedModelPtr> ModelTable::FindVersion(absl::string_view name, const Model& model,
                                                                   absl::string_view version) {
  const auto it = std::find_if(model.versions.begin(), model.versions.end(),
                               [&](const auto& entry) { return absl::StrCat(entry.first) == version; });
  if (it == model.versions.end()) {
    return absl::NotFoundError(
        absl::StrCat("model '", name, "' has no version ", Shown(version), "; known versions: ", Keys(model.versions)));
  }
  if (it->second.state != VersionState::kReady) return NotReady(name, version, it->second);
  return it->second.served;
}

absl::Status ModelTable::NotReady(absl::string_view name, absl::string_view number, const Version& version) {
  return absl::UnavailableError(
      absl::StrCat("model '", name, "' version ", number,
                   " is not ready: ", version.state == VersionState::kLoading ? "it is being loaded" : version.reason));
}

std::vector<IndexEntry> ModelTable::Index() const {
  std::vector<IndexEntry> index;
  absl::ReaderMutexLock lock(&mutex_);
  for (const auto& [name, model] : models_) {
    if (model.versions.empty()) index.push_back({name, "", model.state, model.reason});
    for (const auto& [number, version] : model.versions) {
      // A configuration that was refused concerns every version that goes on without it.
      const bool newest_reason = version.reason.empty() && version.state == VersionState::kReady;
      index.push_back({name, absl::StrCat(number), version.state, newest_reason ? model.reason : version.reason});
    }
  }
  return index;
}

std::vector<std::string> ModelTable::ReadyVersions(absl::string_view name) const {
  std::vector<std::string> versions;
  absl::ReaderMutexLock lock(&mutex_);
  const auto it = models_.find(name);
  if (it == models_.end()) return versions;
  for (const auto& [number, version] : it->second.versions) {
    if (version.state == VersionState::kReady) versions.push_back(absl::StrCat(number));
  }
  return versions;
}

absl::Status ModelTable::CheckNoneRefused() const {
  absl::ReaderMutexLock lock(&mutex_);
  for (const auto& [name, model] : models_) {
    const Version* refused = nullptr;
    int64_t refused_number = 0;
    bool answers = false;
    for (const auto& [number, version] : model.versions) {
      answers = answers || version.state == VersionState::kReady;
      // One that is loaded again after a refusal counts until it is ready.
      if (version.state == VersionState::kUnloaded || version.reason.empty()) continue;
      refused = &version;
      refused_number = number;
    }
    if (answers) continue;
    if (refused != nullptr) {
      return absl::UnavailableError(
          absl::StrCat("model '", name, "' version ", refused_number, " is not ready: ", refused->reason));
    }
    if (model.state == VersionState::kUnavailable) {
      return absl::UnavailableError(absl::StrCat("model '", name, "' is not ready: ", model.reason));
    }
  }
  return absl::OkStatus();
}

std::vector<KnownVersion> ModelTable::Known(absl::string_view name) const {
  std::vector<KnownVersion> known;
  absl::ReaderMutexLock lock(&mutex_);
  const auto it = models_.find(name);
  if (it == models_.end()) return known;
  for (const auto& [number, version] : it->second.versions) {
    const bool refused = version.state != VersionState::kUnloaded && !version.reason.empty();
    known.push_back({number, version.state, version.stamp, refused});
  }
  return known;
}

void ModelTable::SetModel(const std::string& name, VersionState state, std::string reason) {
  absl::MutexLock lock(&mutex_);
  Model& model = models_[name];
  model.state = state;
  model.reason = std::move(reason);
}

void ModelTable::AddModel(const std::string& name, VersionState state, std::string reason) {
  absl::MutexLock lock(&mutex_);
  const auto [it, is_new] = models_.try_emplace(name);
  if (!is_new) return;
  it->second.state = state;
  it->second.reason = std::move(reason);
}

void ModelTable::ClearModelReason(const std::string& name) { SetModel(name, VersionState::kLoading, ""); }

void ModelTable::BeginLoad(const std::string& name, int64_t number) {
  absl::MutexLock lock(&mutex_);
  Version& version = models_[name].versions[number];
  if (version.state == VersionState::kReady) return;
  if (version.state == VersionState::kUnloaded) version.reason.clear();
  version.state = VersionState::kLoading;
}

void ModelTable::SetReady(const std::string& name, ServedModelPtr served, std::string stamp) {
  const int64_t number = served->version_number();
  Version version{VersionState::kReady, "", std::move(stamp), std::move(served)};
  absl::MutexLock lock(&mutex_);
  // What it replaces is let go of when the lock is free again: `version` was declared first.
  std::swap(models_[name].versions[number], version);
  metrics_->SetModelReady(name, absl::StrCat(number), true);
}

void ModelTable::SetRefused(const std::string& name, int64_t number, std::string reason, std::string stamp) {
  absl::MutexLock lock(&mutex_);
  Version& version = models_[name].versions[number];
  version.stamp = std::move(stamp);
  if (version.state == VersionState::kReady) {
    version.reason =
        absl::StrCat("the files as they are now were refused, and what they were before goes on: ", reason);
    return;
  }
  version.state = VersionState::kUnavailable;
  version.reason = std::move(reason);
  metrics_->SetModelReady(name, absl::StrCat(number), false);
}

void ModelTable::AbandonLoad(const std::string& name, int64_t number) {
  absl::MutexLock lock(&mutex_);
  Model& model = models_[name];
  const auto it = model.versions.find(number);
  if (it == model.versions.end() || it->second.state != VersionState::kLoading) return;
  if (it->second.reason.empty()) {
    model.versions.erase(it);
  } else {
    it->second.state = VersionState::kUnavailable;
  }
}

void ModelTable::RemoveVersions(const std::string& name, const std::vector<int64_t>& versions) {
  std::vector<Version> gone;  // let go of when the lock is free again
  absl::MutexLock lock(&mutex_);
  const auto model = models_.find(name);
  if (model == models_.end()) return;
  for (const int64_t number : versions) {
    const auto it = model->second.versions.find(number);
    if (it == model->second.versions.end()) continue;
    gone.push_back(std::move(it->second));
    model->second.versions.erase(it);
    metrics_->RemoveVersion(name, absl::StrCat(number));
  }
}

bool ModelTable::Unload(absl::string_view name) {
  std::vector<ServedModelPtr> gone;  // let go of when the lock is free again
  absl::MutexLock lock(&mutex_);
  const auto it = models_.find(name);
  if (it == models_.end()) return false;
  Model& model = it->second;
  model.state = VersionState::kUnloaded;
  model.reason = "unloaded";
  for (auto& [number, version] : model.versions) {
    gone.push_back(std::move(version.served));
    version = {VersionState::kUnloaded, "unloaded", "", nullptr};
    metrics_->RemoveVersion(name, absl::StrCat(number));
  }
  return true;
}

void ModelTable::RemoveModel(const std::string& name) {
  Model gone;  // let go of when the lock is free again
  absl::MutexLock lock(&mutex_);
  const auto it = models_.find(name);
  if (it == models_.end()) return;
  gone = std::move(it->second);
  models_.erase(it);
  for (const auto& [number, version] : gone.versions) metrics_->RemoveVersion(name, absl::StrCat(number));
  metrics_->RemoveModel(name);
}

void ModelTable::RemoveUnloadedExcept(const std::vector<std::string>& names) {
  absl::MutexLock lock(&mutex_);
  for (auto it = models_.begin(); it != models_.end();) {
    if (it->second.state != VersionState::kUnloaded || std::binary_search(names.begin(), names.end(), it->first)) {
      ++it;
      continue;
    }
    metrics_->RemoveModel(it->first);
    it = models_.erase(it);
  }
}

}  // namespace stillwave::repository
