// A part of a network as a graph of its own, whose inputs and outputs lie position by position.
#pragma once

#include <utility>
#include <vector>

#include "server/graph/graph.h"
#include "server/overlap/local_value.h"

namespace stillwave::overlap {

// First what the part reads, then its nodes in order, then what it writes. Not thread-safe.
class PartBuilder {
 public:
  // `whole` is specialized: the part is for its shapes. Outlives the builder.
  explicit PartBuilder(const graph::Graph& whole);

  // An input that takes the place of the network's own.
  void ReadInput(graph::ValueId id);
  // An input {N, positions, step…} that takes the place of a value.
  void ReadByTime(const LocalValue& value);
  void Add(const graph::Node& node);
  void Write(graph::ValueId id);
  // An output {N, positions, step…}.
  void WriteByTime(const LocalValue& value);

  graph::Graph Take() { return std::move(part_); }

 private:
  // The part's value for one of the network's.
  graph::ValueId Rename(graph::ValueId id);

  const graph::Graph& whole_;
  graph::Graph part_;
  std::vector<graph::ValueId> renamed_;  // by the network's ids
};

}  // namespace stillwave::overlap
