// What must hold of a graph before and after a rewrite.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "server/graph/graph.h"

namespace stillwave::test_support {

// A pass, or a list of them: whether it changed the graph.
using Rewrite = std::function<absl::StatusOr<bool>(graph::Graph&)>;

struct RewriteCounts {
  int networks = 0;
  int changed = 0;
};

// Applies `rewrite` to the random networks of seeds 0 to `networks` - 1 and expects that each stays valid, that its
// outputs stay within rtol * the largest output (0: the same double arithmetic), that "changed" is the truth and that
// a second application changes nothing. Failures show seed and graphs.
RewriteCounts ExpectOutputsUnchanged(const Rewrite& rewrite, int networks, double rtol);

// How many nodes of the graph are of this ONNX name.
int CountNodes(const graph::Graph& graph, absl::string_view op_name);

}  // namespace stillwave::test_support
