// How the drift of a model is watched.
#pragma once

#include <cstdint>

namespace stillwave::model {

struct DriftOptions {
  // The share of computed samples that is observed, 0 to 1. 0: none, and nothing is kept for it.
  double sample_rate = 0.01;
  // Observed samples after which one counts half as much as a new one. Positive.
  int64_t half_life = 1000;
  // Observed samples before there are metrics: a few windows say nothing. Positive.
  int64_t minimum_samples = 100;
};

}  // namespace stillwave::model
