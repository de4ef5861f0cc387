#include "server/npy/npy_header.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"

namespace stillwave::npy {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr size_t kMagicBytes = sizeof(kMagic) - 1;
// NumPy itself refuses to evaluate headers over 10,000 bytes.
constexpr size_t kMaxHeaderBytes = 65536;
constexpr size_t kMaxRank = 4;

uint32_t LittleEndian(absl::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = bytes.size(); i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

// Reads the Python dictionary {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class HeaderDictionary {
 public:
  explicit HeaderDictionary(absl::string_view text) : rest_(text) {}

  absl::StatusOr<NpyHeader> Parse() {
    RETURN_IF_ERROR(Expect('{'));
    while (!Accept('}')) {
      RETURN_IF_ERROR(ParseEntry());
      if (!Accept(',')) {
        RETURN_IF_ERROR(Expect('}'));
        break;
      }
    }
    if (SkipSpace(); !rest_.empty()) return absl::InvalidArgumentError("header: text after the dictionary");
    if (!has_descr_ || !has_order_ || !has_shape_) {
      return absl::InvalidArgumentError("header must have 'descr', 'fortran_order' and 'shape'");
    }
    return std::move(header_);
  }

 private:
  absl::Status ParseEntry() {
    ASSIGN_OR_RETURN(const std::string key, ParseString());
    RETURN_IF_ERROR(Expect(':'));
    if (key == "descr") {
      if (std::exchange(has_descr_, true)) return absl::InvalidArgumentError("header: 'descr' twice");
      if (SkipSpace(); absl::StartsWith(rest_, "[")) {
        return absl::InvalidArgumentError(
            "structured arrays (several named fields) are not supported; save one plain array");
      }
      ASSIGN_OR_RETURN(header_.descr, ParseString());
      return absl::OkStatus();
    }
    if (key == "fortran_order") {
      if (std::exchange(has_order_, true)) return absl::InvalidArgumentError("header: 'fortran_order' twice");
      return ParseBool(&header_.fortran_order);
    }
    if (key == "shape") {
      if (std::exchange(has_shape_, true)) return absl::InvalidArgumentError("header: 'shape' twice");
      return ParseShape();
    }
    return absl::InvalidArgumentError(absl::StrCat("header: unknown key '", key, "'"));
  }

  absl::StatusOr<std::string> ParseString() {
    SkipSpace();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"'))
      return absl::InvalidArgumentError("header: a quoted text expected");
    const size_t end = rest_.find(rest_[0], 1);
    if (end == absl::string_view::npos) return absl::InvalidArgumentError("header: a quote is not closed");
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }

  absl::Status ParseBool(bool* value) {
    SkipSpace();
    for (const bool candidate : {true, false}) {
      const absl::string_view word = candidate ? "True" : "False";
      if (!absl::StartsWith(rest_, word)) continue;
      rest_.remove_prefix(word.size());
      *value = candidate;
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError("header: 'fortran_order' must be True or False");
  }

  absl::Status ParseShape() {
    RETURN_IF_ERROR(Expect('('));
    while (!Accept(')')) {
      SkipSpace();
      size_t digits = 0;
      while (digits < rest_.size() && absl::ascii_isdigit(static_cast<unsigned char>(rest_[digits]))) ++digits;
      int64_t dim = 0;
      if (!absl::SimpleAtoi(rest_.substr(0, digits), &dim))
        return absl::InvalidArgumentError("header: 'shape' must hold integers");
      rest_.remove_prefix(digits);
      if (header_.shape.size() == kMaxRank)
        return absl::InvalidArgumentError("arrays of more than 4 dimensions are not supported");
      header_.shape.push_back(dim);
      if (!Accept(',')) return Expect(')');
    }
    return absl::OkStatus();
  }

  void SkipSpace() { rest_ = absl::StripLeadingAsciiWhitespace(rest_); }

  bool Accept(char c) {
    SkipSpace();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  absl::Status Expect(char c) {
    if (Accept(c)) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("header: '", std::string(1, c), "' expected"));
  }

  absl::string_view rest_;
  NpyHeader header_;
  bool has_descr_ = false;
  bool has_order_ = false;
  bool has_shape_ = false;
};

}  // namespace

bool HasNpyMagic(absl::string_view bytes) { return absl::StartsWith(bytes, absl::string_view(kMagic, kMagicBytes)); }

absl::StatusOr<NpyHeader> ParseNpyHeader(absl::string_view bytes) {
  if (!HasNpyMagic(bytes)) return absl::InvalidArgumentError("not an .npy file: it does not begin with \\x93NUMPY");
  if (bytes.size() < kMagicBytes + 2) return absl::InvalidArgumentError("the file ends inside its header");
  const int major = static_cast<unsigned char>(bytes[kMagicBytes]);
  if (major < 1 || major > 3) {
    return absl::InvalidArgumentError(absl::StrCat(".npy format version must be 1, 2 or 3; was ", major));
  }
  const size_t length_at = kMagicBytes + 2;
  const size_t length_bytes = major == 1 ? 2 : 4;
  if (bytes.size() < length_at + length_bytes) return absl::InvalidArgumentError("the file ends inside its header");
  const size_t length = LittleEndian(bytes.substr(length_at, length_bytes));
  if (length > kMaxHeaderBytes) {
    return absl::InvalidArgumentError(absl::StrCat("header must be at most ", kMaxHeaderBytes, " bytes; was ", length));
  }
  const size_t header_at = length_at + length_bytes;
  if (bytes.size() < header_at + length) return absl::InvalidArgumentError("the file ends inside its header");
  ASSIGN_OR_RETURN(NpyHeader header, HeaderDictionary(bytes.substr(header_at, length)).Parse());
  header.data_offset = header_at + length;
  return header;
}

}  // namespace stillwave::npy
