// Loads one model file as the server does and runs one sample, under limits, so that a test sees what a hostile file
// does to a process. Prints one JSON object:
//   {"load": {"code": "OK", "message": ""}, "run": {…}, "outputs": [{"name", "shape", "values": [at most 64]}],
//    "row_by_row": false, "start_kib": N, "loaded_kib": N, "peak_kib": N, "cpu_seconds": S}
// Memory is resident memory: before loading, after it, and at most.
//
//   load_one_model MEMORY_MIB CPU_SECONDS MODEL_FILE [SAMPLES [TIME_STEPS]]
//
// MEMORY_MIB bounds the address space, CPU_SECONDS what may be computed; 0 is no limit.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "server/base/status_macros.h"
#include "server/model/loaded_model.h"
#include "tests/server/model/run_model.h"

namespace stillwave::model {
namespace {

using nlohmann::json;
using tensor::Shape;
using tensor::Tensor;

constexpr size_t kMaxValuesShown = 64;

void Limit(__rlimit_resource resource, const char* amount, rlim_t unit) {
  const auto value = static_cast<rlim_t>(std::strtoull(amount, nullptr, 10));
  if (value == 0) return;
  const rlimit limit{value * unit, value * unit};
  if (setrlimit(resource, &limit) != 0) std::abort();
}

// Of this program: getrusage's includes what its parent had before it became this one.
int64_t PeakKib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib;
  }
  return 0;
}

int64_t ResidentKib() {
  int64_t pages = 0;
  std::ifstream("/proc/self/statm").ignore(64, ' ') >> pages;
  return pages * sysconf(_SC_PAGESIZE) / 1024;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

json ToJson(const absl::Status& status) {
  return {{"code", absl::StatusCodeToString(status.code())}, {"message", std::string(status.message())}};
}

// Quarters between -2 and 2: exact in every sum that a small network makes of them.
absl::StatusOr<Tensor> MakeInput(const TensorSpec& spec, int64_t samples, int64_t time_steps) {
  Shape shape = spec.shape;
  shape[0] = samples;
  for (int axis = 1; axis < shape.rank(); ++axis) {
    if (shape[axis] == tensor::kDynamicDim) shape[axis] = time_steps;
  }
  ASSIGN_OR_RETURN(Tensor input, Tensor::Create(spec.data_type, shape));
  const auto values = input.mutable_values<float>();
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 37 % 17) / 4 - 2;
  return input;
}

absl::StatusOr<std::vector<Tensor>> RunOnce(const LoadedModel& model, int64_t samples, int64_t time_steps) {
  std::vector<Tensor> inputs;
  std::vector<tensor::TensorView> views;
  for (const TensorSpec& spec : model.signature().inputs) {
    ASSIGN_OR_RETURN(Tensor input, MakeInput(spec, samples, time_steps));
    inputs.push_back(std::move(input));
    views.push_back(inputs.back().view());
  }
  execution::ExecutionContext context;
  return RunModel(model, context, views);
}

json OutputsToJson(const LoadedModel& model, const std::vector<Tensor>& outputs) {
  json list = json::array();
  for (size_t j = 0; j < outputs.size(); ++j) {
    const auto values =
        outputs[j].values<float>().first(std::min(kMaxValuesShown, static_cast<size_t>(outputs[j].num_elements())));
    const auto dims = outputs[j].shape().dims();
    list.push_back({{"name", model.signature().outputs[j].name},
                    {"shape", std::vector<int64_t>(dims.begin(), dims.end())},
                    {"values", std::vector<float>(values.begin(), values.end())}});
  }
  return list;
}

int Main(int argc, char** argv) {
  if (argc < 4) return 2;
  constexpr unsigned kWallSeconds = 120;  // for a process that waits instead of computing
  alarm(kWallSeconds);
  Limit(RLIMIT_AS, argv[1], rlim_t{1} << 20);
  Limit(RLIMIT_CPU, argv[2], 1);
  const int64_t samples = argc > 4 ? std::atoll(argv[4]) : 1;
  const int64_t time_steps = argc > 5 ? std::atoll(argv[5]) : 16;

  json report = {{"start_kib", ResidentKib()}};
  const auto model = LoadedModel::Load(argv[3], LoadOptions());
  report["load"] = ToJson(model.status());
  report["loaded_kib"] = ResidentKib();
  if (model.ok()) {
    report["row_by_row"] = (*model)->row_by_row();
    const absl::StatusOr<std::vector<Tensor>> outputs = RunOnce(**model, samples, time_steps);
    report["run"] = ToJson(outputs.status());
    if (outputs.ok()) report["outputs"] = OutputsToJson(**model, *outputs);
  }
  report["peak_kib"] = PeakKib();
  report["cpu_seconds"] = CpuSeconds();
  // Throws, and so ends the process badly, where a message is not UTF-8: a log or a gRPC status could not carry it.
  std::puts(report.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace stillwave::model

int main(int argc, char** argv) { return stillwave::model::Main(argc, argv); }
