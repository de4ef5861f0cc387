#include "server/onnx/file_kind.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/onnx/data_types.h"
#include "tests/support/status_matchers.h"

namespace stillwave::onnx_import {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::HasSubstr;

TEST(CheckFileKind, NamesWhatIsNotAModel) {
  const auto is = [](const std::string& words) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words));
  };
  EXPECT_THAT(CheckFileKind(""), is("empty"));
  EXPECT_THAT(CheckFileKind("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"), is("git lfs pull"));
  EXPECT_THAT(CheckFileKind(absl::string_view("PK\x03\x04\x14\x00", 6)), is("zip"));
  EXPECT_THAT(CheckFileKind("\x1f\x8b\x08"), is("gzip"));
  EXPECT_THAT(CheckFileKind("\x80\x02}q"), is("pickle"));
  EXPECT_THAT(CheckFileKind("\x89HDF\r\n\x1a\n"), is("HDF5"));
  EXPECT_THAT(CheckFileKind(absl::string_view("\x1c\x00\x00\x00TFL3", 8)), is("TensorFlow Lite"));
  EXPECT_THAT(CheckFileKind("\n <!DOCTYPE html><html>"), is("web page"));
  EXPECT_THAT(CheckFileKind("<HTML><body>404</body>"), is("web page"));
  EXPECT_THAT(CheckFileKind("name: \"m\"\nplatform: \"onnxruntime_onnx\"\n"), is("text file"));
}

TEST(CheckFileKind, LetsWhatMayBeAModelPass) {
  EXPECT_THAT(CheckFileKind("\x08\x08\x12\x07pytorch"), IsOk());
  EXPECT_THAT(CheckFileKind("short"), IsOk());  // too little to tell; the parser will
}

TEST(DataTypeFromOnnx, KnowsTheTypesThatTensorsHave) {
  EXPECT_EQ(*DataTypeFromOnnx(1), tensor::DataType::kFloat32);
  EXPECT_EQ(*DataTypeFromOnnx(7), tensor::DataType::kInt64);
  EXPECT_EQ(*DataTypeFromOnnx(9), tensor::DataType::kBool);
  EXPECT_EQ(*DataTypeFromOnnx(16), tensor::DataType::kBFloat16);
}

TEST(DataTypeFromOnnx, TellsUnsupportedFromUnknown) {
  EXPECT_THAT(DataTypeFromOnnx(8), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("STRING")));
  EXPECT_THAT(DataTypeFromOnnx(17), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("FLOAT8E4M3FN")));
  for (const int64_t type : {int64_t{0}, int64_t{-1}, int64_t{77}, INT64_MAX, INT64_MIN}) {
    EXPECT_THAT(DataTypeFromOnnx(type), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ONNX defines")));
  }
}

}  // namespace
}  // namespace stillwave::onnx_import
