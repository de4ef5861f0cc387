#include "tests/support/test_models.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "server/base/check.h"
#include "server/base/status_macros.h"

namespace stillwave::test_support {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot open ", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The files prefix0.pb, prefix1.pb, … as far as they go.
absl::StatusOr<std::vector<NamedTensor>> ReadNumberedTensors(const std::string& prefix) {
  std::vector<NamedTensor> tensors;
  while (fs::exists(absl::StrCat(prefix, tensors.size(), ".pb"))) {
    ASSIGN_OR_RETURN(NamedTensor tensor, ReadTensorFile(absl::StrCat(prefix, tensors.size(), ".pb")));
    tensors.push_back(std::move(tensor));
  }
  if (tensors.empty()) return absl::NotFoundError(absl::StrCat("no file ", prefix, "0.pb"));
  return tensors;
}

absl::StatusOr<ModelCase> ReadCase(const TestModel& model, const json& entry) {
  const std::string set = absl::StrCat(model.folder, "/test_data_set_", entry.at("set").get<int>(), "/");
  ModelCase result;
  result.name = entry.at("case").get<std::string>();
  ASSIGN_OR_RETURN(result.inputs, ReadNumberedTensors(absl::StrCat(set, "input_")));
  ASSIGN_OR_RETURN(result.outputs, ReadNumberedTensors(absl::StrCat(set, "output_")));
  if (fs::exists(absl::StrCat(set, "ref64_output_0.pb"))) {
    ASSIGN_OR_RETURN(result.exact, ReadNumberedTensors(absl::StrCat(set, "ref64_output_")));
  }
  for (const json& output : entry.at("outputs")) result.atol.push_back(output.at("atol").get<double>());
  const size_t count = result.outputs.size();
  if (result.atol.size() != count || (!result.exact.empty() && result.exact.size() != count)) {
    return absl::InvalidArgumentError(absl::StrCat(set, ": cases.json, output_* and ref64_output_* differ in number"));
  }
  return result;
}

}  // namespace

std::string DataDir() { return STILLWAVE_SOURCE_DIR "/tests/data"; }

std::string SharedDir() {
  const char* named = std::getenv("STILLWAVE_SHARED_DIR");
  const std::string path = named != nullptr ? named : STILLWAVE_SOURCE_DIR "/../shared";
  return fs::is_directory(path) ? path : "";
}

std::vector<TestModel> ModelsIn(const std::string& directory) {
  std::vector<TestModel> models;
  if (!fs::is_directory(directory)) return models;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const std::string folder = entry.path().string();
    if (!fs::exists(folder + "/cases.json") || !fs::exists(folder + "/model.onnx")) continue;
    models.push_back({entry.path().filename().string(), folder, folder + "/model.onnx"});
  }
  std::sort(models.begin(), models.end(), [](const TestModel& a, const TestModel& b) { return a.name < b.name; });
  return models;
}

std::vector<TestModel> SharedModels() {
  const std::string shared = SharedDir();
  return shared.empty() ? std::vector<TestModel>{} : ModelsIn(shared + "/models");
}

std::vector<TestModel> SmallModels() { return ModelsIn(DataDir() + "/models"); }

std::vector<TestModel> PromisedModels() {
  std::vector<TestModel> models = SharedModels();
  // A network of another test, without cases.
  std::erase_if(models, [](const TestModel& model) { return model.name == "recalibration"; });
  return models.empty() ? SmallModels() : models;
}

TestModel SmallModel(absl::string_view name) {
  for (TestModel& model : SmallModels()) {
    if (model.name == name) return std::move(model);
  }
  SW_CHECK(false && "no such model in tests/data/models");
  return {};
}

absl::StatusOr<std::vector<ModelCase>> LoadCases(const TestModel& model) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(model.folder + "/cases.json"));
  std::vector<ModelCase> cases;
  try {
    const json parsed = json::parse(text);
    for (const json& entry : parsed.at("cases")) {
      ASSIGN_OR_RETURN(ModelCase one, ReadCase(model, entry));
      cases.push_back(std::move(one));
    }
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(model.folder, "/cases.json: ", error.what()));
  }
  return cases;
}

std::string TestSuffix(const ::testing::TestParamInfo<TestModel>& info) { return info.param.name; }

void PrintTo(const TestModel& model, std::ostream* out) { *out << model.name; }

}  // namespace stillwave::test_support
