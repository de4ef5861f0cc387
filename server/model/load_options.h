// How a model is to be loaded.
#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace stillwave::model {

// How BatchNormalization is run.
enum class BatchNormMode { kPrimitive, kFolded };

// What layers compute with; inputs and outputs are FP32 in any case. kBf16: activations and weights in bfloat16, sums,
// biases and BatchNormalization's statistics and affine parameters in FP32.
enum class Precision { kFp32, kBf16 };

// "fp32", "bf16".
inline constexpr const char* Name(Precision precision) { return precision == Precision::kBf16 ? "bf16" : "fp32"; }

struct LoadOptions {
  // Samples one Run may take; more is split by the caller. Positive.
  int64_t max_batch_size = 32;
  BatchNormMode batch_norm = BatchNormMode::kPrimitive;
  Precision precision = Precision::kFp32;
  // With kFolded, or for a file that tells of layers that its exporter folded: keep the network as it was before too
  // (see LoadedModel::normalizing_network), which holds the weights once more.
  bool keep_batch_norm = false;
  // Time steps to warm up for when the time axis is dynamic. 0: a length is chosen.
  int64_t window_length = 0;
  // Told how long each plan took to compile, from the thread that compiled it. May be empty.
  std::function<void(absl::Duration)> plan_compiled;
  // Asked between the steps of a load: true breaks it off. May be empty; not kept after the load.
  std::function<bool()> stop_requested;
};

// CANCELLED when the load is to be broken off.
inline absl::Status CheckNotStopped(const std::function<bool()>& stop_requested) {
  if (stop_requested == nullptr || !stop_requested()) return absl::OkStatus();
  return absl::CancelledError("the load was broken off because the server is stopping");
}

}  // namespace stillwave::model
