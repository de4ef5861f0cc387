// SW_CHECK: a broken invariant of our own ends the process with its place and words. Never for outside input,
// which gets an absl::Status. (Named apart from Abseil's CHECK, which Debian 12's Abseil lacks and 13's has.)
#pragma once

#include <cstdio>
#include <cstdlib>

#define SW_CHECK(condition)                                                                  \
  do {                                                                                       \
    if (!(condition)) [[unlikely]] {                                                         \
      std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)

#define SW_CHECK_OK(expr)                                                                    \
  do {                                                                                       \
    if (const auto& sw_status = (expr); !sw_status.ok()) [[unlikely]] {                      \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, sw_status.ToString().c_str()); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
