// The whole tool against what PyTorch computed (tests/data/README.md), and what it refuses.
#include "server/recalibration/recalibrate.h"

#include <onnx/onnx_pb.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "server/execution/execution_context.h"
#include "server/model/loaded_model.h"
#include "server/npy/npy_file.h"
#include "tests/server/recalibration/npy_files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_path.h"
#include "tests/support/test_models.h"

namespace stillwave::recalibration {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::onnx::ModelProto;
using ::onnx::TensorProto;
using ::stillwave::test_support::StatusIs;
using tensor::Tensor;
using test_support::SmallModel;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Reference(const std::string& file) { return test_support::DataDir() + "/recalibration/" + file; }

// A folder of the test's own, empty.
std::string MakeFolder(const std::string& name) {
  const std::string folder = test_support::TempPath(name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

ModelProto ReadModel(const std::string& path) {
  ModelProto model;
  EXPECT_TRUE(model.ParseFromString(ReadBytes(path))) << path;
  return model;
}

TensorProto* FindTensor(ModelProto& model, const std::string& name) {
  for (TensorProto& tensor : *model.mutable_graph()->mutable_initializer()) {
    if (tensor.name() == name) return &tensor;
  }
  return nullptr;
}

std::vector<float> Values(const TensorProto& tensor) {
  std::vector<float> values(tensor.raw_data().size() / sizeof(float));
  std::copy_n(tensor.raw_data().data(), tensor.raw_data().size(), reinterpret_cast<char*>(values.data()));
  return values;
}

RecalibrationOptions ReferenceOptions(const std::string& folder) {
  RecalibrationOptions options;
  options.model = Reference("model.onnx");
  options.data = {Reference("batches.npy")};
  options.output = folder + "/out.onnx";
  return options;
}

// The served answer, through the server's whole gate.
std::vector<float> Serve(const std::string& model_file, const std::string& npy_file) {
  const auto model = model::LoadedModel::Load(model_file, {});
  EXPECT_TRUE(model.ok()) << model.status();
  const auto array = npy::ReadNpyFile(npy_file);
  EXPECT_TRUE(array.ok()) << array.status();
  if (!model.ok() || !array.ok()) return {};
  const Tensor input = Tensor::FromValues<float>(tensor::Shape(absl::MakeConstSpan(array->shape)), array->values);
  const auto shapes = (*model)->OutputShapes({input.shape()});
  EXPECT_TRUE(shapes.ok()) << shapes.status();
  Tensor output = *Tensor::Create(tensor::DataType::kFloat32, (*shapes)[0]);
  execution::ExecutionContext context;
  EXPECT_TRUE((*model)->Run(context, {input.view()}, {output.mutable_view()}).ok());
  return {output.values<float>().begin(), output.values<float>().end()};
}

class ReferenceTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    options_ = ReferenceOptions(MakeFolder("reference_" + GetParam()));
    if (GetParam() == "cumulative") options_.momentum.reset();
  }
  RecalibrationOptions options_;
};

TEST_P(ReferenceTest, ReproducesPyTorchsStatisticsAndOutputs) {
  std::vector<int64_t> told;
  options_.progress = [&](int64_t done, int64_t batches) {
    EXPECT_EQ(batches, 10);
    told.push_back(done);
  };
  const auto report = Recalibrate(options_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->batches, 10);
  EXPECT_EQ(report->samples, 160);
  EXPECT_THAT(told, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));

  const json expected = json::parse(ReadBytes(Reference("expected.json"))).at(GetParam());
  ModelProto written = ReadModel(options_.output);
  double worst = 0;
  for (const auto& [layer, statistics] : expected.items()) {
    for (const auto& [name, wanted] : statistics.items()) {
      const TensorProto* tensor = FindTensor(written, layer + "." + name);
      ASSERT_NE(tensor, nullptr) << layer;
      const std::vector<float> got = Values(*tensor);
      ASSERT_EQ(got.size(), wanted.size());
      for (size_t c = 0; c < got.size(); ++c) {
        const double want = wanted[c].get<double>();
        const double error = std::abs(static_cast<double>(got[c]) - want) / std::abs(want);
        EXPECT_LE(error, 1e-5) << layer << "." << name << " " << c << ": " << got[c] << " instead of " << want;
        worst = std::max(worst, error);
      }
    }
  }
  RecordProperty("worst_relative_error", absl::StrCat(worst));

  const std::vector<float> answers = Serve(options_.output, Reference("eval_input.npy"));
  const auto wanted = npy::ReadNpyFile(Reference("eval_output_" + GetParam() + ".npy"));
  ASSERT_TRUE(wanted.ok()) << wanted.status();
  ASSERT_EQ(answers.size(), wanted->values.size());
  for (size_t i = 0; i < answers.size(); ++i) EXPECT_NEAR(answers[i], wanted->values[i], 1e-5) << i;
}

TEST_P(ReferenceTest, WritesAFileThatDiffersInTheStatisticsAlone) {
  const std::string input_bytes = ReadBytes(options_.model);
  ASSERT_TRUE(Recalibrate(options_).ok());
  EXPECT_EQ(ReadBytes(options_.model), input_bytes);
  ModelProto before = ReadModel(options_.model);
  ModelProto after = ReadModel(options_.output);
  int statistics = 0;
  for (const TensorProto& tensor : before.graph().initializer()) {
    if (!absl::EndsWith(tensor.name(), ".running_mean") && !absl::EndsWith(tensor.name(), ".running_var")) continue;
    TensorProto* const other = FindTensor(after, tensor.name());
    ASSERT_NE(other, nullptr) << tensor.name();
    EXPECT_NE(other->raw_data(), tensor.raw_data()) << tensor.name();
    // Of the tensor too, only the elements.
    other->set_raw_data(tensor.raw_data());
    ++statistics;
  }
  EXPECT_EQ(statistics, 6);
  EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString());
}

INSTANTIATE_TEST_SUITE_P(Modes, ReferenceTest, ::testing::Values("momentum", "cumulative"),
                         [](const auto& test) { return test.param; });

TEST(Recalibrate, ServesTheReferencesAnswersBeforeToo) {
  const std::vector<float> answers = Serve(Reference("model.onnx"), Reference("eval_input.npy"));
  const auto wanted = npy::ReadNpyFile(Reference("eval_output_before.npy"));
  ASSERT_TRUE(wanted.ok());
  ASSERT_EQ(answers.size(), wanted->values.size());
  for (size_t i = 0; i < answers.size(); ++i) EXPECT_NEAR(answers[i], wanted->values[i], 1e-5) << i;
}

TEST(Recalibrate, RemovesTheDriftOfWhatItAverages) {
  RecalibrationOptions options = ReferenceOptions(MakeFolder("drift"));
  options.momentum.reset();
  const auto report = Recalibrate(options);
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->layers.size(), 3U);
  EXPECT_EQ(report->layers[0].name, "features.0.1");
  EXPECT_EQ(report->layers[1].channels, 32);
  for (const LayerReport& layer : report->layers) {
    EXPECT_GT(layer.before.mean_divergence, 0.01) << layer.name;
    EXPECT_LT(layer.after.mean_divergence, 1e-9) << layer.name;
  }
  options.momentum = 0.1;
  options.force = true;
  const auto partly = Recalibrate(options);
  ASSERT_TRUE(partly.ok()) << partly.status();
  for (const LayerReport& layer : partly->layers) {
    EXPECT_LT(layer.after.mean_divergence, layer.before.mean_divergence) << layer.name;
    EXPECT_GT(layer.after.mean_divergence, 1e-9) << layer.name;
  }
}

TEST(Recalibrate, ChangesOnlyTheLayersThatAreNamed) {
  RecalibrationOptions options = ReferenceOptions(MakeFolder("layers"));
  options.layers = {"features.1.1", "/features/features.2/features.2.1/BatchNormalization"};
  const auto report = Recalibrate(options);
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->layers.size(), 2U);
  ModelProto before = ReadModel(options.model);
  ModelProto after = ReadModel(options.output);
  for (const auto& [layer, changes] :
       {std::pair("features.0.1", false), std::pair("features.1.1", true), std::pair("features.2.1", true)}) {
    for (const char* statistic : {".running_mean", ".running_var"}) {
      const std::string name = absl::StrCat(layer, statistic);
      EXPECT_EQ(FindTensor(after, name)->raw_data() != FindTensor(before, name)->raw_data(), changes) << name;
    }
  }
}

// Two updates for each batch, the second from what the first left: a sample of another length tells the module nothing
// about the order, so the mean of the two uses is checked.
TEST(Recalibrate, UpdatesAModuleThatIsAppliedTwiceTwice) {
  const std::string folder = MakeFolder("twice");
  RecalibrationOptions options;
  options.model = SmallModel("bn_extremes").model_file;
  options.output = folder + "/out.onnx";
  std::vector<float> noise(size_t{16} * 3 * 64);
  for (size_t i = 0; i < noise.size(); ++i) noise[i] = std::sin(static_cast<float>(i * i % 1013)) * 2;
  options.data = {WriteNpy("noise", {16, 3, 64}, noise)};
  options.momentum = 1;  // what is left is the last use's statistics alone
  const auto report = Recalibrate(options);
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->layers.size(), 4U);
  EXPECT_THAT(report->layers[3].node_names, ElementsAre("/n4/BatchNormalization", "/n4_1/BatchNormalization"));
  // The average over both uses is not what the last one alone says.
  EXPECT_GT(report->layers[3].after.mean_divergence, 1e-6);
  EXPECT_LT(report->layers[0].after.mean_divergence, 1e-9);
  EXPECT_TRUE(model::LoadedModel::Load(options.output, {}).ok());
}

// Every small model that has layers: the result passes the server's gate and probe.
TEST(Recalibrate, WritesModelsThatTheServerLoads) {
  const std::string folder = MakeFolder("loads");
  for (const char* name : {"seed_block", "seed_block_opset9_constants", "seed_block_external_data", "post_relu_bn",
                           "bn_mlp", "m5_audio", "resnet2d"}) {
    SCOPED_TRACE(name);
    const test_support::TestModel model = SmallModel(name);
    const auto cases = test_support::LoadCases(model);
    ASSERT_TRUE(cases.ok()) << cases.status();
    const Tensor& input = (*cases)[1].inputs[0].tensor;
    RecalibrationOptions options;
    options.model = model.model_file;
    options.output = absl::StrCat(folder, "/", name, ".onnx");
    options.data = {WriteNpy(absl::StrCat("case_", name), {input.shape().dims().begin(), input.shape().dims().end()},
                             {input.values<float>().begin(), input.values<float>().end()})};
    const auto report = Recalibrate(options);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_GE(report->layers.size(), 3U);
    const auto loaded = model::LoadedModel::Load(options.output, {});
    EXPECT_TRUE(loaded.ok()) << loaded.status();
  }
}

TEST(Recalibrate, CopiesExternalDataOnlyWhereItIsMissing) {
  const std::string folder = MakeFolder("external");
  RecalibrationOptions options = ReferenceOptions(folder);
  options.model = SmallModel("seed_block_external_data").model_file;
  const std::string weights = fs::path(options.model).parent_path() / "weights.bin";
  const std::vector<float> noise = CountUp(size_t{4} * 3 * 50, -300);
  options.data = {WriteNpy("external", {4, 3, 50}, noise)};
  ASSERT_TRUE(Recalibrate(options).ok());
  EXPECT_EQ(ReadBytes(folder + "/weights.bin"), ReadBytes(weights));
  options.force = true;
  ASSERT_TRUE(Recalibrate(options).ok());

  std::ofstream(folder + "/weights.bin") << "something else";
  options.force = false;
  options.output = folder + "/second.onnx";
  EXPECT_THAT(Recalibrate(options), StatusIs(absl::StatusCode::kAlreadyExists,
                                             AllOf(HasSubstr("weights.bin"), HasSubstr("another file is there"))));
  EXPECT_FALSE(fs::exists(options.output));
}

TEST(Recalibrate, NeverWritesOverItsInputAndAsksBeforeOtherFiles) {
  const std::string folder = MakeFolder("output");
  RecalibrationOptions options = ReferenceOptions(folder);
  options.model = folder + "/model.onnx";
  fs::copy(Reference("model.onnx"), options.model);
  options.output = folder + "/../" + fs::path(folder).filename().string() + "/model.onnx";
  options.force = true;
  EXPECT_THAT(Recalibrate(options),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("--output must be another file than --model")));
  EXPECT_EQ(ReadBytes(options.model), ReadBytes(Reference("model.onnx")));

  options.output = folder + "/there.onnx";
  std::ofstream(options.output) << "precious";
  options.force = false;
  EXPECT_THAT(Recalibrate(options), StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("--force replaces it")));
  EXPECT_EQ(ReadBytes(options.output), "precious");
  options.force = true;
  EXPECT_TRUE(Recalibrate(options).ok());
  EXPECT_GT(fs::file_size(options.output), 10000U);
  options.output = folder + "/nowhere/out.onnx";
  EXPECT_THAT(Recalibrate(options), StatusIs(absl::StatusCode::kNotFound, HasSubstr("is not there")));
  // Nothing half-written is left.
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 2);
}

TEST(Recalibrate, RefusesModelsThatCannotBeRecalibrated) {
  const std::string folder = MakeFolder("refused");
  RecalibrationOptions options = ReferenceOptions(folder);
  options.model = test_support::DataDir() + "/models/refused/bn_training_mode.onnx";
  EXPECT_THAT(Recalibrate(options), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("model.eval()")));
  options.model = "/no/such/model.onnx";
  EXPECT_THAT(Recalibrate(options), StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such/model.onnx: ")));
  options.model = Reference("expected.json");
  EXPECT_THAT(Recalibrate(options), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected.json: ")));
  // The demonstration model came without its layers.
  ModelProto folded = ReadModel(Reference("model.onnx"));
  for (auto& node : *folded.mutable_graph()->mutable_node()) {
    if (node.op_type() != "BatchNormalization") continue;
    node.set_op_type("Identity");
    node.clear_attribute();
    node.mutable_input()->DeleteSubrange(1, 4);
  }
  options.model = folder + "/folded.onnx";
  std::ofstream(options.model, std::ios::binary) << folded.SerializeAsString();
  EXPECT_THAT(Recalibrate(options),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("nothing to recalibrate"), HasSubstr("TrainingMode.PRESERVE"))));
}

TEST(Recalibrate, RefusesDataAndOptionsThatDoNotFit) {
  RecalibrationOptions options = ReferenceOptions(MakeFolder("data"));
  options.layers = {"features.1.2"};
  EXPECT_THAT(Recalibrate(options),
              StatusIs(absl::StatusCode::kOutOfRange, AllOf(HasSubstr("no BatchNormalization layer 'features.1.2'"),
                                                            HasSubstr("near ones: features.1.1"))));
  options.layers = {"nonsense"};
  EXPECT_THAT(Recalibrate(options),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("there are features.0.1, features.1.1, features.2.1")));
  options.layers.clear();

  options.data = {WriteNpy("one_value", {1, 3, 1}, CountUp(3))};
  EXPECT_THAT(Recalibrate(options), StatusIs(absl::StatusCode::kOutOfRange,
                                             AllOf(HasSubstr("a batch of [1,3,1]"), HasSubstr("'/features/features.0"),
                                                   HasSubstr("a variance needs at least two"))));
  options.data = {WriteNpy("channels", {4, 2, 96}, CountUp(size_t{4} * 2 * 96))};
  EXPECT_THAT(Recalibrate(options), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("shape must be [N,3,T]")));
  std::vector<float> huge(size_t{2} * 3 * 8, std::numeric_limits<float>::max());
  for (size_t i = 0; i < huge.size(); i += 2) huge[i] = -huge[i];
  options.data = {WriteNpy("huge", {2, 3, 8}, huge)};
  EXPECT_THAT(Recalibrate(options), StatusIs(absl::StatusCode::kInvalidArgument,
                                             AllOf(HasSubstr("batch 1 of 1"), HasSubstr("too large for FP32"))));
  EXPECT_FALSE(fs::exists(options.output));
}

}  // namespace
}  // namespace stillwave::recalibration
