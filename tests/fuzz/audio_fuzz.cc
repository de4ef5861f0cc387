// libFuzzer: any bytes are a series with as many values as its shape says, or an error; never a crash.
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "client/audio_reader.h"
#include "server/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto array =
      stillwave::client::ParseAudio(absl::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!array.ok()) return 0;
  int64_t count = 1;
  for (const int64_t dim : array->shape) count *= dim;
  SW_CHECK(count > 0 && static_cast<int64_t>(array->values.size()) == count);
  int64_t not_finite = 0;
  for (const float value : array->values) not_finite += std::isfinite(value) ? 0 : 1;
  SW_CHECK(array->not_finite == not_finite && array->sample_rate_hz >= 0);
  return 0;
}
