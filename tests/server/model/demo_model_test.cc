// The embedded model: the file of tests/data/ecg, right on the recording that it was trained for.
#include "server/model/demo_model.h"

#include <fstream>
#include <iterator>

#include "gtest/gtest.h"
#include "tests/server/model/run_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::model {
namespace {

using test_support::Difference;
using test_support::IsOk;
using test_support::ModelCase;

TEST(DemoModelTest, HoldsTheBytesOfTheFileInTheSourceTree) {
  std::ifstream file(test_support::DataDir() + "/ecg/ecg_beats.onnx", std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  ASSERT_FALSE(bytes.empty());
  EXPECT_TRUE(DemoModelBytes() == absl::string_view(bytes.data(), bytes.size()));
}

TEST(DemoModelTest, KeepsItsNormalizationAndAnswersAsPyTorchDoes) {
  const auto model = LoadedModel::LoadFromBytes(DemoModelBytes(), {});
  ASSERT_THAT(model, IsOk());
  EXPECT_EQ((*model)->batch_norm_layers(), 3);
  const std::string folder = test_support::DataDir() + "/ecg";
  const auto cases = test_support::LoadCases({"ecg_beats", folder, folder + "/ecg_beats.onnx"});
  ASSERT_THAT(cases, IsOk());
  ASSERT_GE(cases->size(), 3U);
  for (const ModelCase& one : *cases) {
    const auto outputs = RunCase(**model, one);
    ASSERT_THAT(outputs, IsOk()) << one.name;
    EXPECT_EQ(Difference((*outputs)[0], test_support::ToRefTensor(one.outputs[0].tensor.view()), one.atol[0], 0), "")
        << one.name;
  }
}

}  // namespace
}  // namespace stillwave::model
