// The words in which config.pbtxt is refused.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace stillwave::model {

inline absl::Status Invalid(absl::string_view field, absl::string_view rule, absl::string_view value) {
  return absl::InvalidArgumentError(absl::StrCat(field, " must ", rule, "; was ", value));
}

inline absl::Status CheckRange(absl::string_view field, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return Invalid(field, absl::StrCat("be ", low, " to ", high), absl::StrCat(value));
}

// REQUIRES: high >= 0.
inline absl::Status CheckUnsignedRange(absl::string_view field, uint64_t value, int64_t low, int64_t high) {
  if (value <= static_cast<uint64_t>(high)) return CheckRange(field, static_cast<int64_t>(value), low, high);
  return Invalid(field, absl::StrCat("be ", low, " to ", high), absl::StrCat(value));
}

}  // namespace stillwave::model
