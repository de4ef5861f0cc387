// Writes .npy files of FP32 for tests.
#pragma once

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/npy/npy_array.h"

namespace stillwave::recalibration {

// Into the tests' temporary folder; returns the path. REQUIRES: as many values as the shape says.
std::string WriteNpy(const std::string& name, const std::vector<int64_t>& shape, const std::vector<float>& values);

// first, first + 1, …
std::vector<float> CountUp(size_t count, float first = 0);

}  // namespace stillwave::recalibration
