#include "server/service/config_response.h"

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tests/server/service/served_model_fixture.h"

namespace stillwave::service {
namespace {

using testing::ElementsAre;

class DescribeConfigTest : public ServedModelTest {};

TEST_F(DescribeConfigTest, SaysWhatIsServed) {
  model::ModelConfig defaults;
  defaults.max_batch_size = 8;
  defaults.max_queue_samples = 99;
  Load(defaults);
  const inference::ModelConfig config = DescribeConfig(*Model(), /*workers=*/3);
  EXPECT_EQ(config.name(), "seed_block");
  EXPECT_EQ(config.platform(), "onnxruntime_onnx");
  EXPECT_EQ(config.backend(), "onnxruntime");
  EXPECT_EQ(config.max_batch_size(), 8);
  ASSERT_EQ(config.input_size(), 1);
  EXPECT_EQ(config.input(0).name(), "x");
  EXPECT_EQ(config.input(0).data_type(), inference::TYPE_FP32);
  EXPECT_THAT(config.input(0).dims(), ElementsAre(3, -1)) << "without the batch axis";
  ASSERT_EQ(config.output_size(), 1);
  EXPECT_THAT(config.output(0).dims(), ElementsAre(5));
  EXPECT_EQ(config.version_policy().latest().num_versions(), 1U);
  ASSERT_EQ(config.instance_group_size(), 1);
  EXPECT_EQ(config.instance_group(0).kind(), inference::ModelInstanceGroup::KIND_CPU);
  EXPECT_EQ(config.instance_group(0).count(), 3);
  EXPECT_EQ(config.dynamic_batching().default_queue_policy().max_queue_size(), 99U);
  EXPECT_TRUE(config.has_model_transaction_policy());
  EXPECT_FALSE(config.model_transaction_policy().decoupled());
  EXPECT_EQ(config.parameters().at("batchnorm").string_value(), "primitive");
}

TEST_F(DescribeConfigTest, SaysWhatWasConfigured) {
  model::ModelConfig defaults;
  defaults.batch_norm = model::BatchNormMode::kFolded;
  defaults.max_running_batches = 2;
  defaults.window_length = 128;
  defaults.hop = 32;
  defaults.stream_reuse = false;
  defaults.stream_verify_share = 0.25;
  defaults.version_policy.kind = model::VersionPolicy::Kind::kSpecific;
  defaults.version_policy.specific = {1, 4};
  Load(defaults);
  const inference::ModelConfig config = DescribeConfig(*Model(), /*workers=*/3);
  EXPECT_EQ(config.instance_group(0).count(), 2);
  EXPECT_THAT(config.version_policy().specific().versions(), ElementsAre(1, 4));
  EXPECT_EQ(config.parameters().at("batchnorm").string_value(), "folded");
  EXPECT_EQ(config.parameters().at("window_length").string_value(), "128");
  EXPECT_EQ(config.parameters().at("hop").string_value(), "32");
  EXPECT_EQ(config.parameters().at("stream_reuse").string_value(), "off");
  EXPECT_EQ(config.parameters().at("stream_verify_share").string_value(), "0.25");
  EXPECT_EQ(config.parameters().at("precision").string_value(), "fp32");
  EXPECT_EQ(config.parameters().at("drift_sample_rate").string_value(), "0.01");
}

TEST_F(DescribeConfigTest, SaysHowRequestsAreScheduled) {
  model::ModelConfig defaults;
  defaults.batching.max_queue_delay = absl::Microseconds(500);
  defaults.batching.preferred_batch_sizes = {4, 8};
  defaults.batching.preserve_ordering = true;
  defaults.batching.priority_levels = 3;
  defaults.batching.default_priority_level = 2;
  defaults.batching.default_queue_policy.default_timeout = absl::Microseconds(700);
  defaults.batching.level_queue_policies[3].timeout_action = model::QueuePolicy::TimeoutAction::kDelay;
  defaults.batching.level_queue_policies[3].max_samples = 5;
  defaults.batching.scheduling_weight = 7;
  Load(defaults);
  const inference::ModelConfig config = DescribeConfig(*Model(), /*workers=*/3);
  const inference::ModelDynamicBatching& batching = config.dynamic_batching();
  EXPECT_EQ(batching.max_queue_delay_microseconds(), 500U);
  EXPECT_THAT(batching.preferred_batch_size(), ElementsAre(4, 8));
  EXPECT_TRUE(batching.preserve_ordering());
  EXPECT_EQ(batching.priority_levels(), 3U);
  EXPECT_EQ(batching.default_priority_level(), 2U);
  EXPECT_EQ(batching.default_queue_policy().timeout_action(), inference::ModelQueuePolicy::REJECT);
  EXPECT_EQ(batching.default_queue_policy().default_timeout_microseconds(), 700U);
  EXPECT_EQ(batching.priority_queue_policy().at(3).timeout_action(), inference::ModelQueuePolicy::DELAY);
  EXPECT_EQ(batching.priority_queue_policy().at(3).max_queue_size(), 5U);
  EXPECT_EQ(config.parameters().at("scheduling_weight").string_value(), "7");
}

TEST_F(DescribeConfigTest, AsAFileItMeansTheSame) {
  model::ModelConfig defaults;
  defaults.max_batch_size = 8;
  defaults.max_queue_samples = 99;
  defaults.window_length = 128;
  defaults.version_policy.kind = model::VersionPolicy::Kind::kAll;
  Load(defaults);
  const inference::ModelConfig config = DescribeConfig(*Model(), /*workers=*/3);
  std::string text;
  ASSERT_TRUE(google::protobuf::TextFormat::PrintToString(config, &text));
  const auto read = model::ParseModelConfig(text, "seed_block");
  ASSERT_THAT(read, test_support::IsOk()) << text;
  EXPECT_EQ(read->max_batch_size, 8);
  EXPECT_EQ(read->max_queue_samples, 99);
  EXPECT_EQ(read->window_length, 128);
  EXPECT_TRUE(read->stream_reuse);
  EXPECT_EQ(read->stream_verify_share, 0.001);
  EXPECT_EQ(read->max_running_batches, 3);
  EXPECT_EQ(read->version_policy.kind, model::VersionPolicy::Kind::kAll);
  const auto signature = model::ApplyToSignature(*read, Model()->model()->signature());
  ASSERT_THAT(signature, test_support::IsOk());
  EXPECT_EQ(signature->inputs[0].shape, Model()->signature().inputs[0].shape);
}

}  // namespace
}  // namespace stillwave::service
