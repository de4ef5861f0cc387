#include "server/streaming/chunk_view.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/tensor/finite.h"

namespace stillwave::streaming {
namespace {

static_assert(std::endian::native == std::endian::little, "samples are read as they come on the wire");

// Halfway between the largest FP32 and what would be the next: from here on a double rounds to an infinity.
constexpr double kBeyondFloat = 0x1.ffffffp127;

// NaN too. No branch, so that the compiler can vectorize.
bool IsUnusable(double value) { return !(std::abs(value) < kBeyondFloat); }

template <typename Value>
Value Load(const char* data) {
  Value value;
  std::memcpy(&value, data, sizeof(value));
  return value;
}

template <typename Value, typename Convert>
void CopyValues(const char* data, int64_t stride, int64_t count, float* out, const Convert& convert) {
  constexpr auto kDense = static_cast<int64_t>(sizeof(Value));
  if (stride == kDense) {  // the compiler knows it now
    for (int64_t i = 0; i < count; ++i) out[i] = convert(Load<Value>(data + i * kDense));
    return;
  }
  for (int64_t i = 0; i < count; ++i, data += stride) out[i] = convert(Load<Value>(data));
}

std::optional<int64_t> FindUnusableDouble(const char* data, int64_t count) {
  constexpr int64_t kBlock = 256;
  const auto unusable = [data](int64_t i) {
    return IsUnusable(Load<double>(data + i * static_cast<int64_t>(sizeof(double))));
  };
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, count);
    bool found = false;
    for (int64_t i = begin; i < end; ++i) found |= unusable(i);
    if (!found) continue;
    for (int64_t i = begin; i < end; ++i) {
      if (unusable(i)) return i;
    }
  }
  return std::nullopt;
}

absl::Status CheckScalingValues(absl::string_view name, const std::vector<float>& values, int64_t channels) {
  const auto count = static_cast<int64_t>(values.size());
  if (count > 1 && count != channels) {
    return absl::InvalidArgumentError(absl::StrCat(name, " must have no value, 1, or one for each of the ", channels,
                                                   channels == 1 ? " channel" : " channels", "; were ", count));
  }
  for (int64_t i = 0; i < count; ++i) {
    const float value = values[static_cast<size_t>(i)];
    if (!std::isfinite(value)) {
      return absl::InvalidArgumentError(absl::StrCat(name, " must be finite; value ", i, " is ", value));
    }
  }
  return absl::OkStatus();
}

}  // namespace

int64_t ByteSize(SampleType type) {
  switch (type) {
    case SampleType::kFloat32:
      return 4;
    case SampleType::kFloat64:
      return 8;
    case SampleType::kInt16:
      return 2;
  }
  return 0;
}

absl::Status CheckScaling(const Int16Scaling& scaling, int64_t channels) {
  absl::Status status = CheckScalingValues("int16_scale", scaling.scale, channels);
  if (status.ok()) status = CheckScalingValues("int16_offset", scaling.offset, channels);
  if (!status.ok()) return status;
  for (int64_t channel = 0; channel < channels; ++channel) {
    for (const double number : {-32768.0, 32767.0}) {
      const double value = number * scaling.ScaleOf(channel) + scaling.OffsetOf(channel);
      if (!IsUnusable(value)) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("int16_scale and int16_offset must keep every number within FP32; ", number, " of channel ",
                       channel, " would be ", value));
    }
  }
  return absl::OkStatus();
}

void CopyChannel(const ChunkView& chunk, int64_t channel, int64_t from, int64_t count, float* out) {
  const bool rows = chunk.layout == ChunkLayout::kChannelsFirst;
  const int64_t first = rows ? channel * chunk.samples + from : from * chunk.channels + channel;
  const int64_t value_bytes = ByteSize(chunk.type);
  const int64_t stride = rows ? value_bytes : value_bytes * chunk.channels;
  const char* const data = chunk.data + first * value_bytes;
  switch (chunk.type) {
    case SampleType::kFloat32:
      CopyValues<float>(data, stride, count, out, [](float value) { return value; });
      return;
    case SampleType::kFloat64:
      CopyValues<double>(data, stride, count, out, [](double value) { return static_cast<float>(value); });
      return;
    case SampleType::kInt16: {
      SW_CHECK(chunk.scaling != nullptr);
      const double scale = chunk.scaling->ScaleOf(channel), offset = chunk.scaling->OffsetOf(channel);
      CopyValues<int16_t>(data, stride, count, out,
                          [=](int16_t number) { return static_cast<float>(number * scale + offset); });
      return;
    }
  }
}

std::optional<UnusableValue> FindUnusable(const ChunkView& chunk) {
  const int64_t count = chunk.samples * chunk.channels;
  std::optional<int64_t> at;
  switch (chunk.type) {
    case SampleType::kFloat32:
      at = tensor::FindNonFinite(chunk.data, count);
      if (!at) return std::nullopt;
      return UnusableValue{*at, Load<float>(chunk.data + *at * ByteSize(chunk.type))};
    case SampleType::kFloat64:
      at = FindUnusableDouble(chunk.data, count);
      if (!at) return std::nullopt;
      return UnusableValue{*at, Load<double>(chunk.data + *at * ByteSize(chunk.type))};
    case SampleType::kInt16:
      return std::nullopt;  // CheckScaling has seen to it
  }
  return std::nullopt;
}

}  // namespace stillwave::streaming
