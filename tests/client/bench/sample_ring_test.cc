#include "client/bench/sample_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stillwave::client::bench {
namespace {

using testing::ElementsAre;

TEST(SampleRing, GoesOnWithItsBeginning) {
  const SeriesSamples samples{.window = 2, .hop = 1, .channels = 2, .first = {0, 1, 2, 3}, .next = {{4, 5}}};
  const SampleRing ring(samples, /*longest=*/7);
  EXPECT_THAT(ring.At(0, 1), ElementsAre(0, 1));
  EXPECT_THAT(ring.At(2, 2), ElementsAre(4, 5, 0, 1));
  EXPECT_THAT(ring.At(4, 3), ElementsAre(2, 3, 4, 5, 0, 1));
  EXPECT_EQ(ring.At(5, 7).size(), 14u) << "longer than all there is";
}

}  // namespace
}  // namespace stillwave::client::bench
