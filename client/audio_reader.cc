#include "client/audio_reader.h"

#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/exit_code.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

constexpr sf_count_t kFramesAtOnce = 4096;

// What the library reads from instead of a file.
struct AudioBytes {
  absl::string_view bytes;
  sf_count_t at = 0;

  sf_count_t size() const { return static_cast<sf_count_t>(bytes.size()); }
};

sf_count_t AudioLength(void* user) { return static_cast<AudioBytes*>(user)->size(); }

sf_count_t AudioSeek(sf_count_t offset, int whence, void* user) {
  AudioBytes& audio = *static_cast<AudioBytes*>(user);
  const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? audio.at : audio.size();
  // A header may name any place; those outside are the file's ends.
  sf_count_t place = 0;
  if (__builtin_add_overflow(base, offset, &place)) place = audio.size();
  audio.at = std::clamp<sf_count_t>(place, 0, audio.size());
  return audio.at;
}

sf_count_t AudioRead(void* to, sf_count_t count, void* user) {
  AudioBytes& audio = *static_cast<AudioBytes*>(user);
  const sf_count_t taken = std::clamp<sf_count_t>(count, 0, audio.size() - audio.at);
  if (taken > 0) std::memcpy(to, audio.bytes.data() + audio.at, static_cast<size_t>(taken));
  audio.at += taken;
  return taken;
}

sf_count_t AudioWrite(const void*, sf_count_t, void*) { return 0; }

sf_count_t AudioTell(void* user) { return static_cast<AudioBytes*>(user)->at; }

struct CloseAudio {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using AudioFile = std::unique_ptr<SNDFILE, CloseAudio>;

bool IsPlainEncoding(int format) {
  constexpr std::array<int, 7> kPlain = {SF_FORMAT_PCM_S8, SF_FORMAT_PCM_U8, SF_FORMAT_PCM_16, SF_FORMAT_PCM_24,
                                         SF_FORMAT_PCM_32, SF_FORMAT_FLOAT,  SF_FORMAT_DOUBLE};
  return std::find(kPlain.begin(), kPlain.end(), format & SF_FORMAT_SUBMASK) != kPlain.end();
}

std::string EncodingName(int format) {
  SF_FORMAT_INFO info{};
  info.format = format & SF_FORMAT_SUBMASK;
  const bool known = sf_command(nullptr, SFC_GET_FORMAT_INFO, &info, sizeof(info)) == 0 && info.name != nullptr;
  return known ? info.name : absl::StrCat("encoding ", info.format);
}

// The header's count of samples is not relied on: recorders that were cut off leave a wrong one.
absl::StatusOr<std::vector<float>> ReadFrames(SNDFILE* file, int channels) {
  std::vector<float> values;
  std::vector<double> frames(static_cast<size_t>(kFramesAtOnce * channels));
  while (true) {
    const sf_count_t count = sf_readf_double(file, frames.data(), kFramesAtOnce);
    if (count <= 0) return values;
    const size_t taken = static_cast<size_t>(count * channels);
    if (values.size() + taken > static_cast<size_t>(kMaxSampleValues)) {
      return BadInputError(absl::StrCat("more than ", kMaxSampleValues, " values"));
    }
    for (size_t i = 0; i < taken; ++i) {
      if (std::isfinite(frames[i]) && std::abs(frames[i]) > static_cast<double>(std::numeric_limits<float>::max())) {
        return BadInputError(
            absl::StrCat("value ", values.size(), " is ", frames[i], ", which does not fit into FP32"));
      }
      values.push_back(static_cast<float>(frames[i]));
    }
  }
}

absl::StatusOr<SampleArray> ParseAudioFile(absl::string_view bytes) {
  AudioBytes memory{bytes};
  SF_VIRTUAL_IO io = {AudioLength, AudioSeek, AudioRead, AudioWrite, AudioTell};
  SF_INFO info{};
  const AudioFile file(sf_open_virtual(&io, SFM_READ, &info, &memory));
  if (file == nullptr) {
    return BadInputError(absl::StrCat("not a sound file that can be read: ",
                                      std::string(absl::StripAsciiWhitespace(sf_strerror(nullptr)))));
  }
  if (!IsPlainEncoding(info.format)) {
    return BadInputError(
        absl::StrCat("a sound file must hold PCM or floating-point samples; has ", EncodingName(info.format)));
  }
  if (info.channels < 1) return BadInputError("the sound file has no channels");
  SampleArray array;
  ASSIGN_OR_RETURN(array.values, ReadFrames(file.get(), info.channels));
  if (array.values.empty()) return BadInputError("the sound file holds no samples");
  const int64_t samples = static_cast<int64_t>(array.values.size()) / info.channels;
  array.shape = info.channels == 1 ? std::vector<int64_t>{samples} : std::vector<int64_t>{samples, info.channels};
  array.sample_rate_hz = std::max(0, info.samplerate);
  for (const float value : array.values) array.not_finite += std::isfinite(value) ? 0 : 1;
  return array;
}

}  // namespace

bool HasAudioMagic(absl::string_view bytes) {
  if (absl::StartsWith(bytes, "fLaC")) return true;
  const bool container =
      absl::StartsWith(bytes, "RIFF") || absl::StartsWith(bytes, "RIFX") || absl::StartsWith(bytes, "RF64");
  return container && bytes.size() >= 12 && bytes.substr(8, 4) == "WAVE";
}

absl::StatusOr<SampleArray> ParseAudio(absl::string_view bytes, absl::string_view source) {
  if (!HasAudioMagic(bytes)) return BadInputError(absl::StrCat(source, ": neither a WAV nor a FLAC file"));
  absl::StatusOr<SampleArray> array = ParseAudioFile(bytes);
  if (!array.ok()) return BadInputError(absl::StrCat(source, ": ", array.status().message()));
  array->source = std::string(source);
  return array;
}

}  // namespace stillwave::client
