// tests/data/drift/reference.json: what numpy says.
#pragma once

#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "server/base/check.h"
#include "tests/support/test_models.h"

namespace stillwave::drift {

inline nlohmann::json ReadReference() {
  std::ifstream file(absl::StrCat(test_support::DataDir(), "/drift/reference.json"));
  SW_CHECK(file.is_open());
  return nlohmann::json::parse(file);
}

inline std::vector<double> ToDoubles(const nlohmann::json& array) { return array.get<std::vector<double>>(); }

}  // namespace stillwave::drift
