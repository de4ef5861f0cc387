// Names from a file: what they may hold, and how they appear in messages.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace stillwave::onnx_import {

// True when `text` is well-formed UTF-8 without control characters, so that it can go into logs and protobufs as is.
bool IsPlainText(absl::string_view text);

// "'conv1'". Long names are cut, and what is not plain text is escaped.
std::string Quoted(absl::string_view name);

// INVALID_ARGUMENT when `name` is longer than kMaxNameLength or not plain text. `what` says whose name it is.
absl::Status CheckName(absl::string_view name, absl::string_view what);

// The candidates that a person may have meant by `word`, best first, at most three.
std::vector<std::string> NearNames(absl::string_view word, const std::vector<absl::string_view>& candidates);

}  // namespace stillwave::onnx_import
