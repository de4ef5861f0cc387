// A model repository folder that a test builds.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace stillwave::repository {

// Removed with everything in it at the end.
class TestFolder {
 public:
  TestFolder()
      : root_(std::filesystem::path(testing::TempDir()) /
              (std::string("repository_") + std::to_string(getpid()) + "_" +
               testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  ~TestFolder() { std::filesystem::remove_all(root_); }

  std::string path() const { return root_; }
  void Write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  // A network that loads, from tests/data/models.
  void PutModel(const std::string& name, const std::string& model = "seed_block") {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::filesystem::copy_file(ModelFile(model), root_ / name);
  }
  static std::string ModelFile(const std::string& model) {
    return std::string(STILLWAVE_SOURCE_DIR "/tests/data/models/") + model + "/model.onnx";
  }

 private:
  const std::filesystem::path root_;
};

}  // namespace stillwave::repository
