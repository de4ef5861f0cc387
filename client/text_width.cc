#include "client/text_width.h"

#include <clocale>
#include <cwchar>

#include "absl/strings/str_format.h"

namespace stillwave::client {
namespace {

// glibc's own tables decide about characters, whatever locale the user has; C.UTF-8 is part of glibc itself.
class ScopedUtf8Locale {
 public:
  ScopedUtf8Locale() : previous_(uselocale(Utf8())) {}
  ~ScopedUtf8Locale() { uselocale(previous_); }
  ScopedUtf8Locale(const ScopedUtf8Locale&) = delete;
  ScopedUtf8Locale& operator=(const ScopedUtf8Locale&) = delete;

 private:
  static locale_t Utf8() {
    static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return locale;  // null where it is missing: uselocale(null) changes nothing
  }

  locale_t previous_;
};

// Bytes of the character at the start of `text` and the character; 0 bytes when they are not valid UTF-8.
size_t DecodeCharacter(absl::string_view text, wchar_t* character) {
  mbstate_t state{};
  const size_t bytes = mbrtowc(character, text.data(), text.size(), &state);
  if (bytes == static_cast<size_t>(-1) || bytes == static_cast<size_t>(-2)) return 0;
  return bytes == 0 ? 1 : bytes;  // mbrtowc answers 0 for NUL
}

std::string EscapedByte(char byte) {
  switch (byte) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return absl::StrFormat("\\x%02x", static_cast<unsigned char>(byte));
  }
}

bool IsControl(wchar_t character) { return character < 0x20 || (character >= 0x7f && character < 0xa0); }

}  // namespace

std::string EscapeControlCharacters(absl::string_view text) {
  const ScopedUtf8Locale utf8;
  std::string escaped;
  while (!text.empty()) {
    wchar_t character = 0;
    const size_t bytes = DecodeCharacter(text, &character);
    if (bytes == 0 || IsControl(character)) {
      const size_t broken = bytes == 0 ? 1 : bytes;
      for (size_t i = 0; i < broken; ++i) escaped += EscapedByte(text[i]);
      text.remove_prefix(broken);
    } else {
      escaped.append(text.data(), bytes);
      text.remove_prefix(bytes);
    }
  }
  return escaped;
}

int TextWidth(absl::string_view text) {
  const ScopedUtf8Locale utf8;
  int width = 0;
  while (!text.empty()) {
    wchar_t character = 0;
    const size_t bytes = DecodeCharacter(text, &character);
    const int cells = bytes == 0 ? 1 : wcwidth(character);
    width += cells < 0 ? 1 : cells;
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return width;
}

}  // namespace stillwave::client
