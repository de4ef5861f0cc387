// Which models of a polled repository to look at again, decided from what two polls saw.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace stillwave::repository {

// By model name: StampOf what its folder holds. A model without a folder has no entry.
using ModelStamps = std::map<std::string, std::string>;

struct ModelChanges {
  std::vector<std::string> update;  // new, or changed: ascending
  std::vector<std::string> remove;  // the folder is gone: ascending
};

// `applied`: what was acted on last, whatever came of it, so that a refused model is tried again only when its files
// change. `before` and `now`: what the last poll saw and what this one sees. A change counts when both see the same:
// what is still being copied, and a folder that is gone for the moment in which another one takes its place, waits.
ModelChanges DecideModels(const ModelStamps& applied, const ModelStamps& before, const ModelStamps& now);

}  // namespace stillwave::repository
