// Weights are held once, whatever is compiled from them, and loading a file takes no more than it and its packed form.
#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/execution/onednn/weight_forms.h"
#include "tests/server/model/load_process.h"
#include "tests/server/model/run_model.h"
#include "tests/support/network_builder.h"
#include "tests/support/onnx_file.h"
#include "tests/support/sanitizers.h"
#include "tests/support/status_matchers.h"

namespace stillwave::model {
namespace {

using tensor::Tensor;
using test_support::IsOk;
using test_support::OnnxFile;

std::vector<float> Values(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i * 2654435761U % 1024) / 65536;
  return values;
}

// Convolutions of `channels` channels over any length, and a linear layer of as many weights: {N,8,T} -> {N,8}.
OnnxFile Network(int64_t channels) {
  const int64_t c = channels;
  OnnxFile file;
  file.Input("x", {-1, 8, -1}).Output("y");
  file.Weight("w1", {c, 8, 3}, Values(static_cast<size_t>(c * 24)));
  file.Weight("w2", {c, c, 3}, Values(static_cast<size_t>(c * c * 3)));
  file.Weight("w3", {c, c}, Values(static_cast<size_t>(c * c)));
  file.Weight("w4", {c, 8}, Values(static_cast<size_t>(c * 8)));
  file.Node("Conv", {"x", "w1"}, "h1", {{"pads", {1, 1}}}).Node("Relu", {"h1"}, "r1");
  file.Node("Conv", {"r1", "w2"}, "h2", {{"pads", {1, 1}}}).Node("GlobalAveragePool", {"h2"}, "p");
  file.Node("Flatten", {"p"}, "f").Node("Gemm", {"f", "w3"}, "g").Node("Gemm", {"g", "w4"}, "y");
  return file;
}

size_t WeightBytes(int64_t c) { return static_cast<size_t>(c * 24 + c * c * 3 + c * c + c * 8) * sizeof(float); }

TEST(WeightMemoryTest, EachWeightIsHeldOnceForAllBatchesAndLengths) {
  // Smaller layers are also held as Winograd's form wants them (docs/decisions/0008).
  constexpr int64_t kChannels = 320;
  const auto model = LoadedModel::LoadFromBytes(Network(kChannels).Bytes(), LoadOptions());
  ASSERT_THAT(model, IsOk());
  const size_t loaded = (*model)->weight_bytes();
  // Small layers are padded to blocks, and a matrix may have one form for one row and one for several.
  const size_t most = WeightBytes(kChannels) * 7 / 5 * execution::onednn::kFormsOfConvolutionWeights;
  EXPECT_LE(loaded, most);
  execution::ExecutionContext context;
  for (const int64_t samples : {1, 2, 7, 32}) {
    for (const int64_t length : {16, 45, 300}) {
      const Tensor input = test_support::ToTensor(test_support::RandomTensor({samples, 8, length}, 1));
      ASSERT_THAT(RunModel(**model, context, {input.view()}), IsOk());
    }
  }
  EXPECT_LE((*model)->weight_bytes(), most);
}

TEST(WeightMemoryTest, LoadingTakesTheFileOnceAndItsPackedFormOnce) {
  if (test_support::kSanitized) GTEST_SKIP() << "sanitizers add to every allocation";
  const std::string path = Network(/*channels=*/2048).Write("weight_memory_test.onnx");  // 64 MiB
  const auto file_kib = static_cast<double>(std::filesystem::file_size(path)) / 1024;
  const nlohmann::json report = LoadAndRun(path, /*samples=*/1, /*time_steps=*/16, Limits::kOff);
  std::filesystem::remove(path);
  ASSERT_TRUE(report.is_object());
  ASSERT_EQ(report["load"]["code"], "OK") << report;
  ASSERT_EQ(report["run"]["code"], "OK") << report;
  const double start = report["start_kib"];
  EXPECT_LT(report["peak_kib"].get<double>() - start, 2.4 * file_kib) << report;
  EXPECT_LT(report["loaded_kib"].get<double>() - start, 1.4 * file_kib) << report;
}

}  // namespace
}  // namespace stillwave::model
