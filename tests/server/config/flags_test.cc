#include "server/config/flags.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::config {
namespace {

using testing::HasSubstr;

absl::StatusOr<Invocation> Parse(const std::vector<const char*>& arguments) {
  return ParseFlags(arguments, /*granted_cpus=*/3);
}

std::string MessageOf(const std::vector<const char*>& arguments) {
  const absl::StatusOr<Invocation> parsed = Parse(arguments);
  EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(parsed.status().message());
}

TEST(Flags, WithoutAnyServeTheDemonstrationModelOnLoopback) {
  const auto parsed = Parse({});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->action, Invocation::Action::kServe);
  const ServerConfig& config = parsed->config;
  EXPECT_EQ(config.model, "");
  EXPECT_EQ(config.model_repository, "");
  EXPECT_EQ(config.grpc_address, "127.0.0.1:8001");
  EXPECT_EQ(config.http_address, "127.0.0.1:8002");
  EXPECT_EQ(config.workers, 3) << "as many as CPUs are granted";
  EXPECT_EQ(config.batch_norm, model::BatchNormMode::kPrimitive);
  EXPECT_FALSE(config.strict_readiness);
  EXPECT_FALSE(config.shared_memory);
}

TEST(Flags, EachFlagSetsItsField) {
  const auto parsed = Parse({"--model=a/model.onnx",
                             "--grpc_address=0.0.0.0:9",
                             "--http_address",
                             "[::1]:0",
                             "--workers=7",
                             "--max_queue_samples=8",
                             "--max_queue_milliseconds=15",
                             "--keepalive_seconds=16",
                             "--max_batch_size=9",
                             "--batchnorm=folded",
                             "--window_length=10",
                             "--drain_delay=11",
                             "--strict_readiness",
                             "--log_level=warning",
                             "--log_format=json",
                             "--max_streams=12",
                             "--drift_sample_rate=0.25",
                             "--max_series_per_stream=13",
                             "--inline_compute_microseconds=14",
                             "--max_request_megabytes=77",
                             "--shared_memory"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const ServerConfig& config = parsed->config;
  EXPECT_EQ(config.model, "a/model.onnx");
  EXPECT_EQ(config.grpc_address, "0.0.0.0:9");
  EXPECT_EQ(config.http_address, "[::1]:0");
  EXPECT_EQ(config.workers, 7);
  EXPECT_EQ(config.max_queue_samples, 8);
  EXPECT_EQ(config.max_queue_milliseconds, 15);
  EXPECT_EQ(config.keepalive_seconds, 16);
  EXPECT_EQ(config.max_batch_size, 9);
  EXPECT_EQ(config.batch_norm, model::BatchNormMode::kFolded);
  EXPECT_EQ(config.window_length, 10);
  EXPECT_EQ(config.drain_delay_seconds, 11);
  EXPECT_TRUE(config.strict_readiness);
  EXPECT_EQ(config.log_level, base::LogLevel::kWarning);
  EXPECT_EQ(config.log_format, base::LogFormat::kJson);
  EXPECT_EQ(config.max_streams, 12);
  EXPECT_EQ(config.drift_sample_rate, 0.25);
  EXPECT_EQ(config.max_series_per_stream, 13);
  EXPECT_EQ(config.inline_compute_microseconds, 14);
  EXPECT_EQ(config.max_request_megabytes, 77);
  EXPECT_TRUE(config.shared_memory);
}

TEST(Flags, AMachineWithMoreCpusThanWorkersMayBeIsNoMistake) {
  const auto parsed = ParseFlags({}, /*granted_cpus=*/4096);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->config.workers, 1024);
}

TEST(Flags, DashesInNamesMayStandForUnderscoresAndValuesKeepTheirs) {
  const auto parsed = Parse({"--model-repository=my-models", "--strict-readiness", "--drain-delay", "4"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->config.model_repository, "my-models");
  EXPECT_TRUE(parsed->config.strict_readiness);
  EXPECT_EQ(parsed->config.drain_delay_seconds, 4);
}

TEST(Flags, EveryWholeNumberIsHeldToItsRange) {
  for (const IntegerOption& option : IntegerOptions()) {
    for (const int64_t value : {option.minimum - 1, option.maximum + 1}) {
      const std::string flag = absl::StrCat(option.flag, "=", value);
      EXPECT_EQ(MessageOf({flag.c_str()}), absl::StrCat(option.flag, " must be between ", option.minimum, " and ",
                                                        option.maximum, "; was ", value));
    }
    for (const int64_t value : {option.minimum, option.maximum}) {
      const std::string flag = absl::StrCat(option.flag, "=", value);
      const auto parsed = Parse({flag.c_str()});
      ASSERT_TRUE(parsed.ok()) << parsed.status();
      EXPECT_EQ(parsed->config.*option.field, value);
    }
  }
}

TEST(Flags, WrongValuesAreRefusedByName) {
  EXPECT_EQ(MessageOf({"--workers=many"}), "--workers must be a whole number between 1 and 1024; was \"many\"");
  EXPECT_EQ(MessageOf({"--workers=2.5"}), "--workers must be a whole number between 1 and 1024; was \"2.5\"");
  EXPECT_EQ(MessageOf({"--drift_sample_rate=1.5"}), "--drift_sample_rate must be between 0 and 1; was 1.5");
  EXPECT_EQ(MessageOf({"--drift_sample_rate=few"}),
            "--drift_sample_rate must be a number between 0 and 1; was \"few\"");
  EXPECT_EQ(MessageOf({"--batchnorm=train"}), "--batchnorm must be one of primitive, folded; was \"train\"");
  EXPECT_THAT(MessageOf({"--log_level=loud"}), HasSubstr("--log_level must be one of debug, info, warning, error"));
  EXPECT_THAT(MessageOf({"--log_format=xml"}), HasSubstr("--log_format must be one of text, json; was \"xml\""));
  for (const char* address : {"nohost", ":1", "host:", "host:65536", "host:-1", "::1:80", "[::1:80", "a/b:1"}) {
    const std::string flag = absl::StrCat("--grpc_address=", address);
    EXPECT_EQ(MessageOf({flag.c_str()}),
              absl::StrCat("--grpc_address must be host:port with a port between 0 and 65535; was \"", address, "\""));
  }
  EXPECT_THAT(MessageOf({"--http_address=x"}), HasSubstr("--http_address must be host:port"));
}

TEST(Flags, UnknownFlagsAndStrayWordsAreRefusedByName) {
  EXPECT_THAT(MessageOf({"--worker_count=1"}), HasSubstr("--worker_count"));
  EXPECT_THAT(MessageOf({"model.onnx"}), HasSubstr("model.onnx"));
  EXPECT_THAT(MessageOf({"--workers"}), HasSubstr("--workers"));
}

TEST(Flags, ModelControlIsOffAndGoesWithARepository) {
  EXPECT_EQ(Parse({})->config.model_control_mode, repository::ControlMode::kNone);
  const auto poll = Parse(
      {"--model_repository=r", "--model_control_mode=poll", "--repository_poll_seconds=3", "--model_load_threads=4"});
  ASSERT_TRUE(poll.ok()) << poll.status();
  EXPECT_EQ(poll->config.model_control_mode, repository::ControlMode::kPoll);
  EXPECT_EQ(poll->config.repository_poll_seconds, 3);
  EXPECT_EQ(poll->config.model_load_threads, 4);
  const auto control =
      Parse({"--model-repository=r", "--model-control-mode", "explicit", "--load-model=a_b", "--load_model", "c-d"});
  ASSERT_TRUE(control.ok()) << control.status();
  EXPECT_EQ(control->config.model_control_mode, repository::ControlMode::kExplicit);
  EXPECT_THAT(control->config.load_models, testing::ElementsAre("a_b", "c-d"));
  EXPECT_EQ(MessageOf({"--model_control_mode=always"}),
            "--model_control_mode must be one of none, poll, explicit; was \"always\"");
  EXPECT_EQ(MessageOf({"--model_control_mode=poll", "--model=m.onnx"}),
            "--model_control_mode must be none without --model_repository; was \"poll\"");
  EXPECT_EQ(MessageOf({"--model_repository=r", "--load_model=a"}),
            "--load_model must go with --model_control_mode=explicit; was \"a\", and the mode none");
}

TEST(Flags, OneModelSourceOnly) {
  EXPECT_EQ(MessageOf({"--model=m.onnx", "--model_repository=r"}),
            "--model and --model_repository must not be given together; were \"m.onnx\" and \"r\"");
  EXPECT_THAT(MessageOf({"--describe", "--model_repository=r"}), HasSubstr("--describe must go with --model"));
  EXPECT_THAT(MessageOf({"--check", "--model_repository=r"}), HasSubstr("--check must go with --model"));
  EXPECT_EQ(MessageOf({"--check", "--describe"}), "--describe and --check must not be given together");
}

TEST(Flags, DescribeCheckVersionAndHelpAreActions) {
  EXPECT_EQ(Parse({"--check", "--model=m.onnx"})->action, Invocation::Action::kCheck);
  EXPECT_EQ(Parse({"--describe", "--model=m.onnx"})->action, Invocation::Action::kDescribe);
  EXPECT_EQ(Parse({"--describe"})->action, Invocation::Action::kDescribe);
  const auto version = Parse({"--version"});
  ASSERT_TRUE(version.ok());
  EXPECT_EQ(version->action, Invocation::Action::kPrint);
  EXPECT_THAT(version->text, testing::MatchesRegex("stillwave-server [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Flags, HelpTellsRangeAndDefaultOfEachWholeNumber) {
  const auto help = Parse({"--help"});
  ASSERT_TRUE(help.ok());
  EXPECT_EQ(help->action, Invocation::Action::kPrint);
  const ServerConfig defaults;
  for (const IntegerOption& option : IntegerOptions()) {
    EXPECT_THAT(help->text, HasSubstr(absl::StrCat(option.flag, " N")));
    const int64_t initial = option.field == &ServerConfig::workers ? 3 : defaults.*option.field;
    EXPECT_THAT(help->text, HasSubstr(absl::StrCat(option.minimum, " to ", option.maximum, ", default ", initial)));
  }
}

}  // namespace
}  // namespace stillwave::config
