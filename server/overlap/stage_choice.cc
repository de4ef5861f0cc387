#include "server/overlap/stage_choice.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "server/base/status_macros.h"

namespace stillwave::overlap {
namespace {

using graph::Node;
using graph::ValueId;

// More would be as many plans for each number of series that run together.
constexpr size_t kMaxStages = 12;

absl::Status NothingToKeep() {
  return absl::FailedPreconditionError("the edges that the window's padding reaches leave nothing to keep");
}

bool ReadsLeftEdge(const LocalPrefix& split) {
  return std::any_of(split.cuts.begin(), split.cuts.end(),
                     [](const CutValue& cut) { return cut.where.left > 0 && cut.first_read < cut.where.left; });
}

// The node behind which a value is not read any more, by ValueId; the end for what the tail reads.
std::vector<size_t> LastReaders(const LocalPrefix& split) {
  const std::vector<Node>& nodes = split.local.nodes();
  std::vector<size_t> last(split.local.values().size(), 0);
  for (size_t n = 0; n < nodes.size(); ++n) {
    for (const ValueId id : nodes[n].inputs) {
      if (id != graph::kNoValue) last[static_cast<size_t>(id)] = n;
    }
  }
  for (const CutValue& cut : split.cuts) last[static_cast<size_t>(cut.value)] = nodes.size();
  return last;
}

bool CanBeKept(const LocalPrefix& split, ValueId id) {
  // What specialization makes has another number at another length.
  return split.IsLocal(id) && static_cast<size_t>(id) < split.prefix.values().size() &&
         split.local.value(id).data_type == tensor::DataType::kFloat32;
}

std::vector<ValueId> CutIds(const LocalPrefix& split) {
  std::vector<ValueId> ids;
  for (const CutValue& cut : split.cuts) ids.push_back(cut.value);
  return ids;
}

// Before and behind an operator that goes element by element the same is kept, and it is cheaper before a cut.
bool KeepTheSame(const LocalPrefix& split, const Boundary& a, const Boundary& b) {
  const auto edges = [&](const Boundary& boundary) {
    int64_t sum = 0;
    for (const ValueId id : boundary.values) sum += split.Value(id).where.left + split.Value(id).where.right;
    return sum;
  };
  return KeptBytes(split, a.values) == KeptBytes(split, b.values) && edges(a) == edges(b);
}

// Boundaries between the first node and the last at which everything can be kept.
std::vector<Boundary> InnerBoundaries(const LocalPrefix& split) {
  const std::vector<Node>& nodes = split.local.nodes();
  const std::vector<size_t> last = LastReaders(split);
  std::vector<Boundary> found;
  std::vector<ValueId> live;
  for (size_t n = 0; n + 1 < nodes.size(); ++n) {
    live.push_back(nodes[n].outputs[0]);
    std::erase_if(live, [&](ValueId id) { return last[static_cast<size_t>(id)] <= n; });
    if (!std::all_of(live.begin(), live.end(), [&](ValueId id) { return CanBeKept(split, id); })) continue;
    Boundary boundary{n + 1, live};
    if (!found.empty() && KeepTheSame(split, found.back(), boundary)) found.pop_back();
    found.push_back(std::move(boundary));
  }
  return found;
}

// Stages by the boundaries between which they lie; each is made once.
class StageTable {
 public:
  StageTable(const LocalPrefix& split, int64_t hop)
      : split_(split), hop_(hop), boundaries_(FindBoundaries(split)), left_edges_(ReadsLeftEdge(split)) {}

  size_t last() const { return boundaries_.size() - 1; }
  bool left_edges() const { return left_edges_; }
  const Boundary& boundary(size_t index) const { return boundaries_[index]; }

  // Null for one that writes nothing new.
  const Stage* Between(size_t from, size_t to) {
    const auto [found, is_new] = stages_.try_emplace({from, to});
    if (is_new) found->second = MakeStage(split_, boundaries_[from], boundaries_[to], hop_, left_edges_);
    return found->second.ok() && !found->second->writes.empty() ? &*found->second : nullptr;
  }

 private:
  const LocalPrefix& split_;
  const int64_t hop_;
  const std::vector<Boundary> boundaries_;
  const bool left_edges_;
  std::map<std::pair<size_t, size_t>, absl::StatusOr<Stage>> stages_;
};

constexpr double kNoGain = -std::numeric_limits<double>::infinity();

// The gain of another cut at `at`, between two that are there.
double Gain(StageTable& table, size_t from, size_t at, size_t to) {
  const Stage* const whole = table.Between(from, to);
  const Stage* const first = table.Between(from, at);
  const Stage* const second = table.Between(at, to);
  if (whole == nullptr || first == nullptr || second == nullptr) return kNoGain;
  return whole->strips_work - first->strips_work - second->strips_work;
}

// What a series keeps with these cuts. Where no left edge is read, the strip of all of the prefix is the most that
// anything inside it is read of.
int64_t BytesWith(const LocalPrefix& split, StageTable& table, const std::vector<size_t>& cuts) {
  const Stage& whole = *table.Between(0, table.last());
  const int64_t unread = table.left_edges() || !whole.possible() ? 0 : split.window_samples() - whole.right_samples;
  const std::vector<ValueId> cut = CutIds(split);
  std::vector<ValueId> inner;
  for (const size_t boundary : cuts) {
    for (const ValueId id : table.boundary(boundary).values) {
      if (std::find(cut.begin(), cut.end(), id) != cut.end()) continue;
      if (std::find(inner.begin(), inner.end(), id) == inner.end()) inner.push_back(id);
    }
  }
  int64_t bytes = KeptBytes(split, cut) + KeptBytes(split, inner);
  for (const ValueId id : inner) {
    const LocalValue value = split.Value(id);
    bytes -= unread / value.where.stride * value.step.num_elements() * static_cast<int64_t>(sizeof(float));
  }
  return bytes;
}

// A cut at `at` beside those that are there.
struct AnotherCut {
  size_t at = 0;  // 0: none
  double gain = 0;
  int64_t bytes = 0;  // with it
};

// The one that saves most, of those that the limits allow.
AnotherCut BestCut(const LocalPrefix& split, StageTable& table, const std::vector<size_t>& cuts, double work,
                   const ReuseLimits& limits) {
  const double full = table.Between(0, table.last())->window_work;
  const double work_per_byte = limits.least_gain_per_mebibyte * full / static_cast<double>(1 << 20);
  const int64_t bytes_before = BytesWith(split, table, cuts);
  AnotherCut best{0, limits.least_gain * work, bytes_before};
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    for (size_t at = cuts[i] + 1; at < cuts[i + 1]; ++at) {
      const double gain = Gain(table, cuts[i], at, cuts[i + 1]);
      if (gain <= best.gain) continue;
      std::vector<size_t> with = cuts;
      with.insert(with.begin() + static_cast<std::ptrdiff_t>(i) + 1, at);
      const int64_t bytes = BytesWith(split, table, with);
      const double price = work_per_byte * static_cast<double>(bytes - bytes_before);
      if (bytes <= limits.max_kept_bytes && gain > price) best = {at, gain, bytes};
    }
  }
  return best;
}

absl::StatusOr<std::vector<Stage>> StagesBetween(StageTable& table, const std::vector<size_t>& cuts) {
  std::vector<Stage> stages;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    const Stage* const stage = table.Between(cuts[i], cuts[i + 1]);
    if (stage == nullptr || !stage->possible()) return NothingToKeep();
    stages.push_back(*stage);
  }
  return stages;
}

}  // namespace

std::vector<Boundary> FindBoundaries(const LocalPrefix& split) {
  const size_t nodes = split.local.nodes().size();
  std::vector<Boundary> boundaries = {{0, {}}};
  // Of many, the narrowest of each stretch; of equal ones the last, behind what may be done in place.
  constexpr size_t kStretches = kMaxBoundaries - 2;
  size_t stretch_taken = kStretches;
  int64_t taken_bytes = 0;
  for (Boundary& boundary : InnerBoundaries(split)) {
    const size_t stretch = boundary.node * kStretches / nodes;
    const int64_t bytes = KeptBytes(split, boundary.values);
    if (stretch != stretch_taken) {
      boundaries.push_back(std::move(boundary));
    } else if (bytes <= taken_bytes) {
      boundaries.back() = std::move(boundary);
    } else {
      continue;
    }
    stretch_taken = stretch;
    taken_bytes = bytes;
  }
  boundaries.push_back({nodes, CutIds(split)});
  return boundaries;
}

absl::StatusOr<std::vector<Stage>> ChooseStages(const LocalPrefix& split, int64_t hop, const ReuseLimits& limits) {
  StageTable table(split, hop);
  std::vector<size_t> cuts = {0, table.last()};
  if (table.Between(0, table.last()) == nullptr) return NothingToKeep();
  double work = table.Between(0, table.last())->strips_work;
  while (cuts.size() <= kMaxStages) {
    const AnotherCut best = BestCut(split, table, cuts, work, limits);
    if (best.at == 0) break;
    cuts.insert(std::upper_bound(cuts.begin(), cuts.end(), best.at), best.at);
    work -= best.gain;
  }
  return StagesBetween(table, cuts);
}

absl::StatusOr<std::vector<Stage>> OneStage(const LocalPrefix& split, int64_t hop) {
  StageTable table(split, hop);
  return StagesBetween(table, {0, table.last()});
}

int64_t KeptBytes(const LocalPrefix& split, const std::vector<ValueId>& values) {
  int64_t bytes = 0;
  for (const ValueId id : values) {
    const LocalValue value = split.Value(id);
    bytes += value.where.positions * value.step.num_elements() * static_cast<int64_t>(sizeof(float));
  }
  return bytes;
}

}  // namespace stillwave::overlap
