// A folder of models, measured one after the other.
#pragma once

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tests/benchmark/command_line.h"

namespace stillwave::benchmark {

// For each folder of `line.models` that has a model.onnx, in the order of their names: one answer a batch, or one with
// "refused" and the reason. The length is that of the first case of cases.json, where the model leaves it open.
// `progress` gets a line a model. NOT_FOUND when there is no model.
absl::Status RunZoo(const CommandLine& line, absl::FunctionRef<void(absl::string_view)> answer,
                    absl::FunctionRef<void(absl::string_view)> progress);

}  // namespace stillwave::benchmark
