#include "server/status_json.h"

#include <nlohmann/json.hpp>

namespace stillwave {

std::string StatusJson(const std::vector<repository::IndexEntry>& index) {
  nlohmann::ordered_json models = nlohmann::ordered_json::array();
  for (const repository::IndexEntry& entry : index) {
    models.push_back({{"name", entry.name},
                      {"version", entry.version},
                      {"state", repository::Name(entry.state)},
                      {"reason", entry.reason}});
  }
  // Names of folders need not be UTF-8.
  return nlohmann::ordered_json{{"models", models}}.dump(-1, ' ', false,
                                                         nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

}  // namespace stillwave
