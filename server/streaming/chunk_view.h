// The samples of a chunk as they lie on the wire, and their way into FP32.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace stillwave::streaming {

enum class ChunkLayout {
  kSamplesFirst,   // [S][C]
  kChannelsFirst,  // [C][S]
};

enum class SampleType { kFloat32, kFloat64, kInt16 };

// Bytes of one value.
int64_t ByteSize(SampleType type);

// What an INT16 stands for: number × scale + offset, in double precision, where the product is exact, and rounded to
// FP32 once.
struct Int16Scaling {
  // One value for all channels or one for each; empty: 1 and 0.
  std::vector<float> scale;
  std::vector<float> offset;

  double ScaleOf(int64_t channel) const { return Of(scale, channel, 1); }
  double OffsetOf(int64_t channel) const { return Of(offset, channel, 0); }

 private:
  static double Of(const std::vector<float>& values, int64_t channel, double none) {
    if (values.empty()) return none;
    return values[values.size() == 1 ? 0 : static_cast<size_t>(channel)];
  }
};

// INVALID_ARGUMENT: another number of values, one that is not finite, or a channel in which an INT16 would leave FP32.
// With a scaling that passes, every INT16 is a finite sample.
absl::Status CheckScaling(const Int16Scaling& scaling, int64_t channels);

// S samples of C channels, borrowed: little-endian, at any alignment.
struct ChunkView {
  const char* data = nullptr;
  int64_t samples = 0;
  int64_t channels = 1;
  ChunkLayout layout = ChunkLayout::kSamplesFirst;
  SampleType type = SampleType::kFloat32;
  const Int16Scaling* scaling = nullptr;  // REQUIRES: set for kInt16, and checked
};

// Samples [from, from + count) of one channel, as FP32, into `out`. FP64 is rounded to nearest.
void CopyChannel(const ChunkView& chunk, int64_t channel, int64_t from, int64_t count, float* out);

// A value of the chunk that is no finite FP32: NaN, infinite, or an FP64 beyond the largest FP32.
struct UnusableValue {
  int64_t index = 0;  // among the chunk's values, in its own layout
  double value = 0;
};
std::optional<UnusableValue> FindUnusable(const ChunkView& chunk);

}  // namespace stillwave::streaming
