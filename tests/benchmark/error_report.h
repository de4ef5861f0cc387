// OutputErrors for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/benchmark/error_measurement.h"

namespace stillwave::benchmark {

// A line an output.
std::string ToText(const std::vector<OutputError>& errors);

nlohmann::ordered_json ToJson(const std::vector<OutputError>& errors);

}  // namespace stillwave::benchmark
