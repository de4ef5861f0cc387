#include "server/model/model_config.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::model {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using tensor::DataType;
using tensor::Shape;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

absl::StatusOr<ModelConfig> Parse(const std::string& text) { return ParseModelConfig(text, "ecg"); }

TEST(ModelConfigTest, AnEmptyFileIsTheDefault) {
  const auto config = Parse("");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->name, "ecg");
  EXPECT_EQ(config->max_batch_size, 32);
  EXPECT_FALSE(config->dims_without_batch);
  EXPECT_THAT(config->inputs, IsEmpty());
  EXPECT_EQ(config->version_policy.kind, VersionPolicy::Kind::kLatest);
  EXPECT_EQ(config->version_policy.latest, 1);
  EXPECT_EQ(config->max_running_batches, 0);
  EXPECT_EQ(config->batch_norm, BatchNormMode::kPrimitive);
}

TEST(ModelConfigTest, ReadsAFileAsOtherServersHaveIt) {
  const auto config = Parse(R"pb(
    name: "ecg"
    platform: "onnxruntime_onnx"
    max_batch_size: 16 input
    [ {
      name: "x"
      data_type: TYPE_FP32
      dims: [ 3, -1 ]
    }] output
    [ {
      name: "y"
      data_type: TYPE_FP32
      dims: [ 5 ]
    }]
    version_policy: { specific: { versions: [ 1, 3 ] } } instance_group
    [ { count: 2 kind: KIND_CPU }
      , { kind: KIND_AUTO }]
    dynamic_batching {
      preferred_batch_size: [ 4, 8 ]
      default_queue_policy { max_queue_size: 100 }
    }
    parameters {
      key: "batchnorm"
      value: { string_value: "folded" }
    }
    parameters {
      key: "precision"
      value: { string_value: "bf16" }
    }
    parameters {
      key: "drift_sample_rate"
      value: { string_value: "0.25" }
    }
    parameters {
      key: "drift_half_life"
      value: { string_value: "500" }
    }
    parameters {
      key: "drift_minimum_samples"
      value: { string_value: "20" }
    }
    parameters {
      key: "window_length"
      value: { string_value: "360" }
    }
    parameters {
      key: "hop"
      value: { string_value: "90" }
    }
    parameters {
      key: "stream_reuse"
      value: { string_value: "off" }
    }
    parameters {
      key: "stream_verify_share"
      value: { string_value: "0.05" }
    } model_warmup
    [ {
      name: "one"
      batch_size: 1
      inputs {
        key: "x"
        value: {
          data_type: TYPE_FP32
          dims: [ 3, 200 ]
          zero_data: true
        }
      }
    }]
  )pb");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->max_batch_size, 16);
  EXPECT_TRUE(config->dims_without_batch);
  ASSERT_EQ(config->inputs.size(), 1u);
  EXPECT_EQ(config->inputs[0].name, "x");
  EXPECT_EQ(config->inputs[0].data_type, DataType::kFloat32);
  EXPECT_EQ(config->inputs[0].dims, Shape({3, -1}));
  EXPECT_EQ(config->outputs[0].dims, Shape({5}));
  EXPECT_EQ(config->version_policy.kind, VersionPolicy::Kind::kSpecific);
  EXPECT_THAT(config->version_policy.specific, ElementsAre(1, 3));
  EXPECT_EQ(config->max_running_batches, 3);
  EXPECT_EQ(config->max_queue_samples, 100);
  EXPECT_THAT(config->batching.preferred_batch_sizes, ElementsAre(4, 8));
  EXPECT_EQ(config->batch_norm, BatchNormMode::kFolded);
  EXPECT_EQ(config->precision, Precision::kBf16);
  EXPECT_EQ(config->drift.sample_rate, 0.25);
  EXPECT_EQ(config->drift.half_life, 500);
  EXPECT_EQ(config->drift.minimum_samples, 20);
  EXPECT_EQ(config->window_length, 360);
  EXPECT_EQ(config->hop, 90);
  EXPECT_FALSE(config->stream_reuse);
  EXPECT_EQ(config->stream_verify_share, 0.05);
  EXPECT_EQ(config->warm_up_length, 200);
}

TEST(ModelConfigTest, LoadOptionsWarmUpForTheLengthThatIsAskedForFirst) {
  ModelConfig config = DefaultModelConfig("ecg");
  EXPECT_EQ(ToLoadOptions(config).window_length, 0);
  config.window_length = 360;
  config.max_batch_size = 4;
  config.batch_norm = BatchNormMode::kFolded;
  config.precision = Precision::kBf16;
  EXPECT_EQ(ToLoadOptions(config).window_length, 360);
  EXPECT_EQ(ToLoadOptions(config).max_batch_size, 4);
  EXPECT_EQ(ToLoadOptions(config).batch_norm, BatchNormMode::kFolded);
  EXPECT_EQ(ToLoadOptions(config).precision, Precision::kBf16);
  EXPECT_TRUE(ToLoadOptions(config).keep_batch_norm);
  config.drift.sample_rate = 0;
  EXPECT_FALSE(ToLoadOptions(config).keep_batch_norm);
  config.warm_up_length = 200;
  EXPECT_EQ(ToLoadOptions(config).window_length, 200);
}

TEST(ModelConfigTest, ATextErrorHasItsLineAndColumn) {
  EXPECT_THAT(Parse("name: \"ecg\"\nmax_batch: 4\n"),
              StatusIs(kInvalid, AllOf(HasSubstr("line 2, column "), HasSubstr("max_batch"))));
  EXPECT_THAT(Parse("max_batch_size: many"), StatusIs(kInvalid, HasSubstr("line 1, column 17")));
  EXPECT_THAT(Parse("input {"), StatusIs(kInvalid, HasSubstr("line 1")));
  EXPECT_THAT(Parse(std::string("\x00\xff{{{", 5)), StatusIs(kInvalid, HasSubstr("line 1")));
}

TEST(ModelConfigTest, ANameOtherThanTheFoldersIsRefused) {
  EXPECT_THAT(Parse("name: \"eeg\""), StatusIs(kInvalid, HasSubstr("name must be the folder's name 'ecg' or left out; "
                                                                   "was 'eeg'")));
}

TEST(ModelConfigTest, EverySpellingOfAnOnnxRuntimeIsTaken) {
  for (const char* text :
       {"platform: \"onnxruntime_onnx\"", "backend: \"onnxruntime\"", "backend: \"stillwave\"", "backend: \"openvino\"",
        "backend: \"\" platform: \"\"", "default_model_filename: \"model.onnx\""}) {
    EXPECT_THAT(Parse(text), IsOk()) << text;
  }
  EXPECT_THAT(Parse("platform: \"tensorrt_plan\""),
              StatusIs(kInvalid,
                       AllOf(HasSubstr("platform must be one of onnxruntime_onnx"), HasSubstr("was 'tensorrt_plan'"))));
  EXPECT_THAT(Parse("backend: \"python\""), StatusIs(kInvalid, HasSubstr("was 'python'")));
  EXPECT_THAT(Parse("default_model_filename: \"m.onnx\""), StatusIs(kInvalid, HasSubstr("must be model.onnx")));
}

TEST(ModelConfigTest, FieldsThatAreNotObeyedAreRefusedByTheirPath) {
  const std::pair<const char*, const char*> cases[] = {
      {"sequence_batching { }", "'sequence_batching'"},
      {"ensemble_scheduling { }", "'ensemble_scheduling'"},
      {"input { name: \"x\" data_type: TYPE_FP32 reshape { shape: 1 } }", "'input.reshape'"},
      {"input { name: \"x\" data_type: TYPE_FP32 format: FORMAT_NHWC }", "'input.format'"},
      {"output { name: \"y\" data_type: TYPE_FP32 label_filename: \"l.txt\" }", "'output.label_filename'"},
      {"instance_group { kind: KIND_CPU passive: true }", "'instance_group.passive'"},
      {"instance_group { gpus: 0 }", "'instance_group.gpus'"},
      {"optimization { graph { level: 1 } }", "'optimization.graph'"},
      {"optimization { input_pinned_memory { enable: true } }", "'optimization.input_pinned_memory'"},
      {"model_transaction_policy { decoupled: true }", "'model_transaction_policy.decoupled'"},
      {"response_cache { enable: true }", "'response_cache.enable'"},
      {"batch_input { target_name: \"x\" }", "'batch_input'"},
      {"metric_tags { key: \"a\" value: \"b\" }", "'metric_tags'"},
      {"cc_model_filenames { key: \"a\" value: \"b\" }", "'cc_model_filenames'"},
  };
  for (const auto& [text, field] : cases) {
    EXPECT_THAT(Parse(text), StatusIs(kUnimplemented, HasSubstr(absl::StrCat("field ", field, " is not supported"))));
  }
}

TEST(ModelConfigTest, AMessageThatSaysNothingIsNoTrouble) {
  EXPECT_THAT(Parse("model_transaction_policy { decoupled: false } response_cache { enable: false } optimization { }"
                    "dynamic_batching { max_queue_delay_microseconds: 0 }"),
              IsOk());
}

TEST(ModelConfigTest, ValuesOutOfRangeAreRefusedByNameRuleAndValue) {
  const std::pair<const char*, const char*> cases[] = {
      {"max_batch_size: -1", "max_batch_size must be 0 to 4096; was -1"},
      {"max_batch_size: 5000", "was 5000"},
      {"input { data_type: TYPE_FP32 }", "input.name must not be empty"},
      {"input { name: \"x\" }", "input 'x'.data_type must be a numeric type as in TYPE_FP32; was TYPE_INVALID"},
      {"input { name: \"x\" data_type: TYPE_STRING }", "was TYPE_STRING"},
      {"output { name: \"y\" data_type: TYPE_FP32 dims: 0 }", "output 'y'.dims must be -1 or positive; was 0"},
      {"version_policy { specific { } }", "version_policy.specific must name at least one version"},
      {"version_policy { specific { versions: -2 } }", "version_policy.specific.versions must be positive; was -2"},
      {"instance_group { kind: KIND_GPU }", "instance_group.kind must be KIND_CPU or KIND_AUTO; was KIND_GPU"},
      {"instance_group { count: -1 }", "instance_group.count must be 0 to 4096; was -1"},
      {"dynamic_batching { preferred_batch_size: 64 }", "preferred_batch_size must be 1 to 32; was 64"},
      {"model_warmup { batch_size: 33 }", "model_warmup.batch_size must be 0 to 32; was 33"},
  };
  for (const auto& [text, words] : cases) EXPECT_THAT(Parse(text), StatusIs(kInvalid, HasSubstr(words)));
}

TEST(ModelConfigTest, OurParametersAreCheckedAndOthersRefused) {
  const auto parse = [](const std::string& key, const std::string& value) {
    return Parse(absl::StrCat("parameters { key: \"", key, "\" value: { string_value: \"", value, "\" } }"));
  };
  EXPECT_THAT(parse("batchnorm", "training"),
              StatusIs(kInvalid, HasSubstr("parameters.batchnorm must be primitive or folded; was 'training'")));
  EXPECT_THAT(parse("precision", "fp16"),
              StatusIs(kInvalid, HasSubstr("parameters.precision must be fp32 or bf16; was 'fp16'")));
  for (const char* wrong : {"1.5", "-0.1", "nan", "often"}) {
    EXPECT_THAT(parse("drift_sample_rate", wrong),
                StatusIs(kInvalid, HasSubstr(absl::StrCat("parameters.drift_sample_rate must be a number from 0 to 1; "
                                                          "was '",
                                                          wrong, "'"))));
  }
  EXPECT_THAT(parse("drift_half_life", "0"),
              StatusIs(kInvalid, HasSubstr("drift_half_life must be an integer from 1")));
  EXPECT_THAT(parse("drift_minimum_samples", "2.5"),
              StatusIs(kInvalid, HasSubstr("drift_minimum_samples must be an integer from 1")));
  EXPECT_THAT(parse("window_length", "0"), StatusIs(kInvalid, HasSubstr("window_length must be an integer from 1")));
  EXPECT_THAT(parse("window_length", "12.5"), StatusIs(kInvalid, HasSubstr("was '12.5'")));
  EXPECT_THAT(parse("hop", "-4"), StatusIs(kInvalid, HasSubstr("parameters.hop must be")));
  EXPECT_THAT(parse("stream_reuse", "on"),
              StatusIs(kInvalid, HasSubstr("parameters.stream_reuse must be auto or off; was 'on'")));
  for (const char* share : {"1.5", "-0.1", "nan", "often", ""}) {
    EXPECT_THAT(
        parse("stream_verify_share", share),
        StatusIs(kInvalid, HasSubstr(absl::StrCat("parameters.stream_verify_share must be a number from 0 to 1; ",
                                                  "was '", share, "'"))));
  }
  EXPECT_THAT(parse("stream_reuse", "auto"), IsOk());
  EXPECT_THAT(parse("stream_verify_share", "1"), IsOk());
  EXPECT_THAT(parse("intra_op_thread_count", "2"),
              StatusIs(kUnimplemented, AllOf(HasSubstr("parameters.intra_op_thread_count is not supported"),
                                             HasSubstr("batchnorm, precision"))));
}

TEST(ModelConfigTest, AWarmUpMustBeOneThatIsDone) {
  const auto parse = [](const std::string& inputs) {
    return Parse(absl::StrCat("model_warmup { name: \"w\" batch_size: 1 ", inputs, " }"));
  };
  EXPECT_THAT(parse("inputs { key: \"x\" value: { data_type: TYPE_FP32 dims: 8 input_data_file: \"f\" } }"),
              StatusIs(kUnimplemented, HasSubstr("model_warmup.inputs 'x' must have zero_data or random_data")));
  EXPECT_THAT(parse("inputs { key: \"x\" value: { data_type: TYPE_FP32 zero_data: true } }"),
              StatusIs(kInvalid, HasSubstr("must not be empty")));
  EXPECT_THAT(parse("inputs { key: \"x\" value: { dims: 8 zero_data: true } }"),
              StatusIs(kInvalid, HasSubstr("model_warmup.inputs 'x'.data_type must be a numeric type")));
  EXPECT_THAT(parse("inputs { key: \"x\" value: { data_type: TYPE_FP32 dims: [ 0, 8 ] zero_data: true } }"),
              StatusIs(kInvalid, HasSubstr("model_warmup.inputs 'x'.dims must be 1 to 16777216; was 0")));
  EXPECT_THAT(parse("inputs { key: \"x\" value: { data_type: TYPE_FP32 dims: 8 zero_data: true } }"
                    "inputs { key: \"z\" value: { data_type: TYPE_FP32 dims: 9 random_data: true } }"),
              StatusIs(kUnimplemented, HasSubstr("must have the same last dimension")));
  EXPECT_THAT(parse("count: 1001"), StatusIs(kInvalid, HasSubstr("model_warmup.count must be 0 to 1000; was 1001")));
}

TEST(ModelConfigTest, AWarmUpIsReadAsAWhole) {
  const auto config = Parse(R"pb(
    max_batch_size: 8
    model_warmup {
      name: "w"
      batch_size: 3
      count: 5
      inputs {
        key: "x"
        value: {
          data_type: TYPE_FP32
          dims: [ 3, 200 ]
          random_data: true
        }
      }
    }
    model_warmup { name: "v" }
  )pb");
  ASSERT_THAT(config, IsOk());
  ASSERT_EQ(config->warm_ups.size(), 2u);
  const WarmUpRun& run = config->warm_ups[0];
  EXPECT_EQ(run.name, "w");
  EXPECT_EQ(run.batch_size, 3);
  EXPECT_EQ(run.count, 5);
  ASSERT_EQ(run.inputs.size(), 1u);
  EXPECT_EQ(run.inputs[0].tensor.name, "x");
  EXPECT_EQ(run.inputs[0].tensor.dims, Shape({3, 200}));
  EXPECT_TRUE(run.inputs[0].random);
  EXPECT_EQ(config->warm_ups[1].batch_size, 1);
  EXPECT_EQ(config->warm_ups[1].count, 1);
}

TEST(ModelConfigTest, TheJsonFormSaysTheSame) {
  const auto config = ParseModelConfigJson(R"json({
    "name": "ecg", "backend": "onnxruntime", "max_batch_size": 16,
    "versionPolicy": {"specific": {"versions": ["1", "3"]}},
    "parameters": {"window_length": {"string_value": "360"}}
  })json",
                                           "ecg");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->max_batch_size, 16);
  EXPECT_THAT(config->version_policy.specific, ElementsAre(1, 3));
  EXPECT_EQ(config->window_length, 360);
}

TEST(ModelConfigTest, JsonThatCannotBeReadOrObeyedIsRefused) {
  const auto parse = [](const std::string& json) { return ParseModelConfigJson(json, "ecg"); };
  EXPECT_THAT(parse("{"), StatusIs(kInvalid, HasSubstr("JSON: ")));
  EXPECT_THAT(parse(""), StatusIs(kInvalid, HasSubstr("JSON: ")));
  EXPECT_THAT(parse(R"({"max_batch": 4})"), StatusIs(kInvalid, AllOf(HasSubstr("JSON: "), HasSubstr("max_batch"))));
  EXPECT_THAT(parse(R"({"max_batch_size": 5000})"), StatusIs(kInvalid, HasSubstr("was 5000")));
  EXPECT_THAT(parse(R"({"name": "eeg"})"), StatusIs(kInvalid, HasSubstr("was 'eeg'")));
  EXPECT_THAT(parse(R"({"ensemble_scheduling": {}})"), StatusIs(kUnimplemented, HasSubstr("'ensemble_scheduling'")));
  EXPECT_THAT(parse(std::string(100'000, '[')), StatusIs(kInvalid, HasSubstr("JSON: ")));
}

TEST(ModelConfigTest, VersionPoliciesAreRead) {
  EXPECT_EQ(Parse("version_policy { all { } }")->version_policy.kind, VersionPolicy::Kind::kAll);
  EXPECT_EQ(Parse("version_policy { latest { num_versions: 3 } }")->version_policy.latest, 3);
  EXPECT_EQ(Parse("version_policy { latest { } }")->version_policy.latest, 1);
}

}  // namespace
}  // namespace stillwave::model
