#include "server/tensor/tensor.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::tensor {
namespace {

using test_support::IsOk;
using test_support::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TensorTest, OwnsAlignedMemoryOfItsSize) {
  absl::StatusOr<Tensor> tensor = Tensor::Create(DataType::kFloat32, Shape({2, 3}));
  ASSERT_THAT(tensor, IsOk());
  EXPECT_EQ(tensor->byte_size(), 24U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor->data()) % kTensorAlignment, 0U);
}

TEST(TensorTest, MayBeEmpty) {
  absl::StatusOr<Tensor> tensor = Tensor::Create(DataType::kInt64, Shape({0, 3}));
  ASSERT_THAT(tensor, IsOk());
  EXPECT_EQ(tensor->byte_size(), 0U);
  EXPECT_EQ(tensor->values<int64_t>().size(), 0U);
  EXPECT_EQ(tensor->Clone().shape(), Shape({0, 3}));
}

TEST(TensorTest, RefusesShapesThatAreDynamicOrTooLarge) {
  EXPECT_THAT(Tensor::Create(DataType::kFloat32, Shape({kDynamicDim, 3})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("[-1,3]")));
  EXPECT_THAT(Tensor::Create(DataType::kFloat32, Shape({std::numeric_limits<int64_t>::max(), 4})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("2^63-1")));
  EXPECT_THAT(Tensor::Create(DataType::kFloat64, Shape({std::numeric_limits<int64_t>::max()})),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("FP64")));
  EXPECT_THAT(Tensor::Create(DataType::kUint8, Shape({kMaxTensorBytes + 1})),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("2147483648 bytes")));
}

TEST(TensorTest, ClonesItsElementsAndKeepsThemUnderAnotherShape) {
  Tensor tensor = Tensor::FromValues<float>(Shape({2, 2}), {1, 2, 3, 4});
  Tensor clone = tensor.Clone();
  tensor.mutable_values<float>()[0] = 9;
  clone.Reshape(Shape({4}));
  EXPECT_EQ(clone.shape(), Shape({4}));
  EXPECT_THAT(clone.values<float>(), ElementsAre(1, 2, 3, 4));
  const Tensor moved = std::move(tensor);
  EXPECT_THAT(moved.values<float>(), ElementsAre(9, 2, 3, 4));
}

TEST(TensorDeathTest, EndsTheProcessWhenReadAsAnotherType) {
  const Tensor tensor = Tensor::FromValues<float>(Shape({1}), {1});
  EXPECT_DEATH(tensor.values<int64_t>(), "broken invariant");
}

}  // namespace
}  // namespace stillwave::tensor
