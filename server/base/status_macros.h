// RETURN_IF_ERROR and ASSIGN_OR_RETURN: Debian 12's Abseil ships no status_macros.h.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#define STILLWAVE_CONCAT_INNER(a, b) a##b
#define STILLWAVE_CONCAT(a, b) STILLWAVE_CONCAT_INNER(a, b)

// Returns from the enclosing function when `expr` (an absl::Status) is not OK.
#define RETURN_IF_ERROR(expr)                                               \
  do {                                                                      \
    if (absl::Status stillwave_status_ = (expr); !stillwave_status_.ok()) { \
      return stillwave_status_;                                             \
    }                                                                       \
  } while (false)

// ASSIGN_OR_RETURN(auto value, ExprReturningStatusOr());
#define ASSIGN_OR_RETURN(lhs, expr) \
  STILLWAVE_ASSIGN_OR_RETURN(STILLWAVE_CONCAT(stillwave_status_or_, __LINE__), lhs, expr)
#define STILLWAVE_ASSIGN_OR_RETURN(tmp, lhs, expr) \
  auto tmp = (expr);                               \
  if (!tmp.ok()) return tmp.status();              \
  lhs = std::move(tmp).value()

namespace stillwave::base {

// The same code with "prefix: " in front of the message; OK stays OK.
inline absl::Status Annotate(const absl::Status& status, absl::string_view prefix) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(prefix, ": ", status.message()));
}

}  // namespace stillwave::base
