#include "server/execution/onednn/weight_cache.h"

#include <cstring>

#include "gtest/gtest.h"
#include "server/execution/onednn/layout.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"

namespace stillwave::execution::onednn {
namespace {

using tensor::Tensor;
using test_support::IsOk;
using Desc = dnnl::memory::desc;
using Tag = dnnl::memory::format_tag;

// 20 and 3 are no multiples of a block, so packed forms have padding.
const Desc kRows({20, 3, 1, 5}, dnnl::memory::data_type::f32, Tag::abcd);
const Desc kBlocked({20, 3, 1, 5}, dnnl::memory::data_type::f32, Tag::Abcd16a);
const Desc kOtherwise({20, 3, 1, 5}, dnnl::memory::data_type::f32, Tag::ABcd16b16a);

WeightCache::Weights RandomWeights() {
  return std::make_shared<const Tensor>(test_support::ToTensor(test_support::RandomTensor({20, 3, 5}, 1)));
}

bool SameBytes(const Tensor& a, const Tensor& b) {
  return a.byte_size() == b.byte_size() && std::memcmp(a.data(), b.data(), a.byte_size()) == 0;
}

TEST(WeightCacheTest, GivesTheWeightsThemselvesWhereNothingIsToBePacked) {
  WeightCache cache;
  const auto weights = RandomWeights();
  const auto packed = cache.Pack(weights, kRows, kRows);
  ASSERT_THAT(packed, IsOk());
  EXPECT_EQ(packed->bytes, weights);
  EXPECT_EQ(cache.packed_bytes(), 0U);
}

TEST(WeightCacheTest, PacksOnceForAllPlans) {
  WeightCache cache;
  const auto weights = RandomWeights();
  const auto first = cache.Pack(weights, kRows, kBlocked);
  const auto second = cache.Pack(weights, kRows, kBlocked);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(first->data(), second->data());
  EXPECT_EQ(cache.packed_bytes(), kBlocked.get_size());
}

TEST(WeightCacheTest, LetsGoOfWeightsThatArePackedAndUnpacksThemToTheBit) {
  WeightCache cache;
  auto weights = RandomWeights();
  const Tensor copy = weights->Clone();
  const auto packed = cache.Pack(weights, kRows, kBlocked);
  ASSERT_THAT(packed, IsOk());
  const std::weak_ptr<const Tensor> original = weights;
  const auto stand_in = cache.Release(weights);
  ASSERT_NE(stand_in, nullptr);
  weights.reset();
  EXPECT_TRUE(original.expired());
  EXPECT_EQ(stand_in->num_elements(), 0);

  const auto elements = cache.Elements(stand_in);
  ASSERT_THAT(elements, IsOk());
  EXPECT_TRUE(SameBytes(**elements, copy));
  const auto again = cache.Pack(stand_in, kRows, kBlocked);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->data(), packed->data());
}

TEST(WeightCacheTest, PacksAStandInInAnyOtherForm) {
  WeightCache cache;
  const auto weights = RandomWeights();
  const auto want = cache.Pack(weights, kRows, kOtherwise);
  ASSERT_THAT(want, IsOk());
  WeightCache other;
  ASSERT_THAT(other.Pack(weights, kRows, kBlocked), IsOk());
  const auto stand_in = other.Release(weights);
  ASSERT_NE(stand_in, nullptr);
  const auto got = other.Pack(stand_in, kRows, kOtherwise);
  ASSERT_THAT(got, IsOk());
  EXPECT_TRUE(SameBytes(*got->bytes, *want->bytes));
  const auto rows = other.Pack(stand_in, kRows, kRows);
  ASSERT_THAT(rows, IsOk());
  EXPECT_TRUE(SameBytes(*rows->bytes, *weights));
}

TEST(WeightCacheTest, DropsFormsThatNoPlanHoldsButTheLastOfAStandIn) {
  WeightCache cache;
  const auto weights = RandomWeights();
  const auto used = cache.Pack(weights, kRows, kBlocked);
  ASSERT_THAT(used, IsOk());
  ASSERT_THAT(cache.Pack(weights, kRows, kOtherwise), IsOk());
  cache.DropUnused();
  EXPECT_EQ(cache.packed_bytes(), kBlocked.get_size());
  const auto stand_in = cache.Release(weights);
  ASSERT_NE(stand_in, nullptr);
  {
    const auto other = cache.Pack(stand_in, kRows, kOtherwise);
    ASSERT_THAT(other, IsOk());
  }
  cache.DropUnused();
  EXPECT_EQ(cache.packed_bytes(), kBlocked.get_size());
  const auto elements = cache.Elements(stand_in);
  ASSERT_THAT(elements, IsOk());
  EXPECT_TRUE(SameBytes(**elements, *weights));
}

TEST(WeightCacheTest, AStandInKeepsAFormThatNoPlanHolds) {
  WeightCache cache;
  const auto weights = RandomWeights();
  ASSERT_THAT(cache.Pack(weights, kRows, kBlocked), IsOk());
  const auto stand_in = cache.Release(weights);
  ASSERT_NE(stand_in, nullptr);
  cache.DropUnused();
  EXPECT_THAT(cache.Elements(stand_in), IsOk());
  EXPECT_EQ(cache.packed_bytes(), kBlocked.get_size());
}

TEST(WeightCacheTest, KeepsWeightsOfWhichNoFormHoldsEveryBit) {
  WeightCache cache;
  const auto weights = RandomWeights();
  EXPECT_EQ(cache.Release(weights), nullptr) << "nothing is packed";
  const Desc rounded({20, 3, 1, 5}, dnnl::memory::data_type::bf16, Tag::Abcd16a);
  ASSERT_THAT(cache.Pack(weights, kRows, rounded), IsOk());
  EXPECT_EQ(cache.Release(weights), nullptr) << "BF16 has lost bits";
}

}  // namespace
}  // namespace stillwave::execution::onednn
