#include "server/overlap/local_prefix.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/graph_text.h"
#include "server/graph/shape_inference.h"
#include "server/overlap/locality_rules.h"
#include "server/overlap/part_builder.h"
#include "server/passes/eliminate_dead_nodes.h"
#include "server/passes/specialize.h"
#include "server/passes/split_global_pool.h"

namespace stillwave::overlap {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;
using tensor::Shape;

// The analysis runs on a thread that must not block; what is made to be slow there gets full windows.
constexpr size_t kMaxNodes = 2000;
constexpr int kMaxExclusions = 16;

size_t At(ValueId id) { return static_cast<size_t>(id); }

absl::Status NoReuse(absl::string_view why) { return absl::FailedPreconditionError(why); }

// The local values that something reads which is not, and those that are the network's outputs.
std::vector<ValueId> FindCut(const Graph& whole, const TimeLocality& found) {
  std::vector<ValueId> cut;
  const auto add = [&](ValueId id) {
    if (id == graph::kNoValue || !found.values[At(id)].has_value()) return;
    if (std::find(cut.begin(), cut.end(), id) == cut.end()) cut.push_back(id);
  };
  for (const Node& node : whole.nodes()) {
    if (found.values[At(node.outputs[0])].has_value()) continue;
    for (const ValueId id : node.inputs) add(id);
  }
  for (const ValueId id : whole.outputs()) add(id);
  return cut;
}

// The first position of `id` that `node` reads.
absl::StatusOr<int64_t> FirstRead(const Graph& whole, const Node& node, ValueId id, const Locality& where) {
  if (node.inputs[0] != id || std::count(node.inputs.begin(), node.inputs.end(), id) != 1) return 0;
  const LocalityContext context{whole, node, {}};
  if (std::holds_alternative<graph::Slice>(node.op)) {
    ASSIGN_OR_RETURN(const std::vector<graph::SliceRange> ranges, graph::SliceRanges(context.types()));
    const graph::SliceRange& range = ranges[static_cast<size_t>(where.time_axis)];
    return range.step > 0 ? range.begin : 0;
  }
  const auto* gather = std::get_if<graph::Gather>(&node.op);
  if (gather == nullptr || context.types()[1].constant == nullptr) return 0;
  ASSIGN_OR_RETURN(const int axis, graph::NormalizeAxis(gather->axis, context.shape(0).rank()));
  if (axis != where.time_axis) return 0;
  ASSIGN_OR_RETURN(const std::vector<int64_t> indices, graph::IntegerValues(context.types()[1], "indices"));
  int64_t first = where.positions;
  for (const int64_t index : indices) first = std::min(first, index < 0 ? index + where.positions : index);
  return first;
}

// What all its readers that are not local leave out; graph outputs leave nothing out.
int64_t FirstRead(const Graph& whole, const TimeLocality& found, ValueId id) {
  const std::vector<ValueId>& outputs = whole.outputs();
  if (std::find(outputs.begin(), outputs.end(), id) != outputs.end()) return 0;
  const Locality& where = *found.values[At(id)];
  int64_t first = where.positions;
  for (const Node& node : whole.nodes()) {
    const bool reads = std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
    if (!reads || found.values[At(node.outputs[0])].has_value()) continue;
    first = std::min(first, FirstRead(whole, node, id, where).value_or(0));
  }
  return first;
}

absl::StatusOr<Graph> MakePrefix(const Graph& network, const std::vector<CutValue>& cuts) {
  Graph prefix = network;
  prefix.mutable_outputs().clear();
  for (const CutValue& cut : cuts) prefix.AddOutput(cut.value);
  RETURN_IF_ERROR(passes::EliminateDeadNodes(prefix).status());
  return prefix;
}

// The pools that plans take in blocks, where a hop moves what they read by whole blocks.
bool SplitPools(Graph& network, const Graph& whole, const TimeLocality& found, int64_t hop) {
  if (hop == 0) return false;
  return passes::SplitGlobalPools(network, [&](const Node& node) {
    const ValueId x = node.inputs[0];
    const std::optional<Locality>& where = found.values[At(x)];
    if (!where.has_value() || hop % (where->stride * passes::kPooledBlock) != 0) return false;
    return std::any_of(whole.nodes().begin(), whole.nodes().end(), [&](const Node& specialized) {
      const auto* const pool = std::get_if<graph::GlobalPool>(&specialized.op);
      return pool != nullptr && specialized.name == node.name && specialized.inputs[0] == x &&
             passes::IsPooledInBlocks(*pool, whole.value(x).shape);
    });
  });
}

// Takes `id` and whatever is made of it out of what is local.
void Exclude(const Graph& whole, ValueId id, std::string why, TimeLocality& found) {
  found.values[At(id)].reset();
  found.end = std::move(why);
  for (const Node& node : whole.nodes()) {
    const bool reads_excluded = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
      return input != graph::kNoValue && whole.value(input).constant == nullptr && !found.values[At(input)].has_value();
    });
    if (reads_excluded) found.values[At(node.outputs[0])].reset();
  }
}

struct Disagreement {
  ValueId value = graph::kNoValue;
  std::string why;
};

// The first value of the prefix that is something else on shorter pieces.
absl::StatusOr<std::optional<Disagreement>> FindDisagreement(const LocalPrefix& split, int64_t samples) {
  ASSIGN_OR_RETURN(const Graph shorter, passes::Specialize(split.prefix, {split.InputShape(1, samples)}));
  const TimeLocality found = FindTimeLocality(shorter);
  const int64_t fewer = split.window_samples() - samples;
  for (const Node& node : shorter.nodes()) {
    const ValueId id = node.outputs[0];
    if (!split.IsLocal(id)) continue;
    Locality expected = *split.where[At(id)];
    expected.positions -= fewer / expected.stride;
    if (fewer % expected.stride == 0 && found.values[At(id)] == expected) continue;
    const absl::Status why = DependsOnLength(node, split.window_samples(), samples);
    return Disagreement{id, std::string(why.message())};
  }
  return std::optional<Disagreement>();
}

// Everything but the tail, from what is known to be local.
absl::StatusOr<LocalPrefix> Split(const Graph& network, const Graph& whole, const TimeLocality& found,
                                  const Shape& window) {
  LocalPrefix split;
  split.window = window;
  split.network = network;
  split.end = found.end;
  split.where = found.values;
  for (const ValueId id : FindCut(whole, found)) {
    const graph::Value& value = whole.value(id);
    const Locality& where = *found.values[At(id)];
    // Made by specialization: reductions over time, which are not local.
    if (At(id) >= network.values().size() || value.data_type != tensor::DataType::kFloat32) {
      return NoReuse(absl::StrCat("'", value.name, "' of ", tensor::Name(value.data_type), " cannot be kept"));
    }
    split.cuts.push_back({{id, where, StepShape(value.shape, where.time_axis)}, FirstRead(whole, found, id)});
  }
  const bool reads_samples_only =
      split.cuts.empty() || (split.cuts.size() == 1 && split.cuts[0].value == whole.inputs()[0]);
  if (reads_samples_only) return NoReuse(found.end.empty() ? "nothing is computed" : found.end);
  for (const Node& node : whole.nodes()) {
    const std::optional<Locality>& where = found.values[At(node.outputs[0])];
    if (!where.has_value()) continue;
    split.alignment = std::lcm(split.alignment, where->stride);
    if (split.alignment > split.window_samples()) {
      return NoReuse(absl::StrCat(graph::Describe(node), " has a stride of ", where->stride, " samples, longer than ",
                                  "the window together with those before it"));
    }
  }
  ASSIGN_OR_RETURN(split.prefix, MakePrefix(network, split.cuts));
  return split;
}

}  // namespace

Shape LocalPrefix::InputShape(int64_t rows, int64_t samples) const {
  Shape shape = window;
  shape[0] = rows;
  shape[shape.rank() - 1] = samples;
  return shape;
}

LocalValue LocalPrefix::Value(ValueId id) const {
  const Locality& locality = *where[At(id)];
  return {id, locality, StepShape(local.value(id).shape, locality.time_axis)};
}

absl::StatusOr<LocalPrefix> SplitAtTime(const Graph& network, const Shape& window, int64_t hop) {
  if (network.inputs().size() != 1) {
    return NoReuse(absl::StrCat("the network has ", network.inputs().size(), " inputs"));
  }
  if (network.nodes().size() > kMaxNodes) {
    return NoReuse(absl::StrCat("the network must have at most ", kMaxNodes, " layers; has ", network.nodes().size()));
  }
  ASSIGN_OR_RETURN(Graph whole, passes::Specialize(network, {window}));
  TimeLocality found = FindTimeLocality(whole);
  Graph in_blocks = network;
  if (SplitPools(in_blocks, whole, found, hop)) {
    ASSIGN_OR_RETURN(whole, passes::Specialize(in_blocks, {window}));
    found = FindTimeLocality(whole);
  }
  for (int excluded = 0; excluded <= kMaxExclusions; ++excluded) {
    ASSIGN_OR_RETURN(LocalPrefix split, Split(in_blocks, whole, found, window));
    const int64_t shorter = split.window_samples() - 2 * split.alignment;
    if (shorter < 1) return NoReuse(absl::StrCat("the window is not longer than two strides of ", split.alignment));
    ASSIGN_OR_RETURN(const std::optional<Disagreement> other, FindDisagreement(split, shorter));
    if (!other.has_value()) {
      ASSIGN_OR_RETURN(split.local, passes::Specialize(split.prefix, {window}));
      return split;
    }
    // Each time one operator fewer is local.
    Exclude(whole, other->value, other->why, found);
  }
  return NoReuse(absl::StrCat("more than ", kMaxExclusions, " layers depend on the window's length"));
}

absl::StatusOr<Graph> MakeTail(const LocalPrefix& split, int64_t rows) {
  ASSIGN_OR_RETURN(const Graph whole,
                   passes::Specialize(split.network, {split.InputShape(rows, split.window_samples())}));
  PartBuilder tail(whole);
  for (const CutValue& cut : split.cuts) tail.ReadByTime(cut);
  for (const Node& node : whole.nodes()) {
    if (!split.IsLocal(node.outputs[0])) tail.Add(node);
  }
  for (const ValueId id : whole.outputs()) tail.Write(id);
  return tail.Take();
}

absl::Status DependsOnLength(const Node& node, int64_t length, int64_t other) {
  return NoReuse(absl::StrCat(graph::Describe(node), " depends on the length: it does not do the same on ", other,
                              " samples as on ", length));
}

}  // namespace stillwave::overlap
