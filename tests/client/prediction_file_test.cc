#include "client/prediction_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/client/exit_matchers.h"

namespace stillwave::client {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// A folder of its own, so that what is left behind is seen.
class PredictionFileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  std::string Path(const std::string& name) const { return folder_ / name; }
  static std::string Contents(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  size_t Files() const { return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_), {})); }
  // Two windows of logits.
  static std::vector<ResultRow> Rows() {
    return {
        {.index = 0, .samples = SampleRange{10, 19}, .outputs = {{"y", "FP32", {2}, {static_cast<double>(0.1F), 2}}}},
        {.index = 1, .samples = SampleRange{15, 24}, .outputs = {{"y", "FP32", {2}, {3, -1}}}}};
  }
  std::string Write(const std::string& name, const ResultFormat& format, const std::vector<ResultRow>& rows) const {
    auto file = PredictionFile::Create(Path(name), format);
    EXPECT_THAT(file, Succeeds());
    for (const ResultRow& row : rows) EXPECT_THAT((*file)->Add(row), Succeeds());
    EXPECT_THAT((*file)->Commit(), Succeeds());
    return Contents(Path(name));
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(PredictionFileTest, CsvHasAColumnForEveryValue) {
  EXPECT_EQ(Write("p.csv", {}, Rows()),
            "window,first_sample,last_sample,class,y_0,y_1\n"
            "0,10,19,1,0.1,2\n"
            "1,15,24,0,3,-1\n");
  EXPECT_THAT(
      Write("q.csv", {.labels = {"a,b", "c"}, .softmax = true, .sample_rate_hz = 5}, Rows()),
      AllOf(StartsWith("window,first_sample,last_sample,start_seconds,end_seconds,class,label,probability,y_0,y_1\n"
                       "0,10,19,2,4,1,c,0.8698"),
            HasSubstr("\n1,15,24,3,5,0,\"a,b\",0.98201"), EndsWith(",3,-1\n")));
}

TEST_F(PredictionFileTest, CsvLeavesTheClassOfNanOut) {
  std::vector<ResultRow> rows = Rows();
  rows[1].outputs[0].values[0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Write("p.csv", {}, rows), EndsWith("\n1,15,24,,nan,-1\n"));
}

TEST_F(PredictionFileTest, JsonLinesAreThoseOfTheScreen) {
  std::istringstream lines(Write("p.jsonl", {.labels = {"a", "b"}}, Rows()));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(nlohmann::json::parse(line)["label"], "b");
  std::getline(lines, line);
  EXPECT_EQ(nlohmann::json::parse(line)["window"], 1);
}

TEST_F(PredictionFileTest, NpyIsAStructuredArrayWithTheNumberOfRows) {
  std::vector<ResultRow> rows = Rows();
  for (ResultRow& row : rows) row.outputs.push_back({"y", "FP32", {}, {7}});
  const std::string bytes = Write("p.npy", {}, rows);
  ASSERT_GE(bytes.size(), 10u);
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const size_t header = 10 + static_cast<uint8_t>(bytes[8]) + 256 * static_cast<size_t>(static_cast<uint8_t>(bytes[9]));
  EXPECT_EQ(header % 64, 0u);
  EXPECT_THAT(bytes.substr(10, header - 10),
              AllOf(StartsWith("{'descr': [('window', '<i8'), ('first_sample', '<i8'), ('last_sample', '<i8'), "
                               "('y', '<f4', (2,)), ('y_', '<f4')], 'fortran_order': False, 'shape': (2,), }  "),
                    EndsWith(" \n")));
  ASSERT_EQ(bytes.size() - header, 2 * (3 * 8 + 3 * 4u));
  int64_t last_sample = 0;
  std::memcpy(&last_sample, bytes.data() + header + 36 + 16, sizeof(last_sample));
  EXPECT_EQ(last_sample, 24);
  float value = 0;
  std::memcpy(&value, bytes.data() + header + 24, sizeof(value));
  EXPECT_EQ(value, 0.1F);
}

TEST_F(PredictionFileTest, OtherOutputsThanTheFirstRowsAreAnError) {
  for (const char* name : {"p.csv", "p.npy"}) {
    auto file = PredictionFile::Create(Path(name), {});
    ASSERT_THAT(file, Succeeds());
    ASSERT_THAT((*file)->Add(Rows()[0]), Succeeds());
    EXPECT_THAT((*file)->Add({.index = 1, .outputs = {{"y", "FP32", {3}, {1, 2, 3}}}}),
                FailsWith(ExitCode::kRefused, HasSubstr("window 1 has other outputs than the first one")));
  }
}

TEST_F(PredictionFileTest, NothingIsSeenBeforeTheCommit) {
  std::ofstream(Path("p.csv")) << "before";
  {
    auto file = PredictionFile::Create(Path("p.csv"), {});
    ASSERT_THAT(file, Succeeds());
    ASSERT_THAT((*file)->Add(Rows()[0]), Succeeds());
    EXPECT_EQ(Contents(Path("p.csv")), "before");
  }
  EXPECT_EQ(Contents(Path("p.csv")), "before");
  EXPECT_EQ(Files(), 1u) << "what was not committed is gone";
}

TEST_F(PredictionFileTest, WithoutARowThereIsNoFile) {
  EXPECT_EQ(Write("p.npy", {}, {}), "");
  EXPECT_EQ(Files(), 0u);
}

TEST_F(PredictionFileTest, RefusesOtherSuffixesAndFoldersThatAreNotThere) {
  EXPECT_THAT(PredictionFile::Create(Path("p.txt"), {}),
              FailsWith(ExitCode::kUsage, HasSubstr("--out must end in .csv, .jsonl or .npy; was '")));
  EXPECT_THAT(PredictionFile::Create("/no/such/folder/p.csv", {}),
              FailsWith(ExitCode::kUsage, HasSubstr("cannot make a file beside '/no/such/folder/p.csv': No such")));
}

}  // namespace
}  // namespace stillwave::client
