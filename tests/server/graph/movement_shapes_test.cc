// Refusals of the operators that move elements; their shapes are covered by shape_inference_test.cc.
#include <limits>

#include "gtest/gtest.h"
#include "server/graph/shape_inference.h"
#include "tests/support/ref_tensor.h"
#include "tests/support/status_matchers.h"

namespace stillwave::graph {
namespace {

using tensor::DataType;
using tensor::Shape;
using test_support::IsOk;
using test_support::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// The type of `op` for FP32 data of shape `data` and INT64 constants.
absl::StatusOr<TensorType> Infer(const Op& op, const Shape& data, const std::vector<std::vector<int64_t>>& lists) {
  std::vector<tensor::Tensor> constants;
  for (const std::vector<int64_t>& list : lists) {
    constants.push_back(tensor::Tensor::FromValues<int64_t>({static_cast<int64_t>(list.size())}, list));
  }
  std::vector<InputType> inputs = {{true, DataType::kFloat32, data, nullptr}};
  for (const tensor::Tensor& constant : constants) {
    inputs.push_back({true, DataType::kInt64, constant.shape(), &constant});
  }
  return InferOutput(op, inputs);
}

TEST(MovementShapesTest, ListsMustBeKnownIntegersOfRankOneAtMost) {
  const InputType data{true, DataType::kFloat32, {4}, nullptr};
  const InputType unknown{true, DataType::kInt64, {1}, nullptr};
  EXPECT_THAT(InferOutput(Reshape{}, {data, unknown}),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("shape must be known from the weights")));
  const tensor::Tensor floats = tensor::Tensor::FromValues<float>({1}, {4});
  EXPECT_THAT(InferOutput(Reshape{}, {data, {true, DataType::kFloat32, {1}, &floats}}),
              StatusIs(kInvalid, HasSubstr("shape must be INT64 or INT32; was FP32")));
  const tensor::Tensor matrix = tensor::Tensor::FromValues<int64_t>({1, 1}, {4});
  EXPECT_THAT(InferOutput(Reshape{}, {data, {true, DataType::kInt64, {1, 1}, &matrix}}),
              StatusIs(kInvalid, HasSubstr("was of shape [1,1]")));
}

TEST(ReshapeShapeTest, RefusesShapesThatTheElementsDoNotFill) {
  EXPECT_THAT(Infer(Reshape{}, {2, 3}, {{4, 2}}), StatusIs(kInvalid, HasSubstr("6 elements of [2,3] cannot become")));
  EXPECT_THAT(Infer(Reshape{}, {2, 3}, {{4, -1}}), StatusIs(kInvalid, HasSubstr("do not fill")));
  EXPECT_THAT(Infer(Reshape{}, {2, 3}, {{-1, -1}}), StatusIs(kInvalid, HasSubstr("one -1 only")));
  EXPECT_THAT(Infer(Reshape{}, {2, 3}, {{-2, 3}}), StatusIs(kInvalid, HasSubstr("one is -2")));
  EXPECT_THAT(Infer(Reshape{}, {2, 3}, {{2, 3, 0}}), StatusIs(kInvalid, HasSubstr("entry 2 is 0")));
  EXPECT_THAT(Infer(Reshape{.allow_zero = true}, {2, 0}, {{0, -1}}), StatusIs(kInvalid, HasSubstr("do not fill")));
  EXPECT_THAT(Infer(Reshape{}, {1}, {std::vector<int64_t>(13, 1)}), StatusIs(kInvalid, HasSubstr("at most 12")));
  const int64_t largest = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(Infer(Reshape{}, {2, 3}, {{largest, largest}}), StatusIs(kInvalid, HasSubstr("2^63-1")));
}

TEST(FlattenShapeTest, RefusesAxesOutOfRange) {
  EXPECT_THAT(Infer(Flatten{3}, {2, 3}, {}), StatusIs(kInvalid, HasSubstr("between -2 and 2; was 3")));
  EXPECT_THAT(Infer(Flatten{-3}, {2, 3}, {}), StatusIs(kInvalid, HasSubstr("was -3")));
}

TEST(SqueezeShapeTest, RefusesAxesThatAreNotOfLengthOne) {
  EXPECT_THAT(Infer(Squeeze{}, {1, 3}, {{1}}), StatusIs(kInvalid, HasSubstr("axis 1 must be of length 1")));
  EXPECT_THAT(Infer(Squeeze{}, {1, 3}, {{2}}), StatusIs(kInvalid, HasSubstr("was 2")));
  EXPECT_THAT(Infer(Unsqueeze{}, {3}, {{0, 0}}), StatusIs(kInvalid, HasSubstr("0 stands twice")));
  EXPECT_THAT(Infer(Unsqueeze{}, {3}, {{2}}), StatusIs(kInvalid, HasSubstr("was 2")));
  EXPECT_THAT(Infer(Unsqueeze{}, {3}, {std::vector<int64_t>(12, 0)}), StatusIs(kInvalid, HasSubstr("becomes 13")));
}

TEST(ConcatShapeTest, RefusesInputsThatDisagree) {
  const auto concat = [](const InputType& a, const InputType& b) { return InferOutput(Concat{1}, {a, b}); };
  const InputType a{true, DataType::kFloat32, {2, 3}, nullptr};
  EXPECT_THAT(concat(a, {true, DataType::kFloat32, {3, 3}, nullptr}), StatusIs(kInvalid, HasSubstr("[2,3] and [3,3]")));
  EXPECT_THAT(concat(a, {true, DataType::kInt64, {2, 3}, nullptr}), StatusIs(kInvalid, HasSubstr("agree in type")));
  EXPECT_THAT(concat(a, {true, DataType::kFloat32, {2, 3, 1}, nullptr}), StatusIs(kInvalid, HasSubstr("agree")));
  EXPECT_THAT(InferOutput(Concat{2}, {a}), StatusIs(kInvalid, HasSubstr("was 2")));
}

TEST(TransposeShapeTest, RefusesPermThatIsNoPermutation) {
  for (const std::vector<int64_t>& perm : std::vector<std::vector<int64_t>>{{0}, {0, 0}, {0, 2}, {0, -1}, {0, 1, 2}}) {
    EXPECT_THAT(Infer(Transpose{perm}, {2, 3}, {}), StatusIs(kInvalid, HasSubstr("each axis of [2,3] once")));
  }
}

TEST(PadShapeTest, RefusesPadsThatDoNotFit) {
  EXPECT_THAT(Infer(Pad{}, {2, 3}, {{1, 1, 1}}), StatusIs(kInvalid, HasSubstr("even number")));
  EXPECT_THAT(Infer(Pad{}, {2, 3}, {{1, 1}}), StatusIs(kInvalid, HasSubstr("two entries per axis (4); has 2")));
  EXPECT_THAT(Infer(Pad{}, {2, 3}, {{0, -2, 0, -2}}), StatusIs(kInvalid, HasSubstr("do not fit axis 1")));
  const int64_t largest = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(Infer(Pad{}, {2, 3}, {{0, largest, 0, 0}}), StatusIs(kInvalid, HasSubstr("do not fit axis 1")));
  EXPECT_THAT(Infer(Pad{PadMode::kReflect}, {2, 3}, {{0, 3, 0, 0}}), StatusIs(kInvalid, HasSubstr("too short")));
  EXPECT_THAT(Infer(Pad{PadMode::kEdge}, {2, 0}, {{0, 1, 0, 0}}), StatusIs(kInvalid, HasSubstr("too short")));
}

TEST(SliceShapeTest, RefusesListsThatDisagreeAndStepsOfZero) {
  EXPECT_THAT(Infer(Slice{}, {9}, {{0}, {1, 2}}), StatusIs(kInvalid, HasSubstr("one length; are 1 and 2")));
  EXPECT_THAT(Infer(Slice{}, {9}, {{0}, {1}, {0}, {0}}), StatusIs(kInvalid, HasSubstr("steps must not be 0")));
  EXPECT_THAT(Infer(Slice{}, {9}, {{0}, {1}, {1}}), StatusIs(kInvalid, HasSubstr("was 1")));
  EXPECT_THAT(Infer(Slice{}, {9}, {{0}, {1}, {0, 0}}), StatusIs(kInvalid, HasSubstr("axes must have 1 entries")));
}

TEST(SliceShapeTest, ClampsTheStartOfABackwardSliceIntoTheAxis) {
  const auto type = Infer(Slice{}, {5}, {{-10}, {-20}, {0}, {-1}});
  ASSERT_THAT(type, IsOk());
  EXPECT_EQ(type->shape, Shape({1}));  // ONNX clamps to [0, length-1]: the first element is read
}

TEST(GatherShapeTest, RefusesIndicesThatAreNoIntegers) {
  const InputType data{true, DataType::kFloat32, {2, 3}, nullptr};
  EXPECT_THAT(InferOutput(Gather{0}, {data, {true, DataType::kFloat32, {1}, nullptr}}),
              StatusIs(kInvalid, HasSubstr("are FP32")));
  EXPECT_THAT(InferOutput(Gather{2}, {data, {true, DataType::kInt64, {1}, nullptr}}),
              StatusIs(kInvalid, HasSubstr("was 2")));
}

TEST(ExpandShapeTest, RefusesShapesThatDoNotBroadcastOrAreTooLarge) {
  EXPECT_THAT(Infer(Expand{}, {2, 3}, {{4, 3}}), StatusIs(kInvalid, HasSubstr("do not broadcast")));
  EXPECT_THAT(Infer(Expand{}, {1}, {{-1}}), StatusIs(kInvalid, HasSubstr("negative")));
  EXPECT_THAT(Infer(Expand{}, {1}, {{int64_t{1} << 40}}), StatusIs(kInvalid, HasSubstr("limit")));
  EXPECT_THAT(Infer(Expand{}, {1}, {std::vector<int64_t>(13, 1)}), StatusIs(kInvalid, HasSubstr("at most 12")));
}

TEST(ReduceShapeTest, RefusesEmptyAxes) {
  EXPECT_THAT(Infer(Reduce{}, {2, 0}, {{1}}), StatusIs(kInvalid, HasSubstr("empty axis 1")));
  EXPECT_THAT(Infer(Reduce{}, {2, 3}, {{2}}), StatusIs(kInvalid, HasSubstr("was 2")));
}

TEST(ReduceAxesTest, AreSortedAndDistinct) {
  const tensor::Tensor axes = tensor::Tensor::FromValues<int64_t>({3}, {-1, 0, 2});
  const std::vector<InputType> inputs = {{true, DataType::kFloat32, {2, 3, 4}, nullptr},
                                         {true, DataType::kInt64, {3}, &axes}};
  const auto sorted = ReduceAxes(Reduce{}, inputs);
  ASSERT_THAT(sorted, IsOk());
  EXPECT_THAT(*sorted, ElementsAre(0, 2));
}

}  // namespace
}  // namespace stillwave::graph
