#include "server/recalibration/calibration_data.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/recalibration/npy_files.h"
#include "tests/support/status_matchers.h"

namespace stillwave::recalibration {
namespace {

using ::stillwave::test_support::StatusIs;
using tensor::Shape;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
const Shape kInput = {-1, 2, -1};  // N×2×T

struct SeenBatch {
  std::string shape;
  float first;
  float last;
  friend bool operator==(const SeenBatch&, const SeenBatch&) = default;
  friend void PrintTo(const SeenBatch& batch, std::ostream* out) {
    *out << batch.shape << " from " << batch.first << " to " << batch.last;
  }
};

std::vector<SeenBatch> BatchesOf(const CalibrationData& data) {
  std::vector<SeenBatch> seen;
  const absl::Status status = data.ForEachBatch([&](const tensor::Tensor& batch) {
    seen.push_back({batch.shape().ToString(), batch.values<float>().front(), batch.values<float>().back()});
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return seen;
}

TEST(CalibrationData, CutsSamplesIntoBatchesAcrossFiles) {
  const std::string five = WriteNpy("five", {5, 2, 3}, CountUp(30));
  const std::string three = WriteNpy("three", {3, 2, 3}, CountUp(18, 100));
  const std::string one = WriteNpy("one", {2, 3}, CountUp(6, 200));
  const auto data = CalibrationData::Open({five, three, one}, kInput, 4);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->samples(), 9);
  EXPECT_EQ(data->batches(), 3);
  EXPECT_THAT(BatchesOf(*data),
              ElementsAre(SeenBatch{"[4,2,3]", 0, 23}, SeenBatch{"[4,2,3]", 24, 117}, SeenBatch{"[1,2,3]", 200, 205}));
  EXPECT_THAT(data->BatchShapes(), ElementsAre(Shape{4, 2, 3}, Shape{1, 2, 3}));
}

TEST(CalibrationData, EndsABatchWhereTheLengthChanges) {
  const std::string shorter = WriteNpy("shorter", {3, 2, 3}, CountUp(18));
  const std::string longer = WriteNpy("longer", {3, 2, 4}, CountUp(24, 50));
  const auto data = CalibrationData::Open({shorter, longer}, kInput, std::nullopt);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(BatchesOf(*data), ElementsAre(SeenBatch{"[3,2,3]", 0, 17}, SeenBatch{"[3,2,4]", 50, 73}));
}

TEST(CalibrationData, TakesReadyBatchesAsTheyAre) {
  const std::string samples = WriteNpy("before_ready", {1, 2, 2}, CountUp(4, 90));
  const std::string ready = WriteNpy("ready", {3, 5, 2, 2}, CountUp(60));
  const auto data = CalibrationData::Open({samples, ready}, kInput, std::nullopt);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(BatchesOf(*data), ElementsAre(SeenBatch{"[1,2,2]", 90, 93}, SeenBatch{"[5,2,2]", 0, 19},
                                            SeenBatch{"[5,2,2]", 20, 39}, SeenBatch{"[5,2,2]", 40, 59}));
  EXPECT_THAT(CalibrationData::Open({ready}, kInput, 8),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("--batch must be left out for ready batches")));
}

TEST(CalibrationData, RefusesShapesThatTheNetworkDoesNotTake) {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{4, 3, 2}, {24}, {3, 8}}) {
    const std::string path = WriteNpy("wrong", shape, CountUp(24));
    EXPECT_THAT(
        CalibrationData::Open({path}, kInput, std::nullopt),
        StatusIs(kInvalid, AllOf(HasSubstr("wrong.npy: shape must be [N,2,T], [2,T]"), HasSubstr("[B,N,2,T]"))));
  }
}

TEST(CalibrationData, RefusesMissingFilesAndValuesThatAreNotFinite) {
  EXPECT_THAT(CalibrationData::Open({"/no/such/file.npy"}, kInput, std::nullopt),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such/file.npy: there is no such file")));
  std::vector<float> values = CountUp(8);
  values[3] = std::numeric_limits<float>::quiet_NaN();
  const auto data = CalibrationData::Open({WriteNpy("nan", {2, 2, 2}, values)}, kInput, std::nullopt);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->ForEachBatch([](const tensor::Tensor&) { return absl::OkStatus(); }),
              StatusIs(kInvalid, HasSubstr("nan.npy: values must be finite; 1 of 8 are NaN or infinite")));
}

}  // namespace
}  // namespace stillwave::recalibration
