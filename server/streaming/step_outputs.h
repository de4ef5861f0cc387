// Which steps of an output that has a time axis are new in a window. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/types/span.h"
#include "server/streaming/sliding_window.h"
#include "server/tensor/shape.h"
#include "server/tensor/tensor.h"

namespace stillwave::streaming {

// Output {1, …, T, …} of a window of L samples: T steps of L / T samples each.
struct StepAxis {
  int axis = 0;  // the batch axis counted
  int64_t samples_per_step = 1;
};

// The time axis of an output whose shape is known for windows of `length` and of 2 × `length` samples: the only axis
// that differs, if it is twice as long there. Nothing for an output that has none.
std::optional<StepAxis> FindStepAxis(const tensor::Shape& output, const tensor::Shape& of_double_length,
                                     int64_t length);

// The same where only windows of `length` can be run, by the one shape: the only axis of that length; if none is, the
// only one, of several, whose length divides it. Nothing where more than one could be meant.
std::optional<StepAxis> GuessStepAxis(const tensor::Shape& output, int64_t length);

struct StepRange {
  int64_t begin = 0;
  int64_t end = 0;
};

// The steps that no window before has covered, without those that are padding only. REQUIRES: axis.samples_per_step
// divides window.covered_samples and `length`.
StepRange NewSteps(const StepAxis& axis, const WindowInfo& window, int64_t length);

// Those steps of {1, …, T, …}, row-major: T becomes end - begin.
std::string CopySteps(const tensor::TensorView& output, const StepAxis& axis, const StepRange& steps);

}  // namespace stillwave::streaming
