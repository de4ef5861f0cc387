// Names and values from a client, fit for a message.
#pragma once

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace stillwave::service {

// In quotes, cut off after 64 bytes, what cannot be printed escaped.
inline std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", absl::CHexEscape(text.substr(0, 64)), "'");
}

}  // namespace stillwave::service
