#include "server/tensor/data_type.h"

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::tensor {
namespace {

using test_support::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(DataTypeTest, HasTheNamesAndSizesOfTheOpenInferenceProtocol) {
  const struct {
    DataType type;
    const char* name;
    size_t size;
  } kRows[] = {
      {DataType::kBool, "BOOL", 1},     {DataType::kUint8, "UINT8", 1},   {DataType::kUint16, "UINT16", 2},
      {DataType::kUint32, "UINT32", 4}, {DataType::kUint64, "UINT64", 8}, {DataType::kInt8, "INT8", 1},
      {DataType::kInt16, "INT16", 2},   {DataType::kInt32, "INT32", 4},   {DataType::kInt64, "INT64", 8},
      {DataType::kFloat16, "FP16", 2},  {DataType::kBFloat16, "BF16", 2}, {DataType::kFloat32, "FP32", 4},
      {DataType::kFloat64, "FP64", 8},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(Name(row.type), row.name);
    EXPECT_EQ(SizeOf(row.type), row.size) << row.name;
    const auto parsed = ParseDataType(row.name);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, row.type);
  }
}

TEST(DataTypeTest, RefusesAnUnknownNameAndListsTheKnownOnes) {
  EXPECT_THAT(ParseDataType("FLOAT"),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("was 'FLOAT'"), HasSubstr("FP32, FP64"))));
  EXPECT_FALSE(ParseDataType("").ok());
  EXPECT_FALSE(ParseDataType("fp32").ok());
}

TEST(DataTypeTest, BelongsToACppType) {
  static_assert(DataTypeOf<float>() == DataType::kFloat32);
  static_assert(DataTypeOf<bool>() == DataType::kBool);
  static_assert(DataTypeOf<int64_t>() == DataType::kInt64);
  EXPECT_EQ(SizeOf(DataTypeOf<uint16_t>()), sizeof(uint16_t));
}

}  // namespace
}  // namespace stillwave::tensor
