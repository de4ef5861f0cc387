// Real networks with the answers that PyTorch computed for them: small ones in tests/data/models, all of them in the
// folder `shared/models` beside the repository where that exists (or in $STILLWAVE_SHARED_DIR/models).
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "tests/support/tensor_proto.h"

namespace stillwave::test_support {

// One set of inputs with its answers. Inputs and outputs stand in the file's order.
struct ModelCase {
  std::string name;  // "batch 7 (ragged)"
  std::vector<NamedTensor> inputs;
  std::vector<NamedTensor> outputs;  // FP32, as PyTorch computed them in float32
  std::vector<NamedTensor> exact;    // FP64, as PyTorch computed them in float64; empty where that was not kept
  std::vector<double> atol;          // of each output: every element lies within it of `outputs`
};

struct TestModel {
  std::string name;  // "seed_block": of the folder
  std::string folder;
  std::string model_file;  // folder + "/model.onnx"
};

// Of the source tree.
std::string DataDir();  // tests/data
// The larger data beside the repository; empty when it is not there. Tests that need it then GTEST_SKIP.
std::string SharedDir();

// Every folder with a model.onnx directly below `directory`, sorted by name; none when there is no such directory.
std::vector<TestModel> ModelsIn(const std::string& directory);

// Of SharedDir(); none when it is not there.
std::vector<TestModel> SharedModels();

// The small copies in tests/data/models: always there.
std::vector<TestModel> SmallModels();

// The networks that must run: all of SharedModels() with cases when that folder is there, else the small copies.
std::vector<TestModel> PromisedModels();

// REQUIRES: `name` is one of SmallModels().
TestModel SmallModel(absl::string_view name);

// All cases that the folder's cases.json lists; NOT_FOUND or INVALID_ARGUMENT, with the path, when files are wrong.
absl::StatusOr<std::vector<ModelCase>> LoadCases(const TestModel& model);

// How GoogleTest names a model that is a test's parameter: TestSuffix for INSTANTIATE_TEST_SUITE_P.
std::string TestSuffix(const ::testing::TestParamInfo<TestModel>& info);
void PrintTo(const TestModel& model, std::ostream* out);

}  // namespace stillwave::test_support
