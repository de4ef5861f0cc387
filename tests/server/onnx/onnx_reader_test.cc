#include "server/onnx/onnx_reader.h"

#include <onnx/onnx_pb.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/onnx/limits.h"
#include "server/onnx/onnx_importer.h"
#include "tests/server/onnx/onnx_test_util.h"
#include "tests/support/status_matchers.h"

namespace stillwave::onnx_import {
namespace {

namespace fs = std::filesystem;
using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::HasSubstr;
using testing::ModelBuilder;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

std::string GoodModel() { return ModelBuilder().Input("x", {1}).Node("Relu", {"x"}, {"y"}).Output("y").Bytes(); }

absl::StatusOr<int64_t> CheckWith(const std::function<void(::onnx::ModelProto&)>& change) {
  ModelBuilder model;
  model.Input("x", {1}).Node("Relu", {"x"}, {"y"}).Output("y");
  change(model.proto());
  return CheckModel(model.proto());
}

TEST(ParseModel, TakesAWholeModelOnly) {
  const std::string good = GoodModel();
  EXPECT_THAT(ParseModel(good), IsOk());
  EXPECT_THAT(ParseModel(good.substr(0, good.size() / 2)), StatusIs(kInvalid, HasSubstr("cut off")));
  EXPECT_THAT(ParseModel(good + std::string(64, '\xff')), StatusIs(kInvalid, HasSubstr("damaged")));
  EXPECT_THAT(ParseModel(std::string(4096, '\0')), StatusIs(kInvalid, HasSubstr("not a whole ONNX model")));
  EXPECT_THAT(ParseModel("PK\x03\x04....."), StatusIs(kInvalid, HasSubstr("zip")));
}

TEST(ParseModel, BoundsThePartsBeforeTheyTakeMemory) {
  // kMaxParts and some empty nodes: two bytes each here, some hundred in memory.
  std::string graph;
  for (int64_t i = 0; i <= kMaxParts; ++i) graph.append("\x0a\x00", 2);
  std::string model = "\x08\x08\x3a";
  for (size_t length = graph.size(); length > 0; length >>= 7) {
    model.push_back(static_cast<char>((length & 0x7f) | (length >= 0x80 ? 0x80 : 0)));
  }
  EXPECT_THAT(ParseModel(model + graph),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr(absl::StrCat(kMaxParts, " messages"))));
}

TEST(ParseModel, BoundsTheNesting) {
  ModelBuilder model;
  ::onnx::GraphProto* graph = model.proto().mutable_graph();
  for (int i = 0; i < 200; ++i) graph = graph->add_node()->add_attribute()->mutable_g();
  EXPECT_THAT(ParseModel(model.Bytes()), StatusIs(kInvalid, HasSubstr("nested deeper than 100 levels")));
}

TEST(CheckModel, GivesTheOpset) {
  EXPECT_EQ(*CheckWith([](auto&) {}), 17);
  EXPECT_EQ(*CheckWith([](auto& model) { model.mutable_opset_import(0)->set_domain("ai.onnx"); }), 17);
  EXPECT_EQ(*CheckWith([](auto& model) { model.add_opset_import()->set_domain("ai.onnx.ml"); }), 17);
}

TEST(CheckModel, BoundsOpsetAndIrVersion) {
  const auto opset = [](int64_t version) {
    return CheckWith([&](auto& model) { model.mutable_opset_import(0)->set_version(version); });
  };
  EXPECT_THAT(opset(1), IsOk());
  EXPECT_THAT(opset(25), IsOk());
  EXPECT_THAT(opset(26), StatusIs(kUnimplemented, HasSubstr("opset must be from 1 to 25; was 26")));
  EXPECT_THAT(opset(0), StatusIs(kInvalid, HasSubstr("was 0")));
  EXPECT_THAT(opset(-1), StatusIs(kInvalid, HasSubstr("was -1")));
  const auto ir = [](int64_t version) { return CheckWith([&](auto& model) { model.set_ir_version(version); }); };
  EXPECT_THAT(ir(3), IsOk());
  EXPECT_THAT(ir(13), IsOk());
  EXPECT_THAT(ir(2), StatusIs(kUnimplemented, HasSubstr("ir_version must be from 3 to 13; was 2")));
  EXPECT_THAT(ir(14), StatusIs(kUnimplemented, HasSubstr("was 14")));
  EXPECT_THAT(ir(0), StatusIs(kInvalid, HasSubstr("was 0")));
}

TEST(CheckModel, NeedsOneImportOfOnnxItself) {
  EXPECT_THAT(CheckWith([](auto& model) { model.clear_opset_import(); }), StatusIs(kInvalid, HasSubstr("it does not")));
  EXPECT_THAT(CheckWith([](auto& model) { model.add_opset_import()->set_version(13); }),
              StatusIs(kInvalid, HasSubstr("lists opset 17 and opset 13")));
}

TEST(CheckModel, RefusesFunctionsTrainingAndAMissingGraph) {
  EXPECT_THAT(CheckWith([](auto& model) { model.add_functions()->set_name("MyRelu"); }),
              StatusIs(kUnimplemented, HasSubstr("'MyRelu'")));
  EXPECT_THAT(CheckWith([](auto& model) { model.add_training_info(); }),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("model.eval()")));
  EXPECT_THAT(CheckWith([](auto& model) { model.clear_graph(); }), StatusIs(kInvalid, HasSubstr("has no graph")));
}

class ImportFileTest : public ::testing::Test {
 protected:
  ImportFileTest() {
    std::string pattern = (fs::temp_directory_path() / "stillwave_import_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~ImportFileTest() override { fs::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return (folder_ / name).string();
  }

  fs::path folder_;
};

TEST_F(ImportFileTest, ReadsAModel) {
  const auto graph = ImportFile(Write("model.onnx", GoodModel()));
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(graph->nodes().size(), 1U);
}

TEST_F(ImportFileTest, ReadsExternalDataBesideTheFileButNotWithoutAFile) {
  ModelBuilder model;
  model.Weight("w", testing::FloatTensor{{2}, {}}).Output("w");
  auto* weight = model.proto().mutable_graph()->mutable_initializer(0);
  weight->clear_raw_data();
  weight->set_data_location(::onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] : {std::pair("location", "model.onnx.data"), {"offset", "4"}, {"length", "8"}}) {
    auto* entry = weight->add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  const float values[] = {9, 1.5F, 2.5F};
  Write("model.onnx.data", std::string(reinterpret_cast<const char*>(values), sizeof(values)));
  for (const auto& graph :
       {ImportFile(Write("model.onnx", model.Bytes())), ImportBytes(model.Bytes(), folder_.string())}) {
    ASSERT_THAT(graph, IsOk());
    EXPECT_THAT(graph->value(graph->outputs()[0]).constant->values<float>(), ::testing::ElementsAre(1.5F, 2.5F));
  }
  EXPECT_THAT(ImportBytes(model.Bytes(), ""),
              StatusIs(kInvalid, HasSubstr("initializer 'w': weights in external data")));
}

TEST_F(ImportFileTest, RefusesWhatIsNotARegularFile) {
  EXPECT_THAT(ImportFile((folder_ / "none.onnx").string()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("No such file")));
  EXPECT_THAT(ImportFile(folder_.string()), StatusIs(kInvalid, HasSubstr("directory")));
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(ImportFile((folder_ / "pipe").string()), StatusIs(kInvalid, HasSubstr("must be a regular file")));
  EXPECT_THAT(ImportFile("/dev/null"), StatusIs(kInvalid, HasSubstr("must be a regular file")));
  EXPECT_THAT(ImportFile(Write("empty.onnx", "")), StatusIs(kInvalid, HasSubstr("empty")));
}

TEST_F(ImportFileTest, BoundsTheFileSize) {
  const std::string path = Write("large.onnx", GoodModel());
  fs::resize_file(path, static_cast<uintmax_t>(kMaxModelBytes) + 1);  // sparse: takes no space
  EXPECT_THAT(ImportFile(path),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("must not exceed 2147483647")));
}

}  // namespace
}  // namespace stillwave::onnx_import
