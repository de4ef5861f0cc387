#include "server/config/model_name.h"

#include "gtest/gtest.h"

namespace stillwave::config {
namespace {

TEST(ModelName, IsTheFilesOwnUnlessItIsCalledModel) {
  EXPECT_EQ(ModelNameFor("/models/ecg_beats.onnx"), "ecg_beats");
  EXPECT_EQ(ModelNameFor("vibration.v2.onnx"), "vibration.v2");
}

TEST(ModelName, IsTheFoldersForAFileCalledModel) {
  EXPECT_EQ(ModelNameFor("/models/ecg/model.onnx"), "ecg");
  EXPECT_EQ(ModelNameFor("/models/ecg/../fcn/model.onnx"), "fcn");
}

TEST(ModelName, PassesOverVersionFolders) { EXPECT_EQ(ModelNameFor("/models/ecg/12/model.onnx"), "ecg"); }

TEST(ModelName, IsNeverEmpty) {
  EXPECT_EQ(ModelNameFor("/model.onnx"), "model");
  EXPECT_EQ(ModelNameFor("/3/model.onnx"), "model");
}

}  // namespace
}  // namespace stillwave::config
