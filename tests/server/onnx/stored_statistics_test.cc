#include "server/onnx/stored_statistics.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/onnx/onnx_importer.h"
#include "server/onnx/onnx_reader.h"
#include "tests/server/onnx/onnx_test_util.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_path.h"
#include "tests/support/test_models.h"

namespace stillwave::onnx_import {
namespace {

using ::onnx::ModelProto;
using ::onnx::TensorProto;
using ::stillwave::test_support::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::FloatTensor;
using ::testing::HasSubstr;
using testing::Int64Tensor;
using ::testing::IsEmpty;
using testing::ModelBuilder;

const std::vector<float> kMean = {0.25F, -4};
const std::vector<float> kVariance = {0.5F, 9};

std::string WriteModel(const std::string& name, const std::string& bytes) {
  const std::string path = test_support::TempPath(name + ".onnx");
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

// The graph with all four parameters of a BatchNormalization, by the names that readers use: scale s, shift b, mean m,
// variance v.
struct Norm {
  ModelBuilder builder;

  explicit Norm(int64_t opset = 17) : builder(opset) {
    builder.Input("x", {-1, 2, -1}).Output("y");
    builder.Weight("s", FloatTensor{{2}, {1, 2}}).Weight("b", FloatTensor{{2}, {3, 4}});
  }
  Norm& Node(const std::string& output = "y", const std::string& mean = "m", const std::string& input = "x") {
    builder.Node("BatchNormalization", {input, "s", "b", mean, "v"}, {output}, {}, "bn_" + output);
    return *this;
  }
  Norm& Mean(const std::string& name = "m") {
    builder.Weight(name, FloatTensor{{2}, {5, 6}});
    return *this;
  }
  Norm& Variance() {
    builder.Weight("v", FloatTensor{{2}, {7, 8}});
    return *this;
  }
  absl::StatusOr<StoredStatistics> Read(const std::string& name) {
    return StoredStatistics::Read(WriteModel(name, builder.Bytes()));
  }
};

ModelProto Serialized(const StoredStatistics& stored) {
  const absl::StatusOr<std::string> bytes = stored.Serialize();
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  ModelProto model;
  EXPECT_TRUE(model.ParseFromString(*bytes));
  return model;
}

// The mean and variance with which the node computes `output`, as the server's importer sees them.
std::pair<std::vector<float>, std::vector<float>> ImportedStatistics(const ModelProto& model,
                                                                     const std::string& output) {
  const absl::StatusOr<graph::Graph> graph = ImportBytes(model.SerializeAsString(), "");
  EXPECT_TRUE(graph.ok()) << graph.status();
  std::pair<std::vector<float>, std::vector<float>> result;
  if (!graph.ok()) return result;
  const std::vector<int> producers = graph->Producers();
  const auto constant = [&](graph::ValueId id) {
    while (graph->value(id).constant == nullptr) {
      id = graph->nodes()[static_cast<size_t>(producers[static_cast<size_t>(id)])].inputs[0];
    }
    const auto values = graph->value(id).constant->values<float>();
    return std::vector<float>(values.begin(), values.end());
  };
  for (const graph::Node& node : graph->nodes()) {
    if (graph->value(node.outputs[0]).name != output) continue;
    result = {constant(node.inputs[3]), constant(node.inputs[4])};
  }
  return result;
}

void ExpectReplaced(const ModelProto& model, const std::string& output) {
  const auto [mean, variance] = ImportedStatistics(model, output);
  EXPECT_EQ(mean, kMean);
  EXPECT_EQ(variance, kVariance);
}

TensorProto* FindInitializer(ModelProto& model, const std::string& name) {
  for (TensorProto& tensor : *model.mutable_graph()->mutable_initializer()) {
    if (tensor.name() == name) return &tensor;
  }
  return nullptr;
}

// Of raw_data, which is what the builder writes.
std::vector<float> ElementsOf(const TensorProto& tensor) {
  std::vector<float> values(tensor.raw_data().size() / sizeof(float));
  std::copy(tensor.raw_data().begin(), tensor.raw_data().end(), reinterpret_cast<char*>(values.data()));
  return values;
}

TEST(StoredStatistics, ReplacesInitializersInTheirEncodingAndNothingElse) {
  for (const bool raw : {false, true}) {
    Norm norm;
    norm.Mean().Variance().Node();
    if (!raw) {
      for (const char* name : {"m", "v"}) {
        TensorProto* tensor = FindInitializer(norm.builder.proto(), name);
        for (const float value : ElementsOf(*tensor)) tensor->add_float_data(value);
        tensor->clear_raw_data();
      }
    }
    absl::StatusOr<StoredStatistics> stored = norm.Read(raw ? "raw" : "float_data");
    ASSERT_TRUE(stored.ok()) << stored.status();
    ASSERT_EQ(stored->layers().size(), 1U);
    EXPECT_EQ(stored->layers()[0].name, "bn_y");
    EXPECT_THAT(stored->layers()[0].outputs, ElementsAre("y"));
    EXPECT_FALSE(stored->layers()[0].was_shared);
    stored->Set(0, kMean, kVariance);
    ModelProto after = Serialized(*stored);
    ExpectReplaced(after, "y");
    // With the old values back in their places the two are the same message.
    for (const char* name : {"m", "v"}) {
      EXPECT_EQ(FindInitializer(after, name)->has_raw_data(), raw);
      *FindInitializer(after, name) = *FindInitializer(norm.builder.proto(), name);
    }
    EXPECT_EQ(after.SerializeAsString(), norm.builder.Bytes());
  }
}

TEST(StoredStatistics, CallsALayerAsPyTorchDoes) {
  Norm norm;
  norm.Mean("net.1.running_mean").Variance().Node("y", "net.1.running_mean");
  const absl::StatusOr<StoredStatistics> stored = norm.Read("named");
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(stored->layers()[0].name, "net.1");
  EXPECT_THAT(stored->layers()[0].node_names, ElementsAre("bn_y"));
}

TEST(StoredStatistics, ReplacesConstantsAndWhatLiesBehindIdentity) {
  Norm norm;
  norm.builder.Node("Constant", {}, {"c"}, {{"value", FloatTensor{{2}, {5, 6}}}});
  norm.builder.Node("Identity", {"c"}, {"m"});
  norm.builder.Node("Constant", {}, {"v"}, {{"value_floats", std::vector<float>{7, 8}}});
  norm.Node();
  absl::StatusOr<StoredStatistics> stored = norm.Read("constants");
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_FALSE(stored->layers()[0].was_shared);
  stored->Set(0, kMean, kVariance);
  const ModelProto after = Serialized(*stored);
  EXPECT_EQ(after.graph().node_size(), norm.builder.proto().graph().node_size());
  ExpectReplaced(after, "y");
}

TEST(StoredStatistics, TakesAModuleThatIsAppliedTwiceAsOneLayer) {
  Norm norm;
  norm.Mean().Variance().Node("h").Node("y", "m", "h");
  const absl::StatusOr<StoredStatistics> stored = norm.Read("twice");
  ASSERT_TRUE(stored.ok()) << stored.status();
  ASSERT_EQ(stored->layers().size(), 1U);
  EXPECT_THAT(stored->layers()[0].outputs, ElementsAre("h", "y"));
  EXPECT_FALSE(stored->layers()[0].was_shared);
}

// As PyTorch writes a network that was never trained: equal tensors once, the others as Identity of them.
TEST(StoredStatistics, GivesALayerItsOwnWhereTheExporterSharedThroughIdentity) {
  Norm norm;
  norm.Variance();
  norm.builder.Node("Identity", {"b"}, {"m"});
  norm.Node();
  absl::StatusOr<StoredStatistics> stored = norm.Read("shared_by_identity");
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_TRUE(stored->layers()[0].was_shared);
  stored->Set(0, kMean, kVariance);
  ModelProto after = Serialized(*stored);
  ExpectReplaced(after, "y");
  EXPECT_EQ(after.graph().node_size(), 1);  // the Identity is gone, its name an initializer's
  ASSERT_NE(FindInitializer(after, "m"), nullptr);
  EXPECT_THAT(ElementsOf(*FindInitializer(after, "b")), ElementsAre(3, 4));
}

TEST(StoredStatistics, GivesEachLayerItsOwnWhereATensorIsSharedDirectly) {
  Norm norm;
  norm.Variance().Node("h", "b").Node("y", "b", "h");  // the mean is the shift too
  absl::StatusOr<StoredStatistics> stored = norm.Read("shared");
  ASSERT_TRUE(stored.ok()) << stored.status();
  ASSERT_EQ(stored->layers().size(), 2U);
  stored->Set(1, kMean, kVariance);
  ModelProto after = Serialized(*stored);
  ExpectReplaced(after, "y");
  EXPECT_EQ(ImportedStatistics(after, "h"), std::pair(std::vector<float>({3, 4}), std::vector<float>({7, 8})));
  EXPECT_THAT(ElementsOf(*FindInitializer(after, "b")), ElementsAre(3, 4));
}

TEST(StoredStatistics, ListsAnAddedInitializerAsAnInputWhereTheVersionAsksForThat) {
  Norm norm(/*opset=*/8);
  norm.builder.proto().set_ir_version(3);
  norm.Variance();
  norm.Node("y", "b");
  for (const char* name : {"s", "b", "v"}) norm.builder.Input(name, {2});
  absl::StatusOr<StoredStatistics> stored = norm.Read("version3");
  ASSERT_TRUE(stored.ok()) << stored.status();
  stored->Set(0, kMean, kVariance);
  const ModelProto after = Serialized(*stored);
  ExpectReplaced(after, "y");
  EXPECT_EQ(after.graph().input_size(), norm.builder.proto().graph().input_size() + 1);
}

TEST(StoredStatistics, BringsWhatLayInExternalDataIntoTheModel) {
  const std::string model = test_support::SmallModel("seed_block_external_data").model_file;
  absl::StatusOr<StoredStatistics> stored = StoredStatistics::Read(model);
  ASSERT_TRUE(stored.ok()) << stored.status();
  ASSERT_EQ(stored->layers().size(), 3U);
  EXPECT_THAT(stored->DataFiles(), ElementsAre("weights.bin"));
  const std::vector<float> values(64, 0.5F);
  stored->Set(0, values, values);
  ModelProto after = Serialized(*stored);
  EXPECT_THAT(stored->DataFiles(), ElementsAre("weights.bin"));  // the other weights
  const absl::StatusOr<std::unique_ptr<ModelProto>> before = ReadModelFile(model);
  ASSERT_TRUE(before.ok());
  for (const char* name : {"features.1.running_mean", "features.1.running_var"}) {
    TensorProto* tensor = FindInitializer(after, name);
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->raw_data().size(), values.size() * sizeof(float));
    EXPECT_THAT(tensor->external_data(), IsEmpty());
    EXPECT_NE(tensor->data_location(), TensorProto::EXTERNAL);
    *tensor = *FindInitializer(**before, name);
  }
  EXPECT_EQ(after.SerializeAsString(), (*before)->SerializeAsString());
}

TEST(StoredStatistics, RefusesStatisticsThatItCannotReplace) {
  Norm computed;
  computed.Mean("half").Variance();
  computed.builder.Node("Abs", {"half"}, {"m"});
  computed.Node();
  EXPECT_THAT(computed.Read("computed"),
              StatusIs(absl::StatusCode::kUnimplemented,
                       AllOf(HasSubstr("node 'bn_y' (BatchNormalization): mean must be an initializer or a Constant"),
                             HasSubstr("'m' is computed by a Abs node"))));
  Norm missing;
  missing.Variance().Node();
  EXPECT_THAT(missing.Read("missing"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'m' is not in the file")));
  Norm integers;
  integers.Variance();
  integers.builder.Weight("m", Int64Tensor{{2}, {1, 2}});
  integers.Node();
  EXPECT_THAT(integers.Read("integers"),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("mean must be FP32 to be replaced; 'm' is not")));
}

TEST(StoredStatistics, FindsNoLayerWhereTheExporterFoldedThem) {
  ModelBuilder builder;
  builder.Input("x", {-1, 2}).Output("y").Node("Relu", {"x"}, {"y"});
  const absl::StatusOr<StoredStatistics> stored = StoredStatistics::Read(WriteModel("none", builder.Bytes()));
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_THAT(stored->layers(), IsEmpty());
}

}  // namespace
}  // namespace stillwave::onnx_import
