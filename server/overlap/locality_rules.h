// How each operator moves what its inputs know of time to its output. Internal to this folder: see time_locality.h.
//
// Every rule answers FAILED_PRECONDITION, in words that follow the node's name ("reads the whole window"), when the
// output is not local.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/graph/graph.h"
#include "server/graph/shape_inference.h"
#include "server/overlap/time_locality.h"

namespace stillwave::overlap {

// A node with what is known of its inputs: nothing for constants and for what is left out.
struct LocalityContext {
  const graph::Graph& graph;
  const graph::Node& node;
  absl::Span<const std::optional<Locality>> inputs;

  const tensor::Shape& shape(size_t input) const { return graph.value(node.inputs[input]).shape; }
  const tensor::Shape& output() const { return graph.value(node.outputs[0]).shape; }
  std::vector<graph::InputType> types() const;
};

// REQUIRES: at least one input is local, and those that are not are constants or left out.
absl::StatusOr<Locality> OutputLocality(const LocalityContext& context);

absl::Status NotLocal(absl::string_view why);

// locality_window_rules.cc: operators whose positions look at several of their input's.
absl::StatusOr<Locality> LocalityOf(const graph::Conv& op, const LocalityContext& context);
absl::StatusOr<Locality> LocalityOf(const graph::Pool& op, const LocalityContext& context);
absl::StatusOr<Locality> LocalityOf(const graph::Slice& op, const LocalityContext& context);
absl::StatusOr<Locality> LocalityOf(const graph::Pad& op, const LocalityContext& context);
absl::StatusOr<Locality> LocalityOf(const graph::Interleave& op, const LocalityContext& context);

}  // namespace stillwave::overlap
