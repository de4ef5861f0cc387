#include "server/service/shared_tensor.h"

#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_object.h"
#include "tests/support/status_matchers.h"

namespace stillwave::service {
namespace {

using absl::StatusCode;
using test_support::IsOk;
using test_support::StatusIs;
using testing::HasSubstr;

class FindSharedTensorTest : public testing::Test {
 protected:
  FindSharedTensorTest() {
    EXPECT_THAT(regions_.Register({"r", object_.key(), 16, 32}), IsOk());
    parameters_["shared_memory_region"].set_string_param("r");
    parameters_["shared_memory_byte_size"].set_int64_param(8);
  }

  const test_support::MemoryObject object_{"find", 64};
  shared_memory::RegionRegistry regions_;
  TensorParameters parameters_;
};

TEST_F(FindSharedTensorTest, OtherParametersSayNothing) {
  TensorParameters parameters;
  parameters["binary_data"].set_bool_param(true);
  const auto place = FindSharedTensor(parameters, &regions_);
  ASSERT_THAT(place, IsOk());
  EXPECT_FALSE(place->has_value());
  EXPECT_THAT(FindSharedTensor(parameters, /*regions=*/nullptr), IsOk());
}

TEST_F(FindSharedTensorTest, TellsRegionOffsetAndSize) {
  parameters_["shared_memory_offset"].set_uint64_param(24);
  const auto place = FindSharedTensor(parameters_, &regions_);
  ASSERT_THAT(place, IsOk());
  EXPECT_EQ((*place)->region->info().name, "r");
  EXPECT_EQ((*place)->offset, 24U);
  EXPECT_EQ((*place)->byte_size, 8U);
}

TEST_F(FindSharedTensorTest, IsRefusedWhenSharedMemoryIsOff) {
  EXPECT_THAT(FindSharedTensor(parameters_, /*regions=*/nullptr),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("--shared_memory")));
}

TEST_F(FindSharedTensorTest, ARegionThatIsNotRegisteredIsNotFound) {
  parameters_["shared_memory_region"].set_string_param("other");
  EXPECT_THAT(FindSharedTensor(parameters_, &regions_), StatusIs(StatusCode::kNotFound, HasSubstr("'other'")));
}

TEST_F(FindSharedTensorTest, TheRegionIsNamed) {
  parameters_.erase("shared_memory_region");
  EXPECT_THAT(FindSharedTensor(parameters_, &regions_),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("'shared_memory_region' must be a string")));
  parameters_["shared_memory_region"].set_int64_param(1);
  EXPECT_THAT(FindSharedTensor(parameters_, &regions_),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("'shared_memory_region' must be a string")));
}

TEST_F(FindSharedTensorTest, SizesAreWholeNumbers) {
  parameters_["shared_memory_byte_size"].set_int64_param(-1);
  EXPECT_THAT(FindSharedTensor(parameters_, &regions_),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("'shared_memory_byte_size' must be a whole number")));
  parameters_["shared_memory_byte_size"].set_double_param(8);
  EXPECT_THAT(FindSharedTensor(parameters_, &regions_),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("'shared_memory_byte_size' must be a whole number")));
  parameters_.erase("shared_memory_byte_size");
  EXPECT_THAT(FindSharedTensor(parameters_, &regions_),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("'shared_memory_byte_size' must be positive")));
}

TEST_F(FindSharedTensorTest, BytesLieInsideOfTheRegion) {
  parameters_["shared_memory_offset"].set_int64_param(25);
  EXPECT_THAT(FindSharedTensor(parameters_, &regions_),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("inside of its 32; were 8 from offset 25")));
  parameters_["shared_memory_offset"].set_uint64_param(std::numeric_limits<uint64_t>::max());
  EXPECT_THAT(FindSharedTensor(parameters_, &regions_), StatusIs(StatusCode::kInvalidArgument, HasSubstr("inside")));
}

TEST_F(FindSharedTensorTest, OutputsKeepTheirPositions) {
  inference::ModelInferRequest request;
  request.add_outputs()->set_name("a");
  EXPECT_TRUE(FindSharedOutputs(request, &regions_)->empty());
  request.add_outputs()->set_name("b");
  *request.mutable_outputs(1)->mutable_parameters() = parameters_;
  const auto places = FindSharedOutputs(request, &regions_);
  ASSERT_THAT(places, IsOk());
  ASSERT_EQ(places->size(), 2U);
  EXPECT_FALSE((*places)[0].has_value());
  EXPECT_TRUE((*places)[1].has_value());
  EXPECT_THAT(FindSharedOutputs(request, /*regions=*/nullptr),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("output 'b': ")));
}

}  // namespace
}  // namespace stillwave::service
