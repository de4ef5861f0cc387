// stillwave-server --check: what a pipeline that publishes models calls.
#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/bad_models.h"
#include "tests/support/server_fixture.h"
#include "tests/support/test_models.h"

namespace stillwave::integration {
namespace {

using test_support::BadModel;
using test_support::ProgramResult;
using test_support::TestModel;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ProgramResult Check(const std::string& model_file) {
  return test_support::RunProgram("stillwave-server", {"--check", "--model=" + model_file});
}

bool IsOneLine(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n') == 1 && text.back() == '\n';
}

class GoodModelTest : public ::testing::TestWithParam<TestModel> {};

TEST_P(GoodModelTest, IsOkInOneLine) {
  const ProgramResult result = Check(GetParam().model_file);
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, StartsWith("OK " + GetParam().model_file + ": nothing in training mode; "));
  EXPECT_TRUE(IsOneLine(result.out)) << result.out;
}

INSTANTIATE_TEST_SUITE_P(Models, GoodModelTest, ::testing::ValuesIn(test_support::PromisedModels()),
                         test_support::TestSuffix);

// Those that are about training mode, statistics and the batch.
std::vector<BadModel> NotFrozenModels() {
  static constexpr std::array<const char*, 5> kPrefixes = {"bn_", "dropout_", "batch_", "weights_", "op_random"};
  std::vector<BadModel> models = test_support::BadModels();
  std::erase_if(models, [](const BadModel& model) {
    return std::none_of(kPrefixes.begin(), kPrefixes.end(),
                        [&](const char* prefix) { return absl::StartsWith(model.name, prefix); });
  });
  return models;
}

class NotFrozenModelTest : public ::testing::TestWithParam<BadModel> {};

TEST_P(NotFrozenModelTest, IsRefusedInOneLine) {
  const ProgramResult result = Check(GetParam().path);
  EXPECT_EQ(result.exit_code, 1) << result.out << result.err;
  EXPECT_THAT(result.out, AllOf(StartsWith("REFUSED " + GetParam().path + ": "), ContainsRegex(GetParam().words)));
  EXPECT_TRUE(IsOneLine(result.out)) << result.out;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NotFrozenModelTest);
INSTANTIATE_TEST_SUITE_P(Files, NotFrozenModelTest, ::testing::ValuesIn(NotFrozenModels()),
                         test_support::BadModelSuffix);

// The copies that are always there.
TEST(CheckModel, RefusesTrainingModeWithNodeAndCure) {
  const std::string folder = test_support::DataDir() + "/models/refused/";
  for (const char* file :
       {"bn_training_mode.onnx", "bn_no_running_stats_opset13.onnx", "bn_no_running_stats_opset15.onnx",
        "bn_training_mode_attr_only.onnx", "dropout_training_true.onnx", "batch_mean.onnx", "batch_mixing.onnx"}) {
    const ProgramResult result = Check(folder + file);
    EXPECT_EQ(result.exit_code, 1) << file;
    EXPECT_THAT(result.out, AllOf(StartsWith("REFUSED "), HasSubstr(file), HasSubstr("model.eval()"))) << file;
  }
}

TEST(CheckModel, ChecksTheDemonstrationModelWhereNoneIsNamed) {
  const ProgramResult result = test_support::RunProgram("stillwave-server", {"--check"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(StartsWith("OK demonstration model: "), HasSubstr("3 BatchNormalization layers"),
                                HasSubstr("same bits alone and in batches of up to 32")));
}

TEST(CheckModel, SaysThatAFileIsMissing) {
  const ProgramResult result = Check("/no/such/model.onnx");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, StartsWith("REFUSED /no/such/model.onnx: "));
}

}  // namespace
}  // namespace stillwave::integration
