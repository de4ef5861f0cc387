#include "server/model/input_validation.h"

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::model {
namespace {

using tensor::DataType;
using tensor::Shape;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kMaxBatch = 4;

// signal {N, 2, T}, age {N, 1}
ModelSignature TwoInputs() {
  return {.inputs = {{"signal", DataType::kFloat32, {-1, 2, -1}}, {"age", DataType::kInt64, {-1, 1}}},
          .outputs = {{"logits", DataType::kFloat32, {-1, 3}}, {"embedding", DataType::kFloat32, {-1, 8}}}};
}

// All elements are 0.
ReceivedInput Input(absl::string_view name, DataType type, const Shape& shape) {
  ReceivedInput input;
  input.name = name;
  input.data_type = type;
  input.shape = shape;
  const absl::StatusOr<int64_t> elements = shape.ElementCount();
  if (elements.ok()) input.byte_size = static_cast<size_t>(*elements) * tensor::SizeOf(type);
  static const std::vector<char> zeros(1 << 16);
  if (input.byte_size <= zeros.size()) input.data = zeros.data();
  return input;
}

ReceivedInput Signal(int64_t samples, int64_t length) {
  return Input("signal", DataType::kFloat32, {samples, 2, length});
}
ReceivedInput Age(int64_t samples) { return Input("age", DataType::kInt64, {samples, 1}); }

std::string Refusal(const std::vector<ReceivedInput>& inputs) {
  const auto valid = ValidateInputs(TwoInputs(), kMaxBatch, inputs);
  EXPECT_EQ(valid.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(valid.status().message());
}

TEST(ValidateInputs, PutsViewsIntoSignatureOrder) {
  const std::array<float, 18> signal{};
  ReceivedInput first = Signal(3, 3);
  first.data = signal.data();
  const auto valid = ValidateInputs(TwoInputs(), kMaxBatch, {Age(3), first});
  ASSERT_TRUE(valid.ok()) << valid.status();
  EXPECT_EQ(valid->samples, 3);
  ASSERT_EQ(valid->views.size(), 2U);
  EXPECT_EQ(valid->views[0].shape, Shape({3, 2, 3}));
  EXPECT_EQ(valid->views[0].data, signal.data()) << "the elements are borrowed, not copied";
  EXPECT_EQ(valid->views[1].data_type, DataType::kInt64);
}

TEST(ValidateInputs, NamesTheSamplesThatAreNotFinite) {
  std::array<float, 18> signal{};
  ReceivedInput input = Signal(3, 3);
  input.data = signal.data();
  const auto finite = ValidateInputs(TwoInputs(), kMaxBatch, {input, Age(3)});
  ASSERT_TRUE(finite.ok()) << finite.status();
  EXPECT_THAT(finite->not_finite, IsEmpty());
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    signal[5] = signal[12] = signal[17] = bad;
    const auto valid = ValidateInputs(TwoInputs(), kMaxBatch, {input, Age(3)});
    ASSERT_TRUE(valid.ok()) << valid.status();
    EXPECT_THAT(valid->not_finite, ElementsAre(0, 2));
  }
}

TEST(ValidateInputs, AcceptsTheLargestBatchAndRefusesOneMore) {
  EXPECT_TRUE(ValidateInputs(TwoInputs(), kMaxBatch, {Signal(4, 1), Age(4)}).ok());
  EXPECT_EQ(Refusal({Signal(5, 1), Age(5)}),
            "input 'signal': batch size (dimension 0) must be between 1 and 4; was [5,2,1]");
  EXPECT_THAT(Refusal({Signal(0, 1), Age(0)}), HasSubstr("between 1 and 4; was [0,2,1]"));
}

TEST(ValidateInputs, RefusesNamesThatTheModelHasNot) {
  EXPECT_EQ(Refusal({Signal(1, 1), Age(1), Input("sex", DataType::kFloat32, {1})}),
            "input names must be of the model (signal, age); was 'sex'");
  EXPECT_THAT(Refusal({Input(std::string(5000, 'x'), DataType::kFloat32, {1})}), testing::SizeIs(testing::Lt(200U)));
}

TEST(ValidateInputs, RefusesMissingAndRepeatedInputs) {
  EXPECT_EQ(Refusal({Signal(1, 1)}), "input 'age' must be given; the request has 1 of 2 inputs");
  EXPECT_EQ(Refusal({Signal(1, 1), Age(1), Signal(1, 1)}), "input 'signal' must be given once; was given again");
  EXPECT_THAT(Refusal({}), HasSubstr("input 'signal' must be given"));
}

TEST(ValidateInputs, RefusesAnotherDatatype) {
  EXPECT_EQ(Refusal({Input("signal", DataType::kFloat64, {1, 2, 1}), Age(1)}),
            "input 'signal': datatype must be FP32; was FP64");
}

TEST(ValidateInputs, RefusesAnotherRankAndAnotherFixedDimension) {
  EXPECT_EQ(Refusal({Input("signal", DataType::kFloat32, {1, 2}), Age(1)}),
            "input 'signal': shape must be [-1,2,-1] with 3 dimensions; was [1,2]");
  EXPECT_EQ(Refusal({Input("signal", DataType::kFloat32, {1, 3, 5}), Age(1)}),
            "input 'signal': shape must be [-1,2,-1]: dimension 1 must be 2; was [1,3,5]");
  EXPECT_THAT(Refusal({Signal(1, 0), Age(1)}), HasSubstr("dimension 2 must be positive; was [1,2,0]"));
}

TEST(ValidateInputs, RefusesAnotherByteCount) {
  ReceivedInput input = Signal(1, 3);
  input.byte_size = 23;
  EXPECT_EQ(Refusal({input, Age(1)}), "input 'signal': FP32 of shape [1,2,3] must have 24 bytes; had 23");
}

TEST(ValidateInputs, RefusesShapesWhoseSizeOverflows) {
  EXPECT_THAT(Refusal({Signal(1, int64_t{1} << 62), Age(1)}), HasSubstr("must not have more than 2147483648 bytes"));
  EXPECT_THAT(Refusal({Signal(1, int64_t{1} << 40), Age(1)}), HasSubstr("must not have more than 2147483648 bytes"));
}

TEST(ValidateInputs, RefusesInputsOfDifferentBatchSizes) {
  EXPECT_EQ(Refusal({Signal(2, 1), Age(3)}), "input 'age': batch size must be 2 as that of input 'signal'; was 3");
}

TEST(SelectOutputs, GivesAllWithoutNamesAndElseThoseNamedInTheirOrder) {
  const std::string logits = "logits";
  const std::string embedding = "embedding";
  EXPECT_THAT(*SelectOutputs(TwoInputs(), {}), ElementsAre(0U, 1U));
  EXPECT_THAT(*SelectOutputs(TwoInputs(), {&embedding, &logits}), ElementsAre(1U, 0U));
}

TEST(SelectOutputs, RefusesUnknownAndRepeatedNames) {
  const std::string logits = "logits";
  const std::string unknown = "probabilities";
  EXPECT_EQ(
      SelectOutputs(TwoInputs(), {&unknown}).status(),
      absl::InvalidArgumentError("requested outputs must be of the model (logits, embedding); was 'probabilities'"));
  EXPECT_EQ(SelectOutputs(TwoInputs(), {&logits, &logits}).status(),
            absl::InvalidArgumentError("output 'logits' must be requested once; was given again"));
}

}  // namespace
}  // namespace stillwave::model
