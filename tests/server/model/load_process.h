// A model loaded and run in a process of its own (load_one_model), under the limits that every file must keep.
#pragma once

#include <string>

#include "nlohmann/json.hpp"

namespace stillwave::model {

// 512 MiB of addresses and 2 seconds of computing: of computing, because how long that takes depends on who else uses
// the machine. No limits under sanitizers, which reserve terabytes of addresses and compute several times as long.
enum class Limits { kOn, kOff };

// What load_one_model prints; null, with a failure of the test, when the process ended badly.
nlohmann::json LoadAndRun(const std::string& path, int samples = 1, int time_steps = 16, Limits limits = Limits::kOn);

}  // namespace stillwave::model
