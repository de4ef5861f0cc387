#include "server/streaming/sample_chunk.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace stillwave::streaming {
namespace {

// The bytes of the field that is set.
struct SampleBytes {
  const char* field = "";
  SampleType type = SampleType::kFloat32;
  const std::string* bytes = nullptr;  // null: none is
};

SampleBytes BytesIn(const v1::SampleChunk& chunk) {
  switch (chunk.samples_case()) {
    case v1::SampleChunk::kFp32Samples:
      return {"fp32_samples", SampleType::kFloat32, &chunk.fp32_samples()};
    case v1::SampleChunk::kFp64Samples:
      return {"fp64_samples", SampleType::kFloat64, &chunk.fp64_samples()};
    case v1::SampleChunk::kInt16Samples:
      return {"int16_samples", SampleType::kInt16, &chunk.int16_samples()};
    case v1::SampleChunk::SAMPLES_NOT_SET:
      break;
  }
  return {};
}

}  // namespace

absl::StatusOr<ChunkView> ViewSamples(const v1::SampleChunk& chunk, const SeriesInfo& series) {
  const SampleBytes sent = BytesIn(chunk);
  ChunkView view;
  view.channels = series.window.channels;
  view.layout = series.layout;
  view.type = sent.type;
  view.scaling = &series.int16_scaling;
  if (sent.bytes == nullptr) return view;
  const auto bytes = static_cast<int64_t>(sent.bytes->size());
  const int64_t sample_bytes = view.channels * ByteSize(sent.type);
  if (bytes % sample_bytes != 0) {
    return absl::InvalidArgumentError(absl::StrCat(sent.field, " must be a multiple of ", sample_bytes, " bytes (",
                                                   view.channels, " channels of ", ByteSize(sent.type), "); was ",
                                                   bytes));
  }
  view.data = sent.bytes->data();
  view.samples = bytes / sample_bytes;
  if (const std::optional<UnusableValue> found = FindUnusable(view)) {
    return absl::InvalidArgumentError(
        absl::StrCat(sent.field, " must be finite", sent.type == SampleType::kFloat64 ? " and within FP32" : "",
                     "; the value at index ", found->index, " of the chunk is ", found->value,
                     " (leave the samples out: a jump of sample_index is a gap)"));
  }
  return view;
}

}  // namespace stillwave::streaming
