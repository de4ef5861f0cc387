// What keeping activations between windows may cost, and must save.
#pragma once

#include <cstdint>

namespace stillwave::overlap {

struct ReuseLimits {
  // More work than this part of a full window's is not worth the memory.
  double max_share = 0.5;
  // Of one window, for each series.
  int64_t max_kept_bytes = int64_t{4} << 20;
  // Another stage must save this part of the work of a window that follows, or it is not worth the runs of two more
  // strips.
  double least_gain = 0.04;
  // And this part of a full window's work for each mebibyte that a series then keeps more: tapes of many series are
  // memory that others could have.
  double least_gain_per_mebibyte = 0.03;
};

}  // namespace stillwave::overlap
