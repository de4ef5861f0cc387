// Grouped convolutions whose groups are too narrow for a vector become dense ones.
#pragma once

#include "absl/status/statusor.h"
#include "server/graph/graph.h"

namespace stillwave::passes {

// W {M,C/group,K} -> {M,C,K} with zeros between groups; group = 1.
//
// The same sums, with products by zero added: exact for finite input. oneDNN vectorizes a grouped convolution only when
// a group's channels fill vectors, and depthwise ones (which stay); others run 15 to 20 times slower for each
// multiplication, so up to kMaxWidenedGroups times the multiplications still pay.
absl::StatusOr<bool> WidenSmallGroups(graph::Graph& graph);

inline constexpr int64_t kMaxWidenedGroups = 8;

}  // namespace stillwave::passes
