#include "server/onnx/names.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/onnx/limits.h"

namespace stillwave::onnx_import {
namespace {

constexpr size_t kMaxQuotedLength = 120;
constexpr size_t kMaxNearNames = 3;

// The length of the well-formed UTF-8 sequence at the front of `text`, or 0. REQUIRES: text is not empty.
size_t Utf8SequenceLength(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
    }
  }
  return row[b.size()];
}

}  // namespace

bool IsPlainText(absl::string_view text) {
  while (!text.empty()) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(text[0]))) return false;
    const size_t length = Utf8SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string Quoted(absl::string_view name) {
  if (name.size() <= kMaxQuotedLength && IsPlainText(name)) return absl::StrCat("'", name, "'");
  const bool cut = name.size() > kMaxQuotedLength;
  return absl::StrCat("'", absl::CHexEscape(name.substr(0, kMaxQuotedLength)), cut ? "...'" : "'");
}

absl::Status CheckName(absl::string_view name, absl::string_view what) {
  if (name.size() > kMaxNameLength) {
    return absl::InvalidArgumentError(absl::StrCat("the name of ", what, " ", Quoted(name), " must not exceed ",
                                                   kMaxNameLength, " bytes; has ", name.size()));
  }
  if (!IsPlainText(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the name of ", what, " ", Quoted(name), " must be UTF-8 without control characters"));
  }
  return absl::OkStatus();
}

std::vector<std::string> NearNames(absl::string_view word, const std::vector<absl::string_view>& candidates) {
  const std::string wanted = absl::AsciiStrToLower(word.substr(0, kMaxQuotedLength));
  const size_t reach = std::max<size_t>(1, wanted.size() / 3);
  std::vector<std::pair<size_t, absl::string_view>> found;
  for (const absl::string_view candidate : candidates) {
    const std::string lower = absl::AsciiStrToLower(candidate);
    size_t distance = EditDistance(wanted, lower);
    // "FusedConv" is nearer to Conv than its letters say.
    if (lower.size() >= 3 && absl::StrContains(wanted, lower)) distance = std::min(distance, reach);
    if (distance <= reach && distance < lower.size()) found.emplace_back(distance, candidate);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::vector<std::string> names;
  for (const auto& [distance, name] : found) {
    if (names.size() < kMaxNearNames) names.emplace_back(name);
  }
  return names;
}

}  // namespace stillwave::onnx_import
