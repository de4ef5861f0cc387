#include "client/sample_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/client/exit_matchers.h"
#include "tests/support/temp_path.h"

namespace stillwave::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string WriteFile(const std::string& name, const std::string& bytes) {
  const std::string path = test_support::TempPath(name);
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

TEST(SampleReader, TellsNpyAndCsvApartByTheirContents) {
  std::string npy("\x93NUMPY\x01\x00", 8);
  const std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}";
  npy += static_cast<char>(header.size());
  npy += '\0';
  const std::string path = WriteFile("no_ending", npy + header + "\x07\x08");
  const auto array = ReadSampleFile(path);
  ASSERT_THAT(array, Succeeds());
  EXPECT_THAT(array->values, ElementsAre(7, 8));
  EXPECT_EQ(array->source, path);

  const auto csv = ReadSampleFile(WriteFile("table.txt", "5\n6\n"));
  ASSERT_THAT(csv, Succeeds());
  EXPECT_THAT(csv->values, ElementsAre(5, 6));
}

TEST(SampleReader, NamesFilesThatItCannotRead) {
  EXPECT_THAT(ReadSampleFile("/no/such/file.npy"),
              FailsWith(ExitCode::kBadInput, HasSubstr("/no/such/file.npy: cannot open: No such file")));
  EXPECT_THAT(ReadSampleFile(testing::TempDir()), FailsWith(ExitCode::kBadInput, HasSubstr("is a folder")));
  EXPECT_THAT(ReadSampleFile(WriteFile("empty.csv", "")),
              FailsWith(ExitCode::kBadInput, HasSubstr("the file is empty")));
  EXPECT_THAT(ReadSampleFile(WriteFile("wrong.npy", "1\n2\n")),
              FailsWith(ExitCode::kBadInput, HasSubstr("not an .npy file")));
}

TEST(SampleReader, ReadsTheRealRecording) {
  const std::string path = std::string(STILLWAVE_SOURCE_DIR) + "/../shared/data/ecg_360hz.npy";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "the folder ../shared is not there";
  const auto array = ReadSampleFile(path);
  ASSERT_THAT(array, Succeeds());
  EXPECT_THAT(array->shape, ElementsAre(108000));
  EXPECT_EQ(array->not_finite, 0);
}

TEST(SampleArray, SelectsColumnsByNameAndNumber) {
  const SampleArray array{
      .source = "x.csv", .shape = {2, 3}, .values = {1, 2, 3, 4, 5, 6}, .column_names = {"t", "a", "b"}};
  const auto selected = SelectColumns(array, {"b", "1"});
  ASSERT_THAT(selected, Succeeds());
  EXPECT_THAT(selected->shape, ElementsAre(2, 2));
  EXPECT_THAT(selected->values, ElementsAre(3, 1, 6, 4));
  EXPECT_THAT(selected->column_names, ElementsAre("b", "t"));
  EXPECT_THAT(SelectColumns(array, {"c"}),
              FailsWith(ExitCode::kUsage, HasSubstr("a number from 1 to 3 or a name of: t, a, b; was 'c'")));
  EXPECT_THAT(SelectColumns(array, {"4"}), FailsWith(ExitCode::kUsage, HasSubstr("was '4'")));
}

TEST(SampleArray, SelectsColumnsOfTablesOnly) {
  EXPECT_THAT(SelectColumns({.source = "x.npy", .shape = {2}, .values = {1, 2}}, {"1"}),
              FailsWith(ExitCode::kUsage, HasSubstr("x.npy has shape [2]")));
}

}  // namespace
}  // namespace stillwave::client
