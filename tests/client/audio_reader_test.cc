#include "client/audio_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/client/exit_matchers.h"
#include "tests/client/wav_bytes.h"

namespace stillwave::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string FloatBytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

TEST(AudioReader, BringsWholeNumbersOfEveryWidthToOne) {
  for (const int bits : {16, 24, 32}) {
    const int64_t half = int64_t{1} << (bits - 2);
    for (const bool extensible : {false, true}) {
      const auto array = ParseAudio(
          WavFile({.rate = 11025, .bits = bits, .extensible = extensible}, Pcm({half, -2 * half, 0}, bits / 8)),
          "x.wav");
      ASSERT_THAT(array, Succeeds()) << bits;
      EXPECT_THAT(array->shape, ElementsAre(3));
      EXPECT_THAT(array->values, ElementsAre(0.5F, -1.0F, 0.0F)) << bits;
      EXPECT_EQ(array->sample_rate_hz, 11025);
      EXPECT_EQ(array->source, "x.wav");
    }
  }
}

TEST(AudioReader, TakesFloatingPointAsItIs) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto array = ParseAudio(WavFile({.tag = 3, .bits = 32}, FloatBytes({2.5F, -1e20F, nan})), "x.wav");
  ASSERT_THAT(array, Succeeds());
  EXPECT_EQ(array->values[0], 2.5F);
  EXPECT_EQ(array->values[1], -1e20F);
  EXPECT_TRUE(std::isnan(array->values[2]));
  EXPECT_EQ(array->not_finite, 1);
}

TEST(AudioReader, KeepsTheChannelsOfASampleTogether) {
  const auto array = ParseAudio(WavFile({.channels = 2}, Pcm({16384, 0, -16384, 8192}, 2)), "x.wav");
  ASSERT_THAT(array, Succeeds());
  EXPECT_THAT(array->shape, ElementsAre(2, 2));
  EXPECT_THAT(array->values, ElementsAre(0.5F, 0.0F, -0.5F, 0.25F));
}

TEST(AudioReader, ReadsWhatIsThereOfARecordingThatWasCutOff) {
  const auto cut = ParseAudio(WavFile({}, Pcm({16384, 16384}, 2), /*data_bytes=*/1000), "x.wav");
  ASSERT_THAT(cut, Succeeds());
  EXPECT_THAT(cut->values, ElementsAre(0.5F, 0.5F));
}

TEST(AudioReader, RefusesWhatHoldsNoSamplesItCanTake) {
  EXPECT_THAT(ParseAudio("1,2,3\n", "x.wav"), FailsWith(ExitCode::kBadInput, "x.wav: neither a WAV nor a FLAC file"));
  EXPECT_THAT(ParseAudio("fLaC", "x.flac"), FailsWith(ExitCode::kBadInput, HasSubstr("x.flac: not a sound file")));
  EXPECT_THAT(ParseAudio(WavFile({}, ""), "x.wav"), FailsWith(ExitCode::kBadInput, HasSubstr("x.wav: ")));
  // 7: μ-law.
  EXPECT_THAT(ParseAudio(WavFile({.tag = 7, .bits = 8}, "abcd"), "x.wav"),
              FailsWith(ExitCode::kBadInput, HasSubstr("must hold PCM or floating-point samples; has U-Law")));
  const double huge = 1e300;
  EXPECT_THAT(ParseAudio(WavFile({.tag = 3, .bits = 64}, {reinterpret_cast<const char*>(&huge), 8}), "x.wav"),
              FailsWith(ExitCode::kBadInput, HasSubstr("value 0 is 1e+300, which does not fit into FP32")));
}

TEST(AudioReader, KnowsSoundFilesByTheirFirstBytes) {
  EXPECT_TRUE(HasAudioMagic(WavFile({}, "")));
  EXPECT_TRUE(HasAudioMagic("fLaC\0\0"));
  EXPECT_FALSE(
      HasAudioMagic("RIFF\x04\x00\x00\x00"
                    "AVI "));
  EXPECT_FALSE(HasAudioMagic("RIFF"));
}

}  // namespace
}  // namespace stillwave::client
