#include "tests/support/bad_models.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "nlohmann/json.hpp"
#include "tests/support/test_models.h"

namespace stillwave::test_support {
namespace {

// What a refusal must say, by the beginning of the file's name. The first that fits counts. Words, not sentences: which
// of several faults is met first may change, what it is about may not.
const std::vector<std::pair<std::string, std::string>> kWords = {
    {"bn_opset6", "opset must be from|\\(BatchNormalization\\): "},
    {"bn_", "\\(BatchNormalization\\): "},
    {"weights_", "node 'conv' \\(Conv\\): weight 'w' must be finite"},
    {"dropout_training_is_graph_input", "\\(Dropout\\): .*training_mode"},
    {"dropout_", "\\(Dropout\\): "},
    {"empty", "the file is empty"},
    {"truncated_", "not a whole ONNX model"},
    {"not_onnx_git_lfs", "git lfs pull"},
    {"not_onnx_", "ONNX model"},
    {"garbage_", "not a whole ONNX model"},
    {"tensor_proto", "ONNX model"},
    {"only_header", "no graph"},
    {"model_twice", "opset 17 and opset 17"},
    {"op_local_function", "'MyRelu'"},
    {"op_recursive_function", "'MyRelu'"},
    {"op_", "node "},
    {"sparse_", "sparse initializer 'fw'"},
    {"dtype_double_model", "must be FP32; (was|is) FP64"},
    {"dtype_float16_model", "must be FP32; (was|is) FP16"},
    {"dtype_string_input", "graph input 'x'"},
    {"dtype_mixed", "Conv 'conv': |\\(Conv\\): "},
    {"dtype_int_weight", "Conv 'conv': |\\(Conv\\): "},
    {"dtype_", "initializer 'w'"},
    {"input_shadows", "graph input 'w'"},
    {"input_", "graph input 'x'"},
    {"graph_output_is_initializer", "output 'fb' is \\[2\\]"},
    {"graph_output", "graph output 'z'"},
    {"graph_no_outputs", "must have an output"},
    {"graph_no_inputs", "no inputs"},
    {"graph_", "node '"},
    {"dup_", "'"},
    {"name_", "(name|names?) of "},
    {"opset_", "opset"},
    {"ir_", "ir_version must be from"},
    {"ext_", "initializer 'w': external data"},
    {"dims_zero", "node 'conv' \\(Conv\\): the weight must not be empty"},
    {"dims_", "initializer 'w': "},
    {"init_", "initializer 'w': "},
    {"deep_nested", "nested deeper than 100 levels"},
    {"node_100k_inputs", "must not have more than 4096 inputs"},
    {"bomb_", "[A-Z][A-Za-z]+ '.*': |\\): "},
    {"conv_", "Conv '.*': |\\(Conv\\): "},
    {"pool_", "\\(MaxPool\\): "},
    {"gemm_", "Gemm '.*': |\\(Gemm\\): "},
    {"softmax_", "Softmax '.*': |\\(Softmax\\): "},
    {"concat_", "Concat '.*': |\\(Concat\\): "},
    {"reshape_", "Reshape '.*': |\\(Reshape\\): "},
    {"transpose_", "\\(Transpose\\): perm must"},
    {"gather_", "Gather '.*': |\\(Gather\\): "},
    {"batch_axis_moved", "axis 0 of every output must be the batch"},
    {"batch_", "batch"},
    {"scalar_input", "input 'x' is a scalar"},
};

// Where the manifest leaves it to us ("policy"): what is served. The rest is refused.
const std::vector<std::string> kServed = {
    "good_control",         "graph_unsorted",      "graph_no_nodes",       "dup_node_names",
    "init_float_data_good", "input_dims_negative", "input_dims_zero",      "nodes_100k_chain",
    "bomb_shared_dag",      "nodes_100k_reversed", "shape_declared_wrong", "value_info_wrong",
};

BadModelOutcome OutcomeOf(const std::string& name, const std::string& expect) {
  if (expect == "run") return BadModelOutcome::kNotServed;
  if (expect == "policy" && std::find(kServed.begin(), kServed.end(), name) != kServed.end()) {
    return BadModelOutcome::kServed;
  }
  return BadModelOutcome::kRefused;
}

std::string WordsFor(const std::string& name) {
  for (const auto& [prefix, words] : kWords) {
    if (absl::StartsWith(name, prefix)) return words;
  }
  return "no words are set down for this file";
}

}  // namespace

std::vector<BadModel> BadModels() {
  std::vector<BadModel> models;
  const std::string folder = SharedDir() + "/models/bad/";
  std::ifstream manifest(folder + "manifest.json");
  if (!manifest) return models;
  for (const auto& entry : nlohmann::json::parse(manifest)) {
    BadModel model;
    model.file = entry.at("file");
    model.name = model.file.substr(0, model.file.rfind('.'));
    model.path = folder + model.file;
    model.why = entry.at("why");
    model.outcome = OutcomeOf(model.name, entry.at("expect"));
    if (model.outcome != BadModelOutcome::kServed) model.words = WordsFor(model.name);
    model.time_steps = model.name == "conv_kernel_longer_than_input" ? 2 : 16;
    models.push_back(std::move(model));
  }
  return models;
}

std::string BadModelSuffix(const ::testing::TestParamInfo<BadModel>& info) { return info.param.name; }

void PrintTo(const BadModel& model, std::ostream* out) { *out << model.file << ": " << model.why; }

}  // namespace stillwave::test_support
