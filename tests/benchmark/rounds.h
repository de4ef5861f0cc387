// Measurements on demand, so that another program can alternate them with its own and both meet the same machine.
#pragma once

#include <istream>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tests/benchmark/command_line.h"

namespace stillwave::benchmark {

// Loads `line.model` and answers with {"ready":true,"load_ms":…}. Then for each line "BATCH SECONDS" of `requests`:
//   {"batch":…,"runs":…,"cpu_us":{"median":…,"p10":…,"minimum":…},"wall_us":{…}}
// INVALID_ARGUMENT for another line; else errors as LoadedModel's.
absl::Status RunRounds(const CommandLine& line, std::istream& requests,
                       absl::FunctionRef<void(absl::string_view)> answer);

}  // namespace stillwave::benchmark
