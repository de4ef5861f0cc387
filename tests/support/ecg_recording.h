// tests/data/ecg/ecg_360hz.npy: five minutes of an electrocardiogram in millivolt, 360 samples a second.
#pragma once

#include <cstddef>
#include <fstream>
#include <ios>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "tests/support/test_models.h"

namespace stillwave::test_support {

inline constexpr double kEcgRate = 360;
// Where the minute begins that the demonstration model was not trained on.
inline constexpr size_t kEcgHeldBack = 86'400;

// An .npy file of version 1: ten bytes, of which the last two are the header's length, the header, float32 values.
inline std::vector<float> ReadEcgRecording() {
  std::ifstream file(absl::StrCat(DataDir(), "/ecg/ecg_360hz.npy"), std::ios::binary);
  SW_CHECK(file.is_open());
  char start[10];
  file.read(start, sizeof(start));
  file.ignore(static_cast<unsigned char>(start[8]) + 256 * static_cast<unsigned char>(start[9]));
  std::vector<float> values(108'000);
  const auto bytes = static_cast<std::streamsize>(values.size() * sizeof(float));
  file.read(reinterpret_cast<char*>(values.data()), bytes);
  SW_CHECK(file.gcount() == bytes);
  return values;
}

}  // namespace stillwave::test_support
