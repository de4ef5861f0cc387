#include "tests/benchmark/zoo.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "server/base/status_macros.h"
#include "tests/benchmark/engine_measurement.h"
#include "tests/benchmark/engine_report.h"

namespace stillwave::benchmark {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::vector<fs::path> ModelFolders(const std::string& root) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(root, error)) {
    if (fs::exists(entry.path() / "model.onnx", error)) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

// The first case's value for the first axis after the batch that the graph's input names instead of giving a number;
// 0 when there is none, or no such file.
int64_t CaseLength(const fs::path& folder) {
  std::ifstream file(folder / "cases.json");
  const ordered_json cases = ordered_json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (cases.is_discarded()) return 0;
  try {
    const ordered_json& declared = cases.at("graph_inputs").at(0).at("shape");
    const ordered_json& given = cases.at("cases").at(0).at("inputs").at(0);
    for (size_t axis = 1; axis < declared.size(); ++axis) {
      if (declared.at(axis).is_string()) return given.at(axis).get<int64_t>();
    }
  } catch (const ordered_json::exception&) {
    return 0;  // another kind of file
  }
  return 0;
}

absl::Status MeasureModel(const fs::path& folder, const CommandLine& line,
                          absl::FunctionRef<void(absl::string_view)> answer) {
  const std::string path = folder / "model.onnx";
  const int64_t largest = *std::max_element(line.batches.begin(), line.batches.end());
  ASSIGN_OR_RETURN(const Subject subject,
                   LoadSubject(path, {line.batch_norm, line.precision, CaseLength(folder), largest}));
  for (const int64_t batch : line.batches) {
    const MeasureOptions options = {line.seconds, line.layers, static_cast<uint64_t>(line.seed)};
    ASSIGN_OR_RETURN(EngineMeasurement measurement, MeasureEngine(subject, path, batch, options));
    measurement.model = folder.filename();
    answer(OneLine(ToJson(measurement)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunZoo(const CommandLine& line, absl::FunctionRef<void(absl::string_view)> answer,
                    absl::FunctionRef<void(absl::string_view)> progress) {
  const std::vector<fs::path> folders = ModelFolders(line.models);
  if (folders.empty()) {
    return absl::NotFoundError(
        absl::StrCat("--models must be a folder of folders with a model.onnx; '", line.models, "' has none"));
  }
  for (size_t i = 0; i < folders.size(); ++i) {
    const std::string name = folders[i].filename();
    progress(absl::StrCat(i + 1, " of ", folders.size(), "  ", name));
    if (const absl::Status status = MeasureModel(folders[i], line, answer); !status.ok()) {
      answer(OneLine({{"model", name}, {"refused", std::string(status.message())}}));
    }
  }
  return absl::OkStatus();
}

}  // namespace stillwave::benchmark
