#include "server/onnx/op_converters.h"

#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/onnx/limits.h"

namespace stillwave::onnx_import {
namespace {

using ::testing::HasSubstr;

// ONNX took them out again.
bool IsRetired(absl::string_view name) { return name == "Upsample"; }

TEST(OpConverters, AreSortedWithoutOverlapAndReachTheNewestOpset) {
  const absl::Span<const OpConverter> table = OpConverters();
  for (size_t i = 0; i < table.size(); ++i) {
    SCOPED_TRACE(std::string(table[i].name));
    EXPECT_LE(table[i].first_opset, table[i].last_opset);
    EXPECT_GE(table[i].first_opset, kMinOpset);
    const bool last_of_name = i + 1 == table.size() || table[i + 1].name != table[i].name;
    if (last_of_name) {
      EXPECT_EQ(table[i].last_opset == kMaxOpset, !IsRetired(table[i].name));
    } else {
      EXPECT_EQ(table[i + 1].first_opset, table[i].last_opset + 1);
    }
    if (last_of_name && i + 1 < table.size()) {
      EXPECT_LT(table[i].name, table[i + 1].name);
    }
  }
}

TEST(OpConverters, EveryRowIsComplete) {
  for (const OpConverter& row : OpConverters()) {
    SCOPED_TRACE(std::string(row.name));
    EXPECT_NE(row.convert, nullptr);
    EXPECT_LE(row.min_inputs, row.max_inputs);
    EXPECT_GE(row.max_outputs, 1);
    EXPECT_TRUE(std::is_sorted(row.attributes.begin(), row.attributes.end()));
  }
}

TEST(FindOpConverter, PicksTheRowOfTheOpset) {
  EXPECT_EQ(FindOpConverter("Dropout", 11)->max_inputs, 1);
  EXPECT_EQ(FindOpConverter("Dropout", 12)->max_inputs, 3);
  EXPECT_EQ(FindOpConverter("Abs", 7)->name, "Abs");
  EXPECT_EQ(FindOpConverter("Unsqueeze", 22)->name, "Unsqueeze");
  EXPECT_EQ(FindOpConverter("Split", 1)->max_inputs, 2);
  EXPECT_EQ(FindOpConverter("Split", 2)->max_inputs, 1);
  EXPECT_EQ(FindOpConverter("Upsample", 10), nullptr);
  EXPECT_EQ(FindOpConverter("ConstantOfShape", 8), nullptr);
  EXPECT_EQ(FindOpConverter("conv", 17), nullptr);
  EXPECT_EQ(FindOpConverter("", 17), nullptr);
  EXPECT_EQ(FindOpConverter("Zzz", 17), nullptr);
}

TEST(DescribeUnknownOp, SaysWhatIsNear) {
  EXPECT_THAT(DescribeUnknownOp("ConstantOfShape", "", 8), HasSubstr("known from opset 9 on; the model has opset 8"));
  EXPECT_THAT(DescribeUnknownOp("Upsample", "", 11),
              HasSubstr("operator Upsample is known from opset 7 to 9; the model has opset 11"));
  EXPECT_THAT(DescribeUnknownOp("Sigmoyd", "", 17), HasSubstr("near ones that are: Sigmoid"));
  EXPECT_THAT(DescribeUnknownOp("Conv", "com.x", 17), HasSubstr("'Conv' of domain 'com.x' is not supported"));
  EXPECT_EQ(DescribeUnknownOp("Xyzzy", "", 17), "operator 'Xyzzy' of opset 17 is not supported");
}

}  // namespace
}  // namespace stillwave::onnx_import
