// How long the tests of this folder run: short forms in every run, full ones when STILLWAVE_LONG_TESTS is set, as
// `scripts/test --long` does.
#pragma once

#include <cstdlib>

namespace stillwave::integration {

inline bool LongTests() {
  const char* const value = std::getenv("STILLWAVE_LONG_TESTS");
  return value != nullptr && *value != '\0';
}

// A count of rounds, requests or connections.
inline int ShortOrLong(int short_form, int long_form) { return LongTests() ? long_form : short_form; }

}  // namespace stillwave::integration
