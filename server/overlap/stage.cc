#include "server/overlap/stage.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/model/work_estimate.h"
#include "server/overlap/part_builder.h"
#include "server/passes/eliminate_dead_nodes.h"
#include "server/passes/specialize.h"

namespace stillwave::overlap {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

// Kernels that take time steps in pairs take no fewer (lower_winograd.cc).
constexpr int64_t kLeastPositions = 8;
// What an element costs that is gathered into a strip or put back, in units of model::EstimateWork.
constexpr double kMoveWork = 64;

size_t Index(ValueId id) { return static_cast<size_t>(id); }

bool Contains(const std::vector<ValueId>& ids, ValueId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

Locality WithoutEdges(Locality where) {
  where.left = where.right = 0;
  return where;
}

int64_t PositionsAt(const LocalPrefix& split, const Locality& where, int64_t samples) {
  return where.positions - (split.window_samples() - samples) / where.stride;
}

// Fills in what the stage reads, and what is known of its values.
absl::Status FollowNodes(const LocalPrefix& split, const Boundary& from, const Boundary& to, Stage& stage) {
  const ValueId samples = split.local.inputs()[0];
  std::vector<std::optional<Locality>> known(split.local.values().size());
  known[Index(samples)] = LocalityOfSamples(split.window);
  for (const ValueId id : from.values) known[Index(id)] = WithoutEdges(*split.where[Index(id)]);
  for (size_t n = from.node; n < to.node; ++n) {
    const Node& node = split.local.nodes()[n];
    ASSIGN_OR_RETURN(const std::optional<Locality> where, LocateOutput(split.local, node, known));
    if (!where.has_value()) continue;
    known[Index(node.outputs[0])] = where;
    stage.values.emplace_back(node.outputs[0], *where);
    for (const ValueId id : node.inputs) {
      if (id == samples) stage.reads_samples = true;
      if (Contains(from.values, id) && !Contains(stage.reads, id)) stage.reads.push_back(id);
    }
  }
  for (const ValueId id : to.values) {
    if (Contains(from.values, id)) continue;
    stage.writes.push_back(id);
    if (id == samples) stage.reads_samples = true;
  }
  return absl::OkStatus();
}

const Locality& OwnMargins(const Stage& stage, ValueId id, const Locality& samples) {
  for (const auto& [value, where] : stage.values) {
    if (value == id) return where;
  }
  return samples;  // the samples themselves
}

enum class End { kLeft, kRight };

// The samples of a strip in which each value that the stage writes has the positions that are to be taken, beside those
// that its other end reaches; 0 when there is no room for one.
int64_t StripSamples(const LocalPrefix& split, const Boundary& from, const Boundary& to, const Stage& stage,
                     int64_t hop, End end) {
  const Locality samples = LocalityOfSamples(split.window);
  int64_t fewer = split.window_samples() - 1;
  for (const ValueId id : stage.writes) {
    const Locality& where = *split.where[Index(id)];
    const Locality& margins = OwnMargins(stage, id, samples);
    const int64_t spared = end == End::kLeft ? where.positions - where.left - margins.right
                                             : where.positions - where.right - margins.left - hop / where.stride;
    fewer = std::min(fewer, where.stride * spared);
  }
  for (size_t n = from.node; n < to.node; ++n) {
    const Node& node = split.local.nodes()[n];
    const std::optional<Locality>& where = split.where[Index(node.outputs[0])];
    if (!std::holds_alternative<graph::Conv>(node.op) || !where.has_value()) continue;
    if (where->positions >= kLeastPositions) {
      fewer = std::min(fewer, where->stride * (where->positions - kLeastPositions));
    }
  }
  const int64_t pair = 2 * split.alignment;
  return fewer < pair ? 0 : split.window_samples() - fewer / pair * pair;
}

// Both edges and a hop are apart in everything that the stage writes.
bool HasInterior(const LocalPrefix& split, const Stage& stage, int64_t hop) {
  return std::all_of(stage.writes.begin(), stage.writes.end(), [&](ValueId id) {
    const Locality& where = *split.where[Index(id)];
    return where.interior() >= hop / where.stride;
  });
}

bool HasLeftEdge(const LocalPrefix& split, const Stage& stage) {
  return std::any_of(stage.writes.begin(), stage.writes.end(),
                     [&](ValueId id) { return split.where[Index(id)]->left > 0; });
}

// Of a piece of `samples` samples.
double WorkAt(const LocalPrefix& split, const Boundary& from, const Boundary& to, const Stage& stage, int64_t samples) {
  double work = 0;
  for (size_t n = from.node; n < to.node; ++n) {
    const Node& node = split.local.nodes()[n];
    const std::optional<Locality>& where = split.where[Index(node.outputs[0])];
    if (!where.has_value()) continue;
    const double part =
        static_cast<double>(PositionsAt(split, *where, samples)) / static_cast<double>(where->positions);
    work += model::EstimateNodeWork(split.local, node) * part + static_cast<double>(kStepWork);
  }
  for (const auto* list : {&stage.reads, &stage.writes}) {
    for (const ValueId id : *list) {
      const LocalValue value = split.Value(id);
      const int64_t elements = PositionsAt(split, value.where, samples) * value.step.num_elements();
      work += kMoveWork * static_cast<double>(elements) + static_cast<double>(kStepWork);
    }
  }
  return work;
}

// What makes the stage's values, for pieces of that many samples.
absl::StatusOr<Graph> SpecializeFor(const LocalPrefix& split, const Stage& stage, int64_t rows, int64_t samples) {
  // Without the layers behind it, which may not take as few samples.
  Graph prefix = split.prefix;
  prefix.mutable_outputs() = stage.writes;
  RETURN_IF_ERROR(passes::EliminateDeadNodes(prefix).status());
  return passes::Specialize(prefix, {split.InputShape(rows, samples)});
}

absl::flat_hash_map<ValueId, Locality> ByValue(const Stage& stage) {
  return absl::flat_hash_map<ValueId, Locality>(stage.values.begin(), stage.values.end());
}

}  // namespace

absl::StatusOr<Stage> MakeStage(const LocalPrefix& split, const Boundary& from, const Boundary& to, int64_t hop,
                                bool left_edges) {
  Stage stage;
  RETURN_IF_ERROR(FollowNodes(split, from, to, stage));
  if (HasInterior(split, stage, hop)) stage.right_samples = StripSamples(split, from, to, stage, hop, End::kRight);
  if (left_edges && HasLeftEdge(split, stage) && stage.possible()) {
    stage.left_samples = StripSamples(split, from, to, stage, hop, End::kLeft);
    if (stage.left_samples == 0) stage.right_samples = 0;
  }
  stage.window_work = WorkAt(split, from, to, stage, split.window_samples());
  if (!stage.possible()) {
    stage.strips_work = 2 * stage.window_work;
    return stage;
  }
  stage.strips_work = WorkAt(split, from, to, stage, stage.right_samples);
  if (stage.left_samples > 0) stage.strips_work += WorkAt(split, from, to, stage, stage.left_samples);
  return stage;
}

Stage WholePrefix(const LocalPrefix& split, std::vector<ValueId> writes) {
  Stage stage;
  stage.reads_samples = true;
  stage.writes = std::move(writes);
  for (const Node& node : split.local.nodes()) {
    const std::optional<Locality>& where = split.where[Index(node.outputs[0])];
    if (where.has_value()) stage.values.emplace_back(node.outputs[0], *where);
  }
  stage.right_samples = split.window_samples();
  return stage;
}

absl::StatusOr<Graph> MakeStageGraph(const LocalPrefix& split, const Stage& stage, int64_t rows, int64_t samples) {
  ASSIGN_OR_RETURN(const Graph whole, SpecializeFor(split, stage, rows, samples));
  const absl::flat_hash_map<ValueId, Locality> makes = ByValue(stage);
  PartBuilder part(whole);
  if (stage.reads_samples) part.ReadInput(whole.inputs()[0]);
  for (const ValueId id : stage.reads) part.ReadByTime(split.Value(id));
  for (const Node& node : whole.nodes()) {
    if (makes.contains(node.outputs[0])) part.Add(node);
  }
  for (const ValueId id : stage.writes) part.WriteByTime(split.Value(id));
  return part.Take();
}

absl::Status AgreesAt(const LocalPrefix& split, const Stage& stage, int64_t samples) {
  ASSIGN_OR_RETURN(const Graph shorter, SpecializeFor(split, stage, 1, samples));
  const int64_t length = split.window_samples();
  const int64_t fewer = length - samples;
  std::vector<std::optional<Locality>> known(shorter.values().size());
  known[Index(shorter.inputs()[0])] = LocalityOfSamples(split.InputShape(1, samples));
  for (const ValueId id : stage.reads) {
    Locality where = WithoutEdges(*split.where[Index(id)]);
    where.positions = PositionsAt(split, where, samples);
    known[Index(id)] = where;
  }
  const absl::flat_hash_map<ValueId, Locality> makes = ByValue(stage);
  for (const Node& node : shorter.nodes()) {
    const ValueId id = node.outputs[0];
    const auto made = makes.find(id);
    if (made == makes.end()) continue;
    Locality expected = made->second;
    expected.positions -= fewer / expected.stride;
    const absl::StatusOr<std::optional<Locality>> seen = LocateOutput(shorter, node, known);
    if (fewer % expected.stride != 0 || !seen.ok() || *seen != expected) return DependsOnLength(node, length, samples);
    known[Index(id)] = expected;
  }
  return absl::OkStatus();
}

}  // namespace stillwave::overlap
