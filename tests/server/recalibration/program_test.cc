// The program as a shell runs it: exit statuses, what goes to which output.
#include <filesystem>
#include <string>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/server_fixture.h"
#include "tests/support/temp_path.h"
#include "tests/support/test_models.h"

namespace stillwave::recalibration {
namespace {

using nlohmann::json;
using Result = test_support::ProgramResult;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// `arguments` are separated by spaces.
Result RunProgram(const std::string& arguments) {
  return test_support::RunProgram("stillwave-recalibrate", absl::StrSplit(arguments, ' '));
}

std::string ReferenceArguments(const std::string& output) {
  const std::string folder = test_support::DataDir() + "/recalibration/";
  std::filesystem::remove(output);
  return "--model " + folder + "model.onnx --data " + folder + "batches.npy --output " + output;
}

TEST(RecalibrateProgram, WritesTheModelAndATableOfItsLayers) {
  const std::string output = test_support::TempPath("table.onnx");
  const Result result = RunProgram(ReferenceArguments(output));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(StartsWith("momentum 0.1 over 10 batches of 160 samples in all\n"), HasSubstr("variance ratio"),
                    HasSubstr("features.2.1"), HasSubstr("% removed"), HasSubstr("written to " + output)));
  EXPECT_THAT(result.err, IsEmpty());  // no progress bar where nobody looks
  EXPECT_TRUE(std::filesystem::exists(output));
  const Result again = RunProgram("--cumulative " + ReferenceArguments(output) + ".2 --model x");
  EXPECT_EQ(again.exit_code, 2);
}

TEST(RecalibrateProgram, ReportsAsJson) {
  const std::string output = test_support::TempPath("json.onnx");
  const Result result = RunProgram("--json --cumulative --layers features.0.1 " + ReferenceArguments(output));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json report = json::parse(result.out);
  EXPECT_EQ(report.at("mode"), "cumulative");
  EXPECT_EQ(report.at("batches"), 10);
  EXPECT_EQ(report.at("samples"), 160);
  ASSERT_EQ(report.at("layers").size(), 1U);
  const json& layer = report.at("layers")[0];
  EXPECT_EQ(layer.at("name"), "features.0.1");
  EXPECT_EQ(layer.at("channels"), 16);
  EXPECT_GT(layer.at("before").at("divergence_mean").get<double>(), 0.01);
  EXPECT_LT(layer.at("after").at("divergence_mean").get<double>(), 1e-9);
  EXPECT_GT(layer.at("divergence_removed_percent").get<double>(), 99.9);
}

TEST(RecalibrateProgram, SaysWhatIsWrongAndLeavesWithItsExitStatus) {
  const std::string output = test_support::TempPath("wrong.onnx");
  const Result flag = RunProgram("--momentum 7 " + ReferenceArguments(output));
  EXPECT_EQ(flag.exit_code, 2);
  EXPECT_THAT(flag.err, AllOf(StartsWith("stillwave-recalibrate: --momentum must be"), HasSubstr("--help")));
  const Result layer = RunProgram("--layers features.0.2 " + ReferenceArguments(output));
  EXPECT_EQ(layer.exit_code, 2);
  EXPECT_THAT(layer.err, HasSubstr("near ones: features.0.1"));
  const Result refused = RunProgram("--data x.npy --output " + output + " --model " + test_support::DataDir() +
                                    "/models/refused/dropout_training_true.onnx");
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.err, HasSubstr("dropout_training_true.onnx: "));
  const Result missing = RunProgram("--data /nowhere.npy --output " + output + " --model " + test_support::DataDir() +
                                    "/recalibration/model.onnx");
  EXPECT_EQ(missing.exit_code, 5);
  EXPECT_THAT(missing.err, HasSubstr("/nowhere.npy: there is no such file"));
  EXPECT_FALSE(std::filesystem::exists(output));
  EXPECT_THAT(RunProgram("--help").out, HasSubstr("stillwave-recalibrate --model model.onnx"));
}

}  // namespace
}  // namespace stillwave::recalibration
