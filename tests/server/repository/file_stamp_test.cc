#include "server/repository/file_stamp.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/server/repository/test_repository.h"

namespace stillwave::repository {
namespace {

namespace fs = std::filesystem;

class FileStampTest : public testing::Test {
 protected:
  std::string Stamp() const { return StampFolder(folder_.path() + "/1"); }
  // To the nanosecond, and nothing else.
  void SetTime(const std::string& name, timespec time) const {
    const timespec times[2] = {time, time};
    ASSERT_EQ(utimensat(AT_FDCWD, absl::StrCat(folder_.path(), "/", name).c_str(), times, 0), 0);
  }
  TestFolder folder_;
};

TEST_F(FileStampTest, IsTheSameWhileNothingChanges) {
  folder_.Write("1/model.onnx", "x");
  folder_.Write("1/weights/a.bin", "x");
  EXPECT_EQ(Stamp(), Stamp());
}

TEST_F(FileStampTest, ChangesWithSizeTimeInodeAndName) {
  folder_.Write("1/model.onnx", "x");
  SetTime("1/model.onnx", {1000, 5});
  const std::string before = Stamp();
  SetTime("1/model.onnx", {1000, 6});
  EXPECT_NE(Stamp(), before) << "time, by a nanosecond";
  SetTime("1/model.onnx", {1000, 5});
  EXPECT_EQ(Stamp(), before);
  folder_.Append("1/model.onnx", "y");
  SetTime("1/model.onnx", {1000, 5});
  EXPECT_NE(Stamp(), before) << "size";
  folder_.Write("1/model.onnx", "x");
  SetTime("1/model.onnx", {1000, 5});
  EXPECT_NE(Stamp(), before) << "another file of the same name, size and time";
  const std::string renamed = Stamp();
  fs::rename(folder_.path() + "/1/model.onnx", folder_.path() + "/1/other.onnx");
  EXPECT_NE(Stamp(), renamed) << "name";
}

TEST_F(FileStampTest, CoversFilesBesideTheModelAndBelow) {
  folder_.Write("1/model.onnx", "x");
  const std::string alone = Stamp();
  folder_.Write("1/model.onnx.data", "x");
  const std::string with_data = Stamp();
  EXPECT_NE(with_data, alone);
  folder_.Write("1/deeper/still/a.bin", "x");
  EXPECT_NE(Stamp(), with_data);
}

TEST_F(FileStampTest, FollowsLinksAndPassesOverDotEntries) {
  folder_.Write(".first/model.onnx", "x");
  folder_.Write(".second/model.onnx", "x");
  fs::create_directories(folder_.path() + "/1");
  fs::create_symlink(folder_.path() + "/.first/model.onnx", folder_.path() + "/1/model.onnx");
  const std::string first = Stamp();
  EXPECT_NE(first, "");
  folder_.Write("1/.hidden", "x");
  EXPECT_EQ(Stamp(), first);
  fs::remove(folder_.path() + "/1/model.onnx");
  fs::create_symlink(folder_.path() + "/.second/model.onnx", folder_.path() + "/1/model.onnx");
  EXPECT_NE(Stamp(), first);
}

TEST_F(FileStampTest, ALoopOfLinksHasAnEnd) {
  folder_.Write("1/model.onnx", "x");
  fs::create_directory_symlink(folder_.path() + "/1", folder_.path() + "/1/again");
  fs::create_directory_symlink(folder_.path() + "/1", folder_.path() + "/1/and_again");
  EXPECT_EQ(Stamp(), Stamp());
  EXPECT_NE(Stamp(), "");
}

TEST_F(FileStampTest, WhatIsNotThereHasNone) {
  EXPECT_EQ(Stamp(), "");
  EXPECT_EQ(StampFile(folder_.path() + "/nothing"), "");
  EXPECT_EQ(StampFile(folder_.path()), "") << "a folder is no file";
}

}  // namespace
}  // namespace stillwave::repository
