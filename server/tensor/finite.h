// Whether numbers from outside are numbers.
#pragma once

#include <cstdint>
#include <optional>

namespace stillwave::tensor {

// The index of the first of `count` FP32 values that is NaN or infinite. `data` may be unaligned.
std::optional<int64_t> FindNonFinite(const void* data, int64_t count);

}  // namespace stillwave::tensor
