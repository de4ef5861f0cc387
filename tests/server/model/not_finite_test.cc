#include "server/model/not_finite.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::model {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using tensor::DataType;
using tensor::Tensor;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(FindNotFiniteSamples, FindsEachRowOnce) {
  std::vector<float> values(12, 1.0F);
  std::vector<int64_t> samples;
  FindNotFiniteSamples({DataType::kFloat32, {4, 3}, values.data()}, samples);
  EXPECT_THAT(samples, IsEmpty());
  values[3] = values[5] = std::numeric_limits<float>::quiet_NaN();
  values[11] = std::numeric_limits<float>::infinity();
  FindNotFiniteSamples({DataType::kFloat32, {4, 3}, values.data()}, samples);
  EXPECT_THAT(samples, ElementsAre(1, 3));
}

TEST(FindNotFiniteSamples, KnowsThatIntegersAreFinite) {
  const std::vector<int64_t> values(4, -1);
  std::vector<int64_t> samples;
  FindNotFiniteSamples({DataType::kInt64, {4, 1}, values.data()}, samples);
  EXPECT_THAT(samples, IsEmpty());
}

template <typename T>
void ExpectOnlyRowOneIsNaN(DataType type) {
  Tensor output = *Tensor::Create(type, {3, 2});
  for (T& value : output.mutable_values<T>()) value = T{7};
  SetToNaN({1}, output);
  const absl::Span<const T> values = output.values<T>();
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(std::isnan(values[i]), i == 2 || i == 3) << i;
}

TEST(SetToNaN, SetsTheRowsAndNoOther) {
  ExpectOnlyRowOneIsNaN<float>(DataType::kFloat32);
  ExpectOnlyRowOneIsNaN<double>(DataType::kFloat64);
}

TEST(CheckOutputsHaveNaN, AsksOnlyOfTheSelectedOutputs) {
  ModelSignature signature;
  signature.outputs = {{"logits", DataType::kFloat32, {-1, 3}}, {"label", DataType::kInt64, {-1}}};
  EXPECT_THAT(CheckOutputsHaveNaN(signature, {0}, {2}), IsOk());
  EXPECT_THAT(CheckOutputsHaveNaN(signature, {0, 1}, {2}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("output 'label' is INT64"), HasSubstr("sample 2 is NaN or infinite"))));
}

}  // namespace
}  // namespace stillwave::model
