#include "server/onnx/external_data.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::onnx_import {
namespace {

namespace fs = std::filesystem;
using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// A folder "models" with weights.bin ("0123456789"), beside a file that is none of its business.
class ExternalDataTest : public ::testing::Test {
 protected:
  ExternalDataTest() {
    std::string pattern = (fs::temp_directory_path() / "stillwave_external_XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    folder_ = root_ / "models";
    fs::create_directories(folder_ / "sub");
    Write(folder_ / "weights.bin", "0123456789");
    Write(folder_ / "sub" / "deep.bin", "abcd");
    Write(root_ / "secret.bin", "secret");
  }
  ~ExternalDataTest() override { fs::remove_all(root_); }

  static void Write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

  absl::StatusOr<std::string> Read(const ExternalLocation& location, int64_t size) {
    ExternalData data(folder_.string());
    if (absl::Status status = data.Open(location, size); !status.ok()) return status;
    std::string bytes(static_cast<size_t>(size), '\0');
    if (absl::Status status = data.Read(location, size, bytes.data()); !status.ok()) return status;
    return bytes;
  }

  fs::path root_;
  fs::path folder_;
};

TEST_F(ExternalDataTest, ReadsAPartOfAFile) {
  EXPECT_EQ(*Read({"weights.bin"}, 10), "0123456789");
  EXPECT_EQ(*Read({"weights.bin", 4, 3}, 3), "456");
  EXPECT_EQ(*Read({"./weights.bin", 10, 0}, 0), "");
  EXPECT_EQ(*Read({"sub/deep.bin", 1}, 2), "bc");
}

TEST_F(ExternalDataTest, ReadsSeveralFilesInTurn) {
  ExternalData data(folder_.string());
  std::string bytes(2, '\0');
  for (const auto& [location, want] : std::vector<std::pair<ExternalLocation, std::string>>{
           {{"weights.bin", 2}, "23"}, {{"sub/deep.bin"}, "ab"}, {{"weights.bin", 8}, "89"}}) {
    ASSERT_THAT(data.Open(location, 2), IsOk());
    ASSERT_THAT(data.Read(location, 2, bytes.data()), IsOk());
    EXPECT_EQ(bytes, want);
  }
}

TEST_F(ExternalDataTest, RefusesPathsThatLeaveTheFolder) {
  EXPECT_THAT(Read({"../secret.bin"}, 1), StatusIs(kInvalid, HasSubstr("holds '..'")));
  EXPECT_THAT(Read({"sub/../../secret.bin"}, 1), StatusIs(kInvalid, HasSubstr("holds '..'")));
  EXPECT_THAT(Read({"sub/../weights.bin"}, 1), StatusIs(kInvalid, HasSubstr("holds '..'")));
  EXPECT_THAT(Read({(folder_ / "weights.bin").string()}, 1), StatusIs(kInvalid, HasSubstr("is absolute")));
}

TEST_F(ExternalDataTest, FollowsLinksInsideTheFolderOnly) {
  fs::create_symlink("weights.bin", folder_ / "inside.bin");
  fs::create_symlink("../secret.bin", folder_ / "outside.bin");
  fs::create_directory_symlink(root_, folder_ / "up");
  EXPECT_EQ(*Read({"inside.bin"}, 2), "01");
  EXPECT_THAT(Read({"outside.bin"}, 1), StatusIs(kInvalid, HasSubstr("leads out of it")));
  EXPECT_THAT(Read({"up/secret.bin"}, 1), StatusIs(kInvalid, HasSubstr("leads out of it")));
}

TEST_F(ExternalDataTest, ASiblingFolderWithTheSamePrefixIsOutside) {
  fs::create_directory(root_ / "models2");
  Write(root_ / "models2" / "w.bin", "x");
  fs::create_directory_symlink(root_ / "models2", folder_ / "link");
  EXPECT_THAT(Read({"link/w.bin"}, 1), StatusIs(kInvalid, HasSubstr("leads out of it")));
}

TEST_F(ExternalDataTest, RefusesWhatIsNotARegularFile) {
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  fs::create_symlink("/dev/zero", folder_ / "zero");
  EXPECT_THAT(Read({"sub"}, 1), StatusIs(kInvalid, HasSubstr("is a directory")));
  EXPECT_THAT(Read({"."}, 1), StatusIs(kInvalid, HasSubstr("is the model's folder")));
  EXPECT_THAT(Read({"pipe"}, 1), StatusIs(kInvalid, HasSubstr("must be a regular file")));
  EXPECT_THAT(Read({"zero"}, 1), StatusIs(kInvalid, HasSubstr("leads out of it")));
}

TEST_F(ExternalDataTest, NamesAMissingFile) {
  EXPECT_THAT(Read({"none.bin"}, 1), StatusIs(absl::StatusCode::kNotFound, HasSubstr("'none.bin'")));
}

TEST_F(ExternalDataTest, RefusesLocationsThatAreNoPaths) {
  EXPECT_THAT(Read({""}, 1), StatusIs(kInvalid, HasSubstr("no location")));
  EXPECT_THAT(Read({std::string("weights.bin\0x", 13)}, 1), StatusIs(kInvalid, HasSubstr("is not a path")));
  EXPECT_THAT(Read({std::string(5000, 'a')}, 1), StatusIs(kInvalid, HasSubstr("is not a path")));
}

TEST_F(ExternalDataTest, ChecksOffsetAndLengthAgainstTheFile) {
  EXPECT_THAT(Read({"weights.bin"}, 11), StatusIs(kInvalid, HasSubstr("must hold 11 bytes from offset 0 on; has 10")));
  EXPECT_THAT(Read({"weights.bin", 8}, 3), StatusIs(kInvalid, HasSubstr("from offset 8 on")));
  EXPECT_THAT(Read({"weights.bin", 4096}, 1), StatusIs(kInvalid, HasSubstr("from offset 4096 on")));
  EXPECT_THAT(Read({"weights.bin", INT64_MAX}, 4), StatusIs(kInvalid, HasSubstr("from offset")));
  EXPECT_THAT(Read({"weights.bin", -4}, 4), StatusIs(kInvalid, HasSubstr("must not be negative; was -4")));
  EXPECT_THAT(Read({"weights.bin", 0, 5}, 4), StatusIs(kInvalid, HasSubstr("must be the tensor's 4 bytes; was 5")));
}

TEST_F(ExternalDataTest, ChecksTheChecksumWhenGiven) {
  // printf 0123456789 | sha1sum
  EXPECT_EQ(*Read({"weights.bin", 2, 2, "87acec17cd9dcd20a716cc2cf67417b71c8a7016"}, 2), "23");
  EXPECT_EQ(*Read({"weights.bin", 2, 2, "87ACEC17CD9DCD20A716CC2CF67417B71C8A7016"}, 2), "23");
  EXPECT_THAT(Read({"weights.bin", 2, 2, "00acec17cd9dcd20a716cc2cf67417b71c8a7016"}, 2),
              StatusIs(kInvalid, HasSubstr("must have SHA-1")));
}

TEST_F(ExternalDataTest, BoundsTheBytesOfAModel) {
  // A sparse file: 2 GiB that take no space, read again and again by one small model.
  fs::resize_file(folder_ / "weights.bin", uintmax_t{1} << 31);
  ExternalData data(folder_.string());
  for (int i = 0; i < 8; ++i) ASSERT_THAT(data.Open({"weights.bin"}, int64_t{1} << 31), IsOk());
  EXPECT_THAT(data.Open({"weights.bin"}, 1), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("in all")));
}

TEST(ExternalData, IsRefusedWithoutAFolder) {
  ExternalData data("");
  EXPECT_THAT(data.Open({"weights.bin"}, 4), StatusIs(kInvalid, HasSubstr("came as bytes alone")));
}

}  // namespace
}  // namespace stillwave::onnx_import
