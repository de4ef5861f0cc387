// The sizes that batches are cut into.
#pragma once

#include <cstdint>

namespace stillwave::base {

// The largest power of two that is not above `limit`; 1 for less than 2.
inline int64_t LargestPowerOfTwo(int64_t limit) {
  int64_t power = 1;
  while (power <= limit / 2) power *= 2;
  return power;
}

}  // namespace stillwave::base
