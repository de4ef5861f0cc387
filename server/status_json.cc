#include "server/status_json.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "server/drift/drift_watch.h"

namespace stillwave {
namespace {

using Json = nlohmann::ordered_json;

Json DriftOf(const repository::IndexEntry& entry, const drift::DriftReport& report) {
  Json layers = Json::array();
  for (const drift::LayerReport& layer : report.layers) {
    Json divergence = Json::array();
    for (const drift::ChannelDrift& channel : layer.channels) divergence.push_back(channel.divergence);
    layers.push_back({{"name", layer.name}, {"divergence", std::move(divergence)}});
  }
  return {{"model", entry.name}, {"version", entry.version}, {"layers", std::move(layers)}};
}

}  // namespace

std::string StatusJson(const repository::ModelRepository& repository) {
  Json models = Json::array();
  Json drift = Json::array();
  for (const repository::IndexEntry& entry : repository.Index()) {
    models.push_back({{"name", entry.name},
                      {"version", entry.version},
                      {"state", repository::Name(entry.state)},
                      {"reason", entry.reason}});
    if (entry.state != repository::VersionState::kReady) continue;
    const auto served = repository.Find(entry.name, entry.version);
    if (!served.ok() || (*served)->drift() == nullptr) continue;
    const drift::DriftReport report = (*served)->drift()->Report();
    if (report.sufficient) drift.push_back(DriftOf(entry, report));
  }
  const Json status = {{"models", std::move(models)}, {"drift", std::move(drift)}};
  // Names of folders need not be UTF-8.
  return status.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace stillwave
