// Models that multiply by a factor: an answer tells which version gave it.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/integration/rpc.h"
#include "tests/support/onnx_file.h"

namespace stillwave::integration {

// y = factor * x, exactly; x is {N, 1, T}.
inline std::string ScaleModel(float factor) {
  return test_support::OnnxFile()
      .Input("x", {-1, 1, -1})
      .Weight("w", {1, 1, 1}, {factor})
      .Node("Conv", {"x", "w"}, "y")
      .Output("y")
      .Bytes();
}

// <folder>/<name>, whole in one step.
inline void PutFile(const TemporaryFolder& folder, const std::string& name, const std::string& bytes) {
  std::filesystem::create_directories((folder.path() / name).parent_path());
  const std::filesystem::path fresh = folder.path() / ".being_written";
  std::ofstream(fresh, std::ios::binary) << bytes;
  std::filesystem::rename(fresh, folder.path() / name);
}

inline void PutScale(const TemporaryFolder& folder, const std::string& name, const std::string& version, float factor) {
  PutFile(folder, absl::StrCat(name, "/", version, "/model.onnx"), ScaleModel(factor));
}

inline inference::ModelInferRequest ScaleRequest(const std::string& model, int64_t samples = 1, int64_t length = 24) {
  inference::ModelInferRequest request;
  request.set_model_name(model);
  AddRawInput(request, "x", "FP32", {samples, 1, length}, BytesOf(Signal(samples, 1, length)));
  return request;
}

// The factor that explains every bit of the answer; 0 when none does.
inline float FactorIn(const inference::ModelInferRequest& request, const inference::ModelInferResponse& response) {
  if (response.raw_output_contents_size() != 1) return 0;
  const std::vector<float> x = FloatsOf(request.raw_input_contents(0));
  const std::vector<float> y = FloatsOf(response.raw_output_contents(0));
  if (x.size() != y.size() || x.empty()) return 0;
  // Factors are small whole numbers, with which a product is exact or rounded in one way only.
  for (float factor = 1; factor < 100; ++factor) {
    bool explains = true;
    for (size_t i = 0; explains && i < x.size(); ++i) explains = y[i] == factor * x[i];
    if (explains) return factor;
  }
  return 0;
}

// Until the condition holds; false when it does not within two minutes.
inline bool Until(const std::function<bool()>& condition) {
  for (int i = 0; i < 12'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

// "m/1 READY: reason" of the whole index.
inline std::vector<std::string> IndexOf(Client& client, bool ready = false) {
  inference::RepositoryIndexRequest request;
  request.set_ready(ready);
  inference::RepositoryIndexResponse response;
  const grpc::Status status = Call(*client.inference, &Inference::Stub::RepositoryIndex, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  std::vector<std::string> lines;
  for (const auto& model : response.models()) {
    lines.push_back(absl::StrCat(model.name(), "/", model.version(), " ", model.state(),
                                 model.reason().empty() ? "" : ": ", model.reason()));
  }
  return lines;
}

// The factor that the model answers with now; 0 when it does not.
inline float FactorNow(Client& client, const std::string& model) {
  const inference::ModelInferRequest request = ScaleRequest(model);
  inference::ModelInferResponse response;
  if (!Call(*client.inference, &Inference::Stub::ModelInfer, request, &response).ok()) return 0;
  return FactorIn(request, response);
}

}  // namespace stillwave::integration
