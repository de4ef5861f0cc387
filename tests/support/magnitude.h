#pragma once

#include <algorithm>
#include <cmath>

#include "tests/support/ref_tensor.h"

namespace stillwave::test_support {

// The largest absolute value of a real tensor, which differences are held against; 0 without elements.
inline double LargestMagnitude(const RefTensor& tensor) {
  double largest = 0;
  for (const double value : tensor.reals) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace stillwave::test_support
