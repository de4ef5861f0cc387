// A file or folder of one test: tests of a program run at the same time, each in a process of its own.
#pragma once

#include <algorithm>
#include <string>

#include "gtest/gtest.h"

namespace stillwave::test_support {

// In gtest's TempDir; two tests get two paths for one name, the same test the same path each time. Creates nothing.
inline std::string TempPath(const std::string& name) {
  const auto* const test = ::testing::UnitTest::GetInstance()->current_test_info();
  const auto* const suite = ::testing::UnitTest::GetInstance()->current_test_suite();
  std::string whose = suite == nullptr ? "" : suite->name();
  if (test != nullptr) whose += std::string(".") + test->name();
  std::replace(whose.begin(), whose.end(), '/', '_');
  return ::testing::TempDir() + "/stillwave_" + whose + "_" + name;
}

}  // namespace stillwave::test_support
