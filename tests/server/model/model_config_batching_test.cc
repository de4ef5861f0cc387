#include "server/model/model_config_batching.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/model/model_config.h"
#include "tests/support/status_matchers.h"

namespace stillwave::model {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using TimeoutAction = QueuePolicy::TimeoutAction;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

absl::StatusOr<ModelConfig> Parse(const std::string& dynamic_batching) {
  return ParseModelConfig(absl::StrCat("dynamic_batching { ", dynamic_batching, " }"), "ecg");
}

TEST(ModelConfigBatchingTest, NothingSaidIsNoDelayOneLevelAndNoTimeout) {
  const auto config = Parse("");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->batching.max_queue_delay, absl::ZeroDuration());
  EXPECT_THAT(config->batching.preferred_batch_sizes, IsEmpty());
  EXPECT_FALSE(config->batching.preserve_ordering);
  EXPECT_EQ(config->batching.priority_levels, 0);
  EXPECT_EQ(config->batching.default_priority_level, 0);
  EXPECT_EQ(config->batching.default_queue_policy.default_timeout, absl::InfiniteDuration());
  EXPECT_EQ(config->batching.default_queue_policy.max_samples, 0);
  EXPECT_EQ(config->batching.scheduling_weight, 1);
}

TEST(ModelConfigBatchingTest, ReadsAllFields) {
  const auto config = Parse(R"pb(
    preferred_batch_size: [ 8, 4 ]
    max_queue_delay_microseconds: 250
    priority_levels: 3
    default_priority_level: 2
    default_queue_policy { timeout_action: REJECT default_timeout_microseconds: 5000 max_queue_size: 64 }
    priority_queue_policy {
      key: 3
      value { timeout_action: DELAY default_timeout_microseconds: 9000 allow_timeout_override: true max_queue_size: 16 }
    }
  )pb");
  ASSERT_THAT(config, IsOk());
  const BatchingOptions& batching = config->batching;
  EXPECT_THAT(batching.preferred_batch_sizes, ElementsAre(4, 8));
  EXPECT_EQ(batching.max_queue_delay, absl::Microseconds(250));
  EXPECT_EQ(batching.priority_levels, 3);
  EXPECT_EQ(batching.default_priority_level, 2);
  EXPECT_EQ(batching.default_queue_policy.timeout_action, TimeoutAction::kReject);
  EXPECT_EQ(batching.default_queue_policy.default_timeout, absl::Milliseconds(5));
  EXPECT_FALSE(batching.default_queue_policy.allow_timeout_override);
  EXPECT_EQ(batching.default_queue_policy.max_samples, 64);
  ASSERT_EQ(batching.level_queue_policies.size(), 1u);
  const QueuePolicy& third = batching.level_queue_policies.at(3);
  EXPECT_EQ(third.timeout_action, TimeoutAction::kDelay);
  EXPECT_EQ(third.default_timeout, absl::Milliseconds(9));
  EXPECT_TRUE(third.allow_timeout_override);
  EXPECT_EQ(third.max_samples, 16);
}

TEST(ModelConfigBatchingTest, OrderingIsRead) {
  const auto config = Parse("preserve_ordering: true priority_levels: 1 default_priority_level: 1");
  ASSERT_THAT(config, IsOk());
  EXPECT_TRUE(config->batching.preserve_ordering);
}

TEST(ModelConfigBatchingTest, WhatIsOutOfRangeOrAtOddsIsRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {"preferred_batch_size: 33", "dynamic_batching.preferred_batch_size must be 1 to 32; was 33"},
      {"preferred_batch_size: 0", "dynamic_batching.preferred_batch_size must be 1 to 32; was 0"},
      {"max_queue_delay_microseconds: 3600000001",
       "dynamic_batching.max_queue_delay_microseconds must be 0 to 3600000000; was 3600000001"},
      {"max_queue_delay_microseconds: 18446744073709551615", "was 18446744073709551615"},
      {"priority_levels: 257 default_priority_level: 1", "dynamic_batching.priority_levels must be 0 to 256; was 257"},
      {"priority_levels: 2", "dynamic_batching.default_priority_level must be 1 to 2; was 0"},
      {"priority_levels: 2 default_priority_level: 3", "default_priority_level must be 1 to 2; was 3"},
      {"default_priority_level: 1", "default_priority_level must be 0 to 0; was 1"},
      {"default_queue_policy { default_timeout_microseconds: 86400000001 }",
       "default_queue_policy.default_timeout_microseconds must be 0 to 86400000000; was 86400000001"},
      {"priority_queue_policy { key: 1 value { } }",
       "dynamic_batching.priority_queue_policy must have keys from 1 to priority_levels; was 1, with 0 levels"},
      {"priority_levels: 2 default_priority_level: 1 priority_queue_policy { key: 3 value { } }",
       "priority_queue_policy must have keys from 1 to priority_levels; was 3, with 2 levels"},
      {"priority_levels: 2 default_priority_level: 1 "
       "priority_queue_policy { key: 2 value { default_timeout_microseconds: 90000000000 } }",
       "dynamic_batching.priority_queue_policy 2.default_timeout_microseconds must be 0 to 86400000000"},
      {"preserve_ordering: true priority_levels: 2 default_priority_level: 1",
       "dynamic_batching.priority_levels must be at most 1 with preserve_ordering; was 2"},
      {"preserve_ordering: true default_queue_policy { timeout_action: DELAY }",
       "must be REJECT with preserve_ordering; was DELAY"},
  };
  for (const auto& [text, words] : cases) EXPECT_THAT(Parse(text), StatusIs(kInvalid, HasSubstr(words))) << text;
}

TEST(ModelConfigBatchingTest, TheWeightIsAParameterOfOurOwn) {
  const auto parse = [](const std::string& value) {
    return ParseModelConfig(
        absl::StrCat("parameters { key: \"scheduling_weight\" value: { string_value: \"", value, "\" } }"), "ecg");
  };
  ASSERT_THAT(parse("7"), IsOk());
  EXPECT_EQ(parse("7")->batching.scheduling_weight, 7);
  for (const char* value : {"0", "101", "2.5", "-1", "much"}) {
    EXPECT_THAT(parse(value),
                StatusIs(kInvalid, HasSubstr(absl::StrCat(
                                       "parameters.scheduling_weight must be an integer from 1 to 100; was '", value))))
        << value;
  }
}

}  // namespace
}  // namespace stillwave::model
