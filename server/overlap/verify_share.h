// Which of the windows that reuse something are computed in full too and compared.
#pragma once

#include <cmath>
#include <cstdint>

namespace stillwave::overlap {

// The first two, and of all the part `share`, 0 to 1, evenly spread. `number` counts from 1.
inline bool IsVerified(int64_t number, double share) {
  constexpr int64_t kAlways = 2;
  if (number <= kAlways) return true;
  const auto before = static_cast<double>(number - 1);
  return std::floor((before + 1) * share) > std::floor(before * share);
}

}  // namespace stillwave::overlap
