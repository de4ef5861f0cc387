// How a model is to be loaded.
#pragma once

#include <cstdint>
#include <functional>

#include "absl/time/time.h"

namespace stillwave::model {

// How BatchNormalization is run.
enum class BatchNormMode { kPrimitive, kFolded };

struct LoadOptions {
  // Samples one Run may take; more is split by the caller. Positive.
  int64_t max_batch_size = 32;
  BatchNormMode batch_norm = BatchNormMode::kPrimitive;
  // Time steps to warm up for when the time axis is dynamic. 0: a length is chosen.
  int64_t window_length = 0;
  // Told how long each plan took to compile, from the thread that compiled it. May be empty.
  std::function<void(absl::Duration)> plan_compiled;
};

}  // namespace stillwave::model
