// Sound files: WAV and FLAC.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/sample_array.h"

namespace stillwave::client {

// True when `bytes` begin as a WAV (RIFF, RIFX, RF64) or FLAC file does.
bool HasAudioMagic(absl::string_view bytes);

// `bytes` is a whole file. {S} for one channel, {S, C} for more, with the file's sample rate. Whole numbers of any
// width are brought to -1 … 1, as torchaudio and soundfile do it; floating-point samples are taken as they are. Bad
// input (client/exit_code.h) naming `source` for other encodings, no samples, more than kMaxSampleValues of them, or a
// finite one that does not fit into FP32.
absl::StatusOr<SampleArray> ParseAudio(absl::string_view bytes, absl::string_view source);

}  // namespace stillwave::client
