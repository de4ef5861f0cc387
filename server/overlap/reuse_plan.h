// What of each window of a series is computed, and what is kept from the window before.
//
// One value of the cut, of a window of 20 positions with hop/stride = 4, left = 3 and right = 2:
//
//   window n      L L L • • • • • • • • • • • • • • • R R
//   window n+1            L L L • • • • • • • • • • • + + + + R R
//                         └─┬─┘ └────── kept ───────┘ └────┬────┘
//                     left strip                      right strip
//
// Both strips are runs of the prefix on a few samples of the window: the left one on its first samples, with the true
// padding before them, the right one on its last, with the true padding behind them. Of each the positions that its
// other end reaches are dropped, so a strip has as many samples more as an edge looks at: no activations inside the
// network are kept, which would be many times as much memory. In stacks with wide edges and small hops most of a strip
// is such a margin; the result is the same.
//
// Kernels may take time steps in pairs (docs/decisions/0008): strips begin an even number of positions after the window
// does, and do not get shorter than such kernels take.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "server/graph/graph.h"
#include "server/overlap/local_prefix.h"
#include "server/tensor/shape.h"

namespace stillwave::overlap {

// Positions of one value of the cut.
struct CutStrips {
  int64_t step_elements = 0;  // of one position
  int64_t positions = 0;      // of a window
  int64_t hop = 0;            // that the window moves by
  int64_t left = 0;           // the first of the left strip that are taken
  int64_t right = 0;          // the last of the right strip that are taken: hop + the right edge
  int64_t left_strip = 0;     // that the strips have
  int64_t right_strip = 0;
};

struct ReusePlan {
  LocalPrefix split;
  int64_t hop = 0;            // samples
  int64_t left_samples = 0;   // of the left strip; 0: no value has a left edge
  int64_t right_samples = 0;  // of the right strip
  std::vector<CutStrips> cuts;
  // Of the work for a window by itself (model::EstimateWork), what a window costs that follows another.
  double share = 1;
  int64_t kept_bytes = 0;  // of one window's cut

  int64_t computed_samples() const { return left_samples + right_samples; }
  int64_t reused_samples() const { return split.window_samples() - computed_samples(); }
};

struct ReuseLimits {
  // More work than this part of a full window's is not worth the memory.
  double max_share = 0.5;
  // Of one window's cut, for each series.
  int64_t max_kept_bytes = int64_t{4} << 20;
};

// For windows of the shape {1, …, L} that start `hop` samples apart. FAILED_PRECONDITION, with the reason, where full
// windows should run: "hop must be a multiple of 8, …; was 20". REQUIRES: hop > 0.
absl::StatusOr<ReusePlan> PlanReuse(const graph::Graph& network, const tensor::Shape& window, int64_t hop,
                                    const ReuseLimits& limits = {});

}  // namespace stillwave::overlap
