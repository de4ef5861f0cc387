// A model repository folder that a test builds.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/onnx_file.h"

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
  // Into place by renaming, as it should be done: a file of that name has another inode afterwards.
  void Write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root_ / name).parent_path());
    const std::filesystem::path fresh = root_ / ".being_written";
    std::ofstream(fresh, std::ios::binary) << text;
    std::filesystem::rename(fresh, root_ / name);
  }
  // At the end of a file, as a copy in progress does.
  void Append(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary | std::ios::app) << text;
  }
  void Remove(const std::string& name) { std::filesystem::remove_all(root_ / name); }
  // y = factor * x, exactly; x is {N, 1, T}.
  void PutScale(const std::string& name, float factor) { Write(name, ScaleModel(factor)); }
  static std::string ScaleModel(float factor) {
    return test_support::OnnxFile()
        .Input("x", {-1, 1, -1})
        .Weight("w", {1, 1, 1}, {factor})
        .Node("Conv", {"x", "w"}, "y")
        .Output("y")
        .Bytes();
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
