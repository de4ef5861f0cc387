// A network cut in two: what is local in time, and the rest.
//
//   samples {N,C,n} ─► prefix ─► the cut's values ─► tail ─► the network's outputs
//                 any length n             of a whole window
//
// The prefix runs on whole windows and on strips of them; its activations can be kept from one window to the next. The
// tail runs in full for each window. The cut's values lie position by position for the tail, so that positions can be
// appended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/graph/graph.h"
#include "server/overlap/local_value.h"
#include "server/overlap/time_locality.h"
#include "server/tensor/shape.h"

namespace stillwave::overlap {

// A value that the tail reads.
struct CutValue : LocalValue {
  // Positions before it are read by nothing: a network that goes on with the last step only has no use for a left edge.
  int64_t first_read = 0;
};

struct LocalPrefix {
  tensor::Shape window;  // of the network's input, for one window
  graph::Graph network;  // not specialized; pools over time are in two steps where that lets more be kept
  std::vector<CutValue> cuts;
  graph::Graph prefix;  // not specialized; outputs in the order of `cuts`
  graph::Graph local;   // the same, specialized to the window
  // What hops, and the difference of a strip's length to the window's, must be multiples of.
  int64_t alignment = 1;
  // The operator that ends the prefix, and why; empty when all of the network is local.
  std::string end;
  // By ValueId: what is local; nothing for the rest.
  std::vector<std::optional<Locality>> where;

  int64_t window_samples() const { return window[window.rank() - 1]; }
  bool IsLocal(graph::ValueId id) const {
    return static_cast<size_t>(id) < where.size() && where[static_cast<size_t>(id)].has_value();
  }
  // REQUIRES: IsLocal(id), and the prefix makes it.
  LocalValue Value(graph::ValueId id) const;
  // The input's shape for `rows` pieces of `samples` samples.
  tensor::Shape InputShape(int64_t rows, int64_t samples) const;
};

// Splits `network` (optimized, not specialized) for windows of that shape, {1, …, L}, that start `hop` samples apart.
// FAILED_PRECONDITION, with the reason, where nothing can be kept from window to window. Constants may be stand-ins
// without elements. A pool over time that plans take in blocks (passes/split_global_pool.h) is local up to the blocks'
// results where the hop moves them by whole blocks; hop 0: nowhere.
absl::StatusOr<LocalPrefix> SplitAtTime(const graph::Graph& network, const tensor::Shape& window, int64_t hop = 0);

// The rest of the network that was split, for `rows` windows: inputs in the order of the cuts, {rows, positions,
// step…}.
absl::StatusOr<graph::Graph> MakeTail(const LocalPrefix& split, int64_t rows);

// FAILED_PRECONDITION that names an operator which does something else on another length.
absl::Status DependsOnLength(const graph::Node& node, int64_t length, int64_t other);

}  // namespace stillwave::overlap
