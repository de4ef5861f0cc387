// A stretch of the prefix, from values that are kept to values that are kept.
//
//   samples, or what stages before have kept ─► nodes ─► what this stage writes, kept for the next and for the tail
//
// A window that follows another runs a stage on two strips: on the first samples of the window, for the left edge with
// its true padding, and on the last ones, for the hop's new positions and the right edge. Strips are counted in samples
// of the window, whatever the stride of what is read. Of each strip the positions that its other end reaches are not
// taken, so a strip has as many samples more as the stage looks at. One stage for all of the prefix needs margins as
// wide as all its layers look; many stages need narrow ones, and keep what lies between them.
//
// Kernels may take time steps in pairs (docs/decisions/0008): strips begin an even number of positions after the window
// does, and do not get shorter than such kernels take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/graph/graph.h"
#include "server/overlap/local_prefix.h"

namespace stillwave::overlap {

// A place between two nodes of LocalPrefix::local.
struct Boundary {
  size_t node = 0;  // the first behind it
  // What is made before it and read behind it, without the samples; behind the last node: what the tail reads.
  std::vector<graph::ValueId> values;
};

struct Stage {
  bool reads_samples = false;
  std::vector<graph::ValueId> reads;
  std::vector<graph::ValueId> writes;
  // Of its nodes' values, in order, as if what it reads had no edges: of the stage's own margins.
  std::vector<std::pair<graph::ValueId, Locality>> values;
  int64_t left_samples = 0;   // of the left strip; 0: there is no left edge, or nothing reads it
  int64_t right_samples = 0;  // of the right strip; 0: there is no room for a strip, and nothing can be kept
  // Roughly, in units of model::EstimateWork: of a whole window, and of both strips.
  double window_work = 0;
  double strips_work = 0;

  bool possible() const { return right_samples > 0; }
};

// What a step costs beside its arithmetic, in units of model::EstimateWork: about a microsecond.
inline constexpr int64_t kStepWork = int64_t{1} << 14;

// The stage between two boundaries for windows that start `hop` samples apart. `left_edges`: those are computed anew.
absl::StatusOr<Stage> MakeStage(const LocalPrefix& split, const Boundary& from, const Boundary& to, int64_t hop,
                                bool left_edges);

// All of the prefix in one run, which writes `writes`: for the first window of a series.
Stage WholePrefix(const LocalPrefix& split, std::vector<graph::ValueId> writes);

// The stage's graph for pieces of `samples` samples: the samples if it reads them, then what it reads, {rows,
// positions, step…}; outputs likewise.
absl::StatusOr<graph::Graph> MakeStageGraph(const LocalPrefix& split, const Stage& stage, int64_t rows,
                                            int64_t samples);

// OK when the stage does the same on pieces of `samples` samples as on windows: each value's positions look at the same
// samples from the beginning, its edges are as wide, and it has as many positions fewer as there are strides fewer.
// Where a network's operators depend on the length (SAME padding and strides, bounds that count from the end), they
// only do the same on some lengths. FAILED_PRECONDITION naming the operator. REQUIRES: 0 < samples <= the window's.
absl::Status AgreesAt(const LocalPrefix& split, const Stage& stage, int64_t samples);

}  // namespace stillwave::overlap
