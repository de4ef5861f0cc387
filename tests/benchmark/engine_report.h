// An EngineMeasurement for people and for programs.
#pragma once

#include <string>

#include "nlohmann/json.hpp"
#include "tests/benchmark/engine_measurement.h"

namespace stillwave::benchmark {

// Several lines and a table of layers.
std::string ToText(const EngineMeasurement& measurement);

nlohmann::ordered_json ToJson(const EngineMeasurement& measurement);

// {"median":…,"p10":…,"minimum":…}
nlohmann::ordered_json ToJson(const Statistics& statistics);

// On one line. Names come from files: what is not UTF-8 in them is replaced.
std::string OneLine(const nlohmann::ordered_json& json);

}  // namespace stillwave::benchmark
