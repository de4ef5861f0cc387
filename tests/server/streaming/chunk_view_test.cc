#include "server/streaming/chunk_view.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::streaming {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kLargestFloat = std::numeric_limits<float>::max();

// Little-endian, behind one byte: wire bytes have no alignment.
template <typename Value>
std::string Wire(const std::vector<Value>& values) {
  std::string bytes(1 + values.size() * sizeof(Value), '\0');
  std::memcpy(bytes.data() + 1, values.data(), values.size() * sizeof(Value));
  return bytes;
}

ChunkView ViewOf(const std::string& wire, SampleType type, int64_t channels,
                 ChunkLayout layout = ChunkLayout::kSamplesFirst, const Int16Scaling* scaling = nullptr) {
  const auto bytes = static_cast<int64_t>(wire.size()) - 1;
  return {wire.data() + 1, bytes / (channels * ByteSize(type)), channels, layout, type, scaling};
}

std::vector<float> Channel(const ChunkView& chunk, int64_t channel, int64_t from, int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  CopyChannel(chunk, channel, from, count, values.data());
  return values;
}

TEST(ChunkViewTest, DoublesAreRoundedToTheNearestFloat) {
  const double between = 1 + std::ldexp(1.0, -24) + std::ldexp(1.0, -40);  // nearer to the float above 1 than to 1
  const std::string wire = Wire<double>({0.1, between, -1e-320, kLargestFloat});
  EXPECT_THAT(Channel(ViewOf(wire, SampleType::kFloat64, 1), 0, 0, 4),
              ElementsAre(0.1F, std::nextafter(1.0F, 2.0F), 0.0F, std::numeric_limits<float>::max()));
}

TEST(ChunkViewTest, DoublesOfSeveralChannelsAreFoundInBothLayouts) {
  const std::string wire = Wire<double>({1, 10, 2, 20, 3, 30});
  EXPECT_THAT(Channel(ViewOf(wire, SampleType::kFloat64, 2), 1, 1, 2), ElementsAre(20, 30));
  const ChunkView rows = ViewOf(wire, SampleType::kFloat64, 2, ChunkLayout::kChannelsFirst);
  EXPECT_THAT(Channel(rows, 0, 0, 3), ElementsAre(1, 10, 2));
  EXPECT_THAT(Channel(rows, 1, 1, 2), ElementsAre(3, 30));
}

TEST(ChunkViewTest, NumbersAreScaledByTheirChannel) {
  const std::string wire = Wire<int16_t>({-32768, 1, 32767, 2, 0, 3});
  const Int16Scaling each{{0.5F, 10}, {1, -1}};
  EXPECT_THAT(Channel(ViewOf(wire, SampleType::kInt16, 2, ChunkLayout::kSamplesFirst, &each), 0, 0, 3),
              ElementsAre(-16383, 16384.5F, 1));
  EXPECT_THAT(Channel(ViewOf(wire, SampleType::kInt16, 2, ChunkLayout::kSamplesFirst, &each), 1, 0, 3),
              ElementsAre(9, 19, 29));
  const Int16Scaling one{{2}, {}};
  EXPECT_THAT(Channel(ViewOf(wire, SampleType::kInt16, 2, ChunkLayout::kChannelsFirst, &one), 1, 0, 3),
              ElementsAre(4, 0, 6));
  const Int16Scaling none;
  EXPECT_THAT(Channel(ViewOf(wire, SampleType::kInt16, 1, ChunkLayout::kSamplesFirst, &none), 0, 0, 3),
              ElementsAre(-32768, 1, 32767));
}

TEST(ChunkViewTest, AScaledNumberIsRoundedOnce) {
  int differing = 0;  // from what it would be if the product were rounded too
  const float scale = 0.1F, offset = 0.37F;
  const Int16Scaling scaling{{scale}, {offset}};
  for (int number = 1; number < 32767; number += 2) {
    const std::string wire = Wire<int16_t>({static_cast<int16_t>(number)});
    const float got = Channel(ViewOf(wire, SampleType::kInt16, 1, ChunkLayout::kSamplesFirst, &scaling), 0, 0, 1)[0];
    ASSERT_EQ(got, static_cast<float>(number * double{scale} + double{offset})) << number;
    differing += got != static_cast<float>(number * double{scale}) + offset;
  }
  EXPECT_GT(differing, 0);
}

TEST(ChunkViewTest, TheFirstUnusableValueIsNamed) {
  std::vector<double> values(1000, 1.5);
  EXPECT_FALSE(FindUnusable(ViewOf(Wire(values), SampleType::kFloat64, 2)).has_value());
  values[997] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(FindUnusable(ViewOf(Wire(values), SampleType::kFloat64, 2))->index, 997);
  values[700] = -1e39;
  const auto found = FindUnusable(ViewOf(Wire(values), SampleType::kFloat64, 2));
  EXPECT_EQ(found->index, 700);
  EXPECT_EQ(found->value, -1e39);
  const auto infinite = FindUnusable(ViewOf(Wire<float>({1, -INFINITY}), SampleType::kFloat32, 1));
  EXPECT_EQ(infinite->index, 1);
  EXPECT_EQ(infinite->value, -INFINITY);
}

TEST(ChunkViewTest, WhatRoundsToTheLargestFloatIsUsable) {
  const double halfway = kLargestFloat + std::ldexp(1.0, 103);
  const double below = std::nextafter(halfway, 0);
  const std::string usable = Wire<double>({below});
  EXPECT_FALSE(FindUnusable(ViewOf(usable, SampleType::kFloat64, 1)).has_value());
  EXPECT_THAT(Channel(ViewOf(usable, SampleType::kFloat64, 1), 0, 0, 1),
              ElementsAre(std::numeric_limits<float>::max()));
  EXPECT_TRUE(FindUnusable(ViewOf(Wire<double>({halfway}), SampleType::kFloat64, 1)).has_value());
}

TEST(CheckScalingTest, TakesNoneOneOrOneForEachChannel) {
  EXPECT_THAT(CheckScaling({}, 3), IsOk());
  EXPECT_THAT(CheckScaling({{2}, {1, 2, 3}}, 3), IsOk());
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(CheckScaling({{1, 2}, {}}, 3),
              StatusIs(kInvalid, HasSubstr("int16_scale must have no value, 1, or one for each of the 3 channels; "
                                           "were 2")));
  EXPECT_THAT(CheckScaling({{}, {1, 2}}, 1),
              StatusIs(kInvalid, HasSubstr("int16_offset must have no value, 1, or one for each of the 1 channel;")));
  EXPECT_THAT(CheckScaling({{1, NAN}, {}}, 2),
              StatusIs(kInvalid, HasSubstr("int16_scale must be finite; value 1 is nan")));
  EXPECT_THAT(CheckScaling({{1, -2e34F}, {}}, 2), StatusIs(kInvalid, HasSubstr("-32768 of channel 1 would be 6.5")));
}

}  // namespace
}  // namespace stillwave::streaming
