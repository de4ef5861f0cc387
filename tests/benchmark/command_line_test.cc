#include "tests/benchmark/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace stillwave::benchmark {
namespace {

using test_support::IsOk;
using test_support::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;
using Command = CommandLine::Command;

TEST(CommandLineTest, ReadsEveryFlagOfEngine) {
  const auto line = ParseCommandLine({"engine", "--model", "m.onnx", "--batch", "8", "--length=256", "--batchnorm",
                                      "folded", "--precision", "bf16", "--min-time", "0.5", "--seed", "7", "--json"});
  ASSERT_THAT(line, IsOk());
  EXPECT_EQ(line->command, Command::kEngine);
  EXPECT_EQ(line->model, "m.onnx");
  EXPECT_THAT(line->batches, ElementsAre(8));
  EXPECT_EQ(line->length, 256);
  EXPECT_EQ(line->batch_norm, model::BatchNormMode::kFolded);
  EXPECT_EQ(line->precision, model::Precision::kBf16);
  EXPECT_EQ(line->seconds, 0.5);
  EXPECT_EQ(line->seed, 7);
  EXPECT_TRUE(line->json);
}

TEST(CommandLineTest, TakesSeveralBatchesForTheZoo) {
  const auto line = ParseCommandLine({"zoo", "--models", "dir", "--batch", "1,8,32", "--layers"});
  ASSERT_THAT(line, IsOk());
  EXPECT_EQ(line->command, Command::kZoo);
  EXPECT_THAT(line->batches, ElementsAre(1, 8, 32));
  EXPECT_TRUE(line->layers);
}

TEST(CommandLineTest, RefusesWithTheNameOfTheFlag) {
  const auto expect_refused = [](std::vector<const char*> arguments, const char* words) {
    EXPECT_THAT(ParseCommandLine(arguments), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words)));
  };
  expect_refused({"engine", "--model", "m", "--btach", "8"}, "--btach");
  expect_refused({"engine"}, "--model");
  expect_refused({"engine", "--model", "m", "--batch", "0"}, "--batch must be between 1 and 1024; was 0");
  expect_refused({"engine", "--model", "m", "--batch", "many"}, "--batch");
  expect_refused({"engine", "--model", "m", "--length", "-1"}, "--length must be between 0");
  expect_refused({"engine", "--model", "m", "--min-time", "1e9"}, "--min-time must be between 0 and 600");
  expect_refused({"engine", "--model", "m", "--batchnorm", "fold"}, "must be one of primitive, folded; was \"fold\"");
  expect_refused({"engine", "--model", "m", "--precision", "fp16"},
                 "--precision must be one of fp32, bf16; was \"fp16\"");
  expect_refused({"engines"}, "the command must be one of engine, error, rounds, zoo, peak; was \"engines\"");
  expect_refused({}, "command");
  expect_refused({"error", "--model", "m", "--samples", "0"}, "--samples must be between 1");
}

TEST(CommandLineTest, ExplainsTheProgramAndEachCommand) {
  const auto program = ParseCommandLine({"--help"});
  ASSERT_THAT(program, IsOk());
  EXPECT_EQ(program->command, Command::kPrint);
  for (const char* words : {"engine", "rounds", "zoo", "peak", "Exit status"}) {
    EXPECT_THAT(program->text, HasSubstr(words));
  }
  const auto engine = ParseCommandLine({"engine", "--help"});
  ASSERT_THAT(engine, IsOk());
  for (const char* words : {"--model", "--batch ", "--length", "--batchnorm", "--min-time", "--json"}) {
    EXPECT_THAT(engine->text, HasSubstr(words));
  }
}

}  // namespace
}  // namespace stillwave::benchmark
