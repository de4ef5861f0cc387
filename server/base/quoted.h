// Names and values from a client, fit for a message, a log and a header.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace stillwave::base {

// In single quotes; what cannot be printed is escaped, what is longer than `longest` bytes cut and ends in dots.
inline std::string Quoted(absl::string_view text, size_t longest = 64) {
  return absl::StrCat("'", absl::CHexEscape(text.substr(0, longest)), text.size() > longest ? "...'" : "'");
}

}  // namespace stillwave::base
