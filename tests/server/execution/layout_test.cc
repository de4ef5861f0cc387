#include "server/execution/onednn/layout.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::execution::onednn {
namespace {

using tensor::Shape;
using ::testing::ElementsAre;

TEST(ImageDimsTest, GivesEveryTensorAtLeastTwoSpatialAxes) {
  EXPECT_THAT(ImageDims(Shape({2, 3})), ElementsAre(2, 3, 1, 1));
  EXPECT_THAT(ImageDims(Shape({2, 3, 7})), ElementsAre(2, 3, 1, 7));
  EXPECT_THAT(ImageDims(Shape({2, 3, 4, 5})), ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(ImageDims(Shape({2, 3, 4, 5, 6})), ElementsAre(2, 3, 4, 5, 6));
}

TEST(ImageDescTest, TakesTheBytesOfItsElementsInBothLayouts) {
  for (const Shape& shape : {Shape({2, 3}), Shape({2, 3, 7}), Shape({2, 3, 4, 5}), Shape({1, 2, 3, 4, 5})}) {
    const auto bytes = static_cast<size_t>(shape.num_elements()) * sizeof(float);
    EXPECT_EQ(ImageDesc(shape, Layout::kRowMajor).get_size(), bytes) << shape.ToString();
    EXPECT_EQ(ImageDesc(shape, Layout::kChannelsLast).get_size(), bytes) << shape.ToString();
  }
}

TEST(LayoutsCoincideTest, HoldsForOneChannelOrNothingButChannels) {
  EXPECT_TRUE(LayoutsCoincide(Shape({2, 3})));
  EXPECT_TRUE(LayoutsCoincide(Shape({2, 3, 1})));
  EXPECT_TRUE(LayoutsCoincide(Shape({2, 1, 7})));
  EXPECT_TRUE(LayoutsCoincide(Shape({2, 3, 1, 1})));
  EXPECT_FALSE(LayoutsCoincide(Shape({2, 3, 7})));
  EXPECT_FALSE(LayoutsCoincide(Shape({2, 3, 1, 7})));
}

}  // namespace
}  // namespace stillwave::execution::onednn
