// Real networks, and files that are broken on purpose: both from the data folder beside the repository.
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "server/graph/graph_verifier.h"
#include "server/onnx/frozen_check.h"
#include "server/onnx/onnx_importer.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::onnx_import {
namespace {

using ::stillwave::test_support::IsOk;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ModelFiles, EveryPromisedNetworkIsImportedAndFrozen) {
  const std::vector<test_support::TestModel> models = test_support::PromisedModels();
  if (models.empty()) GTEST_SKIP() << "there are no models in tests/data/models, nor beside the repository";
  for (const test_support::TestModel& model : models) {
    SCOPED_TRACE(model.name);
    const absl::StatusOr<graph::Graph> graph = ImportFile(model.model_file);
    ASSERT_THAT(graph, IsOk());
    EXPECT_THAT(graph::VerifyGraph(*graph), IsOk());
    EXPECT_FALSE(graph->inputs().empty());
    EXPECT_FALSE(graph->outputs().empty());
  }
}

// What a file's message must hold, by the beginning of the file's name. The first that fits counts.
const std::vector<std::pair<std::string, std::string>> kWords = {
    {"bn_opset6", "opset must be from 7 to 22; was 6"},
    {"bn_", "(BatchNormalization): "},
    {"weights_", "node 'conv' (Conv): weight 'w' must be finite"},
    {"dropout_", "(Dropout): "},
    {"empty", "the file is empty"},
    {"truncated_", "not a whole ONNX model"},
    {"not_onnx_git_lfs", "git lfs pull"},
    {"not_onnx_", "ONNX model"},
    {"garbage_", "not a whole ONNX model"},
    {"tensor_proto", "ONNX model"},
    {"only_header", "no graph"},
    {"op_local_function", "'MyRelu'"},
    {"op_recursive_function", "'MyRelu'"},
    {"op_", "node "},
    {"sparse_", "sparse initializer 'fw'"},
    {"dtype_double", "scale must be FP32; was FP64"},
    {"dtype_float16", "scale must be FP32; was FP16"},
    {"dtype_string_input", "graph input 'x'"},
    {"dtype_", "initializer 'w'"},
    {"input_", "graph input 'x'"},
    {"graph_output", "graph output 'z'"},
    {"graph_no_outputs", "must have an output"},
    {"graph_", "node '"},
    {"dup_", "'"},
    {"opset_", "opset"},
    {"ir_", "ir_version must be from 3 to 10"},
    {"ext_", "initializer 'w': external data"},
    {"dims_zero", "node 'conv' (Conv): the weight must not be empty"},
    {"dims_", "initializer 'w': "},
    {"init_", "initializer 'w': "},
    {"deep_nested", "nested deeper than 100 levels"},
    {"conv_", "node 'conv' (Conv): "},
    {"pool_", "(MaxPool): "},
    {"transpose_", "(Transpose): perm must"},
};

std::string WordsFor(const std::string& file) {
  for (const auto& [prefix, words] : kWords) {
    if (file.rfind(prefix, 0) == 0) return words;
  }
  return "no words are set down for this file";
}

// Well-formed files whose fault is one of shapes or of what the engine runs: found after import, when shapes are known.
const std::set<std::string> kFoundLater = {
    "bomb_constantofshape.onnx",
    "concat_rank_mismatch.onnx",
    "conv_bias_length.onnx",
    "conv_channels_mismatch.onnx",
    "conv_group_not_dividing.onnx",
    "dtype_int_weight.onnx",
    "dtype_mixed.onnx",
    "gemm_bias_not_broadcastable.onnx",
    "gemm_mismatch.onnx",
    "reshape_minus_two.onnx",
    "reshape_two_minus_one.onnx",
    "reshape_zero_out_of_range.onnx",
    "softmax_axis_out_of_range.onnx",
};

// Odd, but right: these must be taken.
const std::set<std::string> kGoodControls = {
    "good_control.onnx",
    "graph_unsorted.onnx",
    "init_float_data_good.onnx",
    "nodes_100k_chain.onnx",
    "nodes_100k_reversed.onnx",
    "bomb_shared_dag.onnx",
    "shape_declared_wrong.onnx",
    "value_info_wrong.onnx",
    "input_dims_negative.onnx",
    "input_dims_zero.onnx",
    "dup_node_names.onnx",
    "graph_no_nodes.onnx",
    "graph_output_is_initializer.onnx",
};

absl::Status ImportAndCheck(const std::string& path) {
  const absl::StatusOr<graph::Graph> graph = ImportFile(path);
  if (!graph.ok()) return graph.status();
  return CheckFrozen(*graph);
}

TEST(ModelFiles, BrokenFilesAreRefusedByName) {
  const std::string shared = test_support::SharedDir();
  if (shared.empty()) GTEST_SKIP() << "the folder of test data is not beside the repository";
  const std::string folder = shared + "/models/bad/";
  std::ifstream manifest(folder + "manifest.json");
  ASSERT_TRUE(manifest.good());
  size_t refused = 0;
  for (const auto& entry : nlohmann::json::parse(manifest)) {
    const std::string file = entry["file"];
    const std::string expect = entry["expect"];
    SCOPED_TRACE(file + ": " + std::string(entry["why"]));
    const absl::Status status = ImportAndCheck(folder + file);
    if (kFoundLater.count(file) > 0 || kGoodControls.count(file) > 0) {
      EXPECT_THAT(status, IsOk());
    } else if (expect == "reject" || expect == "unsup") {
      EXPECT_THAT(status, Not(IsOk()));
      EXPECT_THAT(status.code(), AnyOf(absl::StatusCode::kInvalidArgument, absl::StatusCode::kFailedPrecondition,
                                       absl::StatusCode::kUnimplemented, absl::StatusCode::kNotFound));
      EXPECT_THAT(std::string(status.message()), HasSubstr(WordsFor(file)));
      ++refused;
    }
  }
  EXPECT_GT(refused, 100U);
}

}  // namespace
}  // namespace stillwave::onnx_import
