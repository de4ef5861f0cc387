// libFuzzer: any bytes are an array with as many values as its shape says, or an error; never a crash.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "client/npy_reader.h"
#include "server/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto array = stillwave::client::ParseNpy(absl::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!array.ok()) return 0;
  int64_t count = 1;
  for (const int64_t dim : array->shape) count *= dim;
  SW_CHECK(static_cast<int64_t>(array->values.size()) == count);
  SW_CHECK(array->not_finite >= 0 && array->not_finite <= count);
  return 0;
}
