// What of each window of a series is computed, and what is kept from the window before.
//
// One value that is kept, of a window of 20 positions with hop/stride = 4, left = 3 and right edge = 2:
//
//   window n      L L L • • • • • • • • • • • • • • • R R
//   window n+1            L L L • • • • • • • • • • • + + + + R R
//                         └─┬─┘ └────── kept ───────┘ └────┬────┘
//                     left strip                      right strip
//
// The cut's values are always kept. Where edges are wide, values inside the prefix are kept too, and the prefix runs in
// stages that each need strips with narrow margins (stage.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "server/graph/graph.h"
#include "server/overlap/local_prefix.h"
#include "server/overlap/reuse_limits.h"
#include "server/overlap/stage.h"
#include "server/tensor/shape.h"

namespace stillwave::overlap {

// A value that is kept, in positions.
struct KeptValue {
  LocalValue of;
  int64_t step_elements = 0;  // of one position
  int64_t positions = 0;      // of a window, that are kept: its last ones, if not all
  int64_t hop = 0;            // that the window moves by
  int64_t left = 0;           // the first of the left strip that are taken; 0: nothing reads the left edge
  int64_t right = 0;          // the last of the right strip that are taken: hop + the right edge
};

struct ReusePlan {
  LocalPrefix split;
  int64_t hop = 0;  // samples
  // In the order in which stages write them.
  std::vector<KeptValue> kept;
  std::vector<Stage> stages;
  // For a window that follows nothing: writes all that is kept.
  Stage first;
  // Of windows that run at the same time, the tails run as one batch, for which what they read is gathered. False: each
  // where its values lie.
  bool tails_together = false;
  // Of the work for a window by itself (model::EstimateWork), what a window costs that follows another.
  double share = 1;
  int64_t kept_bytes = 0;  // of one window

  // REQUIRES: it is kept.
  size_t IndexOf(graph::ValueId id) const;
  // Of a value that is kept, in a strip of that many samples.
  int64_t PositionsIn(const KeptValue& value, int64_t samples) const {
    return value.of.where.positions - (split.window_samples() - samples) / value.of.where.stride;
  }
  // Of the samples of a window, as many as are computed: of the layers, by their work.
  int64_t computed_samples() const;
  int64_t reused_samples() const { return split.window_samples() - computed_samples(); }
};

// For windows of the shape {1, …, L} that start `hop` samples apart. FAILED_PRECONDITION, with the reason, where full
// windows should run: "hop must be a multiple of 8, …; was 20". REQUIRES: hop > 0.
absl::StatusOr<ReusePlan> PlanReuse(const graph::Graph& network, const tensor::Shape& window, int64_t hop,
                                    const ReuseLimits& limits = {});

}  // namespace stillwave::overlap
