#include "server/recalibration/training_program.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "server/base/quoted.h"
#include "server/base/status_macros.h"
#include "server/execution/onednn/weight_cache.h"
#include "server/execution/plan_compiler.h"
#include "server/passes/eliminate_dead_nodes.h"
#include "server/passes/pass_pipeline.h"
#include "server/passes/specialize.h"

namespace stillwave::recalibration {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;
using tensor::Shape;

constexpr size_t kLongestName = 200;

bool IsTrained(const Node& node, const TrainedOutputs& trained) { return trained.contains(node.outputs[0]); }

// For these shapes, and nothing in it that no layer in training mode needs.
absl::StatusOr<Graph> SpecializeUpToLastLayer(const Graph& network, const TrainedOutputs& trained, const Shape& batch) {
  Graph pruned = network;
  pruned.mutable_outputs().clear();
  for (const Node& node : network.nodes()) {
    if (IsTrained(node, trained)) pruned.AddOutput(node.outputs[0]);
  }
  RETURN_IF_ERROR(passes::EliminateDeadNodes(pruned).status());
  return passes::Specialize(pruned, {&batch, 1});
}

int64_t ValuesPerChannel(const Shape& shape) { return shape.num_elements() / shape[1]; }

absl::Status CheckVarianceIsDefined(const Graph& graph, const TrainedOutputs& trained) {
  for (const Node& node : graph.nodes()) {
    if (!IsTrained(node, trained)) continue;
    const Shape& shape = graph.value(node.inputs[0]).shape;
    if (shape.rank() < 2 || shape.rank() > 5) {
      return absl::UnimplementedError(absl::StrCat("layer ", base::Quoted(node.name, kLongestName),
                                                   " must be over 2 to 5 axes in training mode; is over ",
                                                   shape.ToString()));
    }
    if (ValuesPerChannel(shape) > 1) continue;
    return absl::OutOfRangeError(absl::StrCat(
        "layer ", base::Quoted(node.name, kLongestName), " sees one value for each channel in a batch of ",
        shape.ToString(),
        " (one sample of one time step): a variance needs at least two, so take larger batches or longer windows"));
  }
  return absl::OkStatus();
}

// Which stage makes each value, and which reads it last; -1: none. Indexed by ValueId.
struct StageTable {
  std::vector<int> of_node;
  std::vector<int> made_in;
  std::vector<int> last_read_in;
  int stages = 0;
};

// A layer in training mode is a stage of its own; what stands between two is one.
StageTable AssignStages(const Graph& graph, const TrainedOutputs& trained) {
  StageTable table;
  table.made_in.assign(graph.values().size(), -1);
  table.last_read_in.assign(graph.values().size(), -1);
  bool is_open = false;
  for (const Node& node : graph.nodes()) {
    if (IsTrained(node, trained) || !is_open) ++table.stages;
    is_open = !IsTrained(node, trained);
    const int stage = table.stages - 1;
    table.of_node.push_back(stage);
    for (const ValueId input : node.inputs) {
      if (input != graph::kNoValue) table.last_read_in[static_cast<size_t>(input)] = stage;
    }
    for (const ValueId output : node.outputs) table.made_in[static_cast<size_t>(output)] = stage;
  }
  return table;
}

// The nodes of one stage as a graph; its inputs and outputs by their ids in the whole.
class SegmentBuilder {
 public:
  SegmentBuilder(const Graph& whole, const StageTable& table, int stage)
      : whole_(whole), table_(table), stage_(stage) {}

  void Add(const Node& node) {
    Node copy{node.name, node.op, {}, {}};
    for (const ValueId input : node.inputs) copy.inputs.push_back(Read(input));
    for (const ValueId output : node.outputs) {
      const ValueId id = segment_.AddValue(whole_.value(output).name);
      ids_[output] = id;
      copy.outputs.push_back(id);
      made_.push_back(output);
    }
    segment_.AddNode(std::move(copy));
  }

  absl::StatusOr<PlanStage> Compile(execution::onednn::WeightCache& weights) {
    PlanStage result;
    for (const ValueId id : made_) {
      if (table_.last_read_in[static_cast<size_t>(id)] <= stage_) continue;
      segment_.AddOutput(ids_.at(id));
      result.outputs.push_back(id);
      result.output_types.push_back(whole_.value(id).data_type);
    }
    std::vector<Shape> shapes;
    for (const ValueId id : inputs_) shapes.push_back(whole_.value(id).shape);
    RETURN_IF_ERROR(passes::OptimizeGraph(segment_, {}));
    ASSIGN_OR_RETURN(result.plan, execution::CompilePlan(segment_, shapes, weights));
    result.inputs = inputs_;
    return result;
  }

 private:
  ValueId Read(ValueId id) {
    if (id == graph::kNoValue) return id;
    const auto [entry, is_new] = ids_.try_emplace(id, graph::kNoValue);
    if (!is_new) return entry->second;
    const graph::Value& value = whole_.value(id);
    if (value.constant != nullptr) {
      entry->second = segment_.AddConstant(value.name, value.constant);
    } else {
      entry->second = segment_.AddInput(value.name, value.data_type, value.shape);
      inputs_.push_back(id);
    }
    return entry->second;
  }

  const Graph& whole_;
  const StageTable& table_;
  const int stage_;
  Graph segment_;
  absl::flat_hash_map<ValueId, ValueId> ids_;  // of the whole -> of the segment
  std::vector<ValueId> inputs_;
  std::vector<ValueId> made_;
};

absl::StatusOr<NormalizationStage> CompileNormalization(const Graph& graph, const Node& node) {
  const auto& norm = std::get<graph::BatchNormalization>(node.op);
  const Shape& shape = graph.value(node.inputs[0]).shape;
  absl::StatusOr<execution::onednn::BatchStatistics> statistics =
      execution::onednn::BatchStatistics::Create(shape, norm.epsilon);
  if (!statistics.ok()) return base::Annotate(statistics.status(), node.name);
  return NormalizationStage{*std::move(statistics),
                            node.inputs[0],
                            node.outputs[0],
                            graph.value(node.inputs[1]).constant,
                            graph.value(node.inputs[2]).constant,
                            shape,
                            ValuesPerChannel(shape)};
}

}  // namespace

absl::Status CheckTraining(const Graph& network, const TrainedOutputs& trained, const Shape& batch) {
  ASSIGN_OR_RETURN(const Graph graph, SpecializeUpToLastLayer(network, trained, batch));
  return CheckVarianceIsDefined(graph, trained);
}

absl::StatusOr<TrainingProgram> CompileTraining(const Graph& network, const TrainedOutputs& trained,
                                                const Shape& batch) {
  ASSIGN_OR_RETURN(const Graph graph, SpecializeUpToLastLayer(network, trained, batch));
  RETURN_IF_ERROR(CheckVarianceIsDefined(graph, trained));
  const StageTable table = AssignStages(graph, trained);
  TrainingProgram program;
  program.stages.reserve(static_cast<size_t>(table.stages));
  execution::onednn::WeightCache weights;
  for (size_t first = 0; first < graph.nodes().size();) {
    const int stage = table.of_node[first];
    size_t end = first;
    while (end < graph.nodes().size() && table.of_node[end] == stage) ++end;
    TrainingProgram::Stage made;
    if (IsTrained(graph.nodes()[first], trained)) {
      ASSIGN_OR_RETURN(made.work, CompileNormalization(graph, graph.nodes()[first]));
    } else {
      SegmentBuilder segment(graph, table, stage);
      for (size_t i = first; i < end; ++i) segment.Add(graph.nodes()[i]);
      ASSIGN_OR_RETURN(made.work, segment.Compile(weights));
    }
    program.stages.push_back(std::move(made));
    first = end;
  }
  for (size_t id = 0; id < graph.values().size(); ++id) {
    // A layer whose output nobody reads is let go where it is made.
    const int last = std::max(table.last_read_in[id], table.made_in[id]);
    if (last >= 0 && graph.values()[id].constant == nullptr) {
      program.stages[static_cast<size_t>(last)].last_read.push_back(static_cast<ValueId>(id));
    }
  }
  return program;
}

}  // namespace stillwave::recalibration
