#include "server/repository/reload_policy.h"

namespace stillwave::repository {
namespace {

// Null when the model has no folder.
const std::string* Find(const ModelStamps& stamps, const std::string& name) {
  const auto it = stamps.find(name);
  return it == stamps.end() ? nullptr : &it->second;
}

bool Same(const std::string* a, const std::string* b) { return a == nullptr || b == nullptr ? a == b : *a == *b; }

}  // namespace

ModelChanges DecideModels(const ModelStamps& applied, const ModelStamps& before, const ModelStamps& now) {
  ModelChanges changes;
  for (const auto& [name, stamp] : now) {
    if (Same(Find(before, name), &stamp) && !Same(Find(applied, name), &stamp)) changes.update.push_back(name);
  }
  for (const auto& [name, stamp] : applied) {
    if (Find(now, name) == nullptr && Find(before, name) == nullptr) changes.remove.push_back(name);
  }
  return changes;
}

}  // namespace stillwave::repository
