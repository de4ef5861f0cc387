#include "client/npy_reader.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/exit_code.h"
#include "server/npy/npy_array.h"

namespace stillwave::client {

static_assert(npy::kMaxValues == kMaxSampleValues);

absl::StatusOr<SampleArray> ParseNpy(absl::string_view bytes, absl::string_view source) {
  absl::StatusOr<npy::NpyArray> array = npy::ParseNpy(bytes);
  if (!array.ok()) return BadInputError(absl::StrCat(source, ": ", array.status().message()));
  SampleArray samples;
  samples.source = std::string(source);
  samples.shape = std::move(array->shape);
  samples.values = std::move(array->values);
  samples.not_finite = array->not_finite;
  return samples;
}

}  // namespace stillwave::client
