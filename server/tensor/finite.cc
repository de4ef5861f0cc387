#include "server/tensor/finite.h"

#include <algorithm>
#include <cstring>

namespace stillwave::tensor {
namespace {

// All exponent bits set: NaN or infinite.
constexpr uint32_t kExponent = 0x7f800000;

uint32_t BitsAt(const char* data, int64_t index) {
  uint32_t bits = 0;
  std::memcpy(&bits, data + index * static_cast<int64_t>(sizeof(bits)), sizeof(bits));
  return bits;
}

}  // namespace

std::optional<int64_t> FindNonFinite(const void* data, int64_t count) {
  constexpr int64_t kBlock = 256;
  const char* const bytes = static_cast<const char*>(data);
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, count);
    // No early exit inside a block, so that the compiler can vectorise it.
    uint32_t found = 0;
    for (int64_t i = begin; i < end; ++i) found |= static_cast<uint32_t>((BitsAt(bytes, i) & kExponent) == kExponent);
    if (found == 0) continue;
    for (int64_t i = begin; i < end; ++i) {
      if ((BitsAt(bytes, i) & kExponent) == kExponent) return i;
    }
  }
  return std::nullopt;
}

}  // namespace stillwave::tensor
