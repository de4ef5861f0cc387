// How a model is to be loaded.
#pragma once

#include <cstdint>

namespace stillwave::model {

// How BatchNormalization is run.
enum class BatchNormMode { kPrimitive, kFolded };

struct LoadOptions {
  // Samples one Run may take; more is split by the caller. Positive.
  int64_t max_batch_size = 32;
  BatchNormMode batch_norm = BatchNormMode::kPrimitive;
  // Time steps to warm up for when the time axis is dynamic. 0: a length is chosen.
  int64_t window_length = 0;
};

}  // namespace stillwave::model
