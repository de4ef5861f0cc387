// Broken, hostile and foreign model files: the larger data beside the repository hold them (see SharedDir).
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace stillwave::test_support {

// What docs/models.md promises for a file.
enum class BadModelOutcome {
  kRefused,    // when it is loaded, with a message about the fault
  kNotServed,  // when it is loaded, or when it is run: both are clean
  kServed,     // odd, but right
};

struct BadModel {
  std::string file;  // "bn_nan_epsilon.onnx"
  std::string name;  // without the extension
  std::string path;
  std::string why;  // the fault, in words
  BadModelOutcome outcome;
  std::string words;  // regular expression that the refusal's message holds; empty where there is none
  int time_steps;     // of the sample to run it on
};

// The files of the manifest, in its order; none where the folder is not there.
std::vector<BadModel> BadModels();

std::string BadModelSuffix(const ::testing::TestParamInfo<BadModel>& info);
void PrintTo(const BadModel& model, std::ostream* out);

}  // namespace stillwave::test_support
