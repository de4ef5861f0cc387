#include "tests/benchmark/rounds.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/status_macros.h"
#include "tests/benchmark/engine_report.h"
#include "tests/benchmark/sampling.h"
#include "tests/benchmark/workload.h"

namespace stillwave::benchmark {
namespace {

// The engine's own largest chunk: any batch is made of such.
constexpr int64_t kLoadedBatch = 32;

struct Request {
  int64_t batch = 0;
  double seconds = 0;
};

absl::StatusOr<Request> ParseRequest(const std::string& text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipWhitespace());
  Request request;
  if (words.size() != 2 || !absl::SimpleAtoi(words[0], &request.batch) || request.batch < 1 ||
      !absl::SimpleAtod(words[1], &request.seconds) || !(request.seconds >= 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a request must be a positive batch and seconds, as \"8 0.5\"; was \"", text, "\""));
  }
  return request;
}

}  // namespace

absl::Status RunRounds(const CommandLine& line, std::istream& requests,
                       absl::FunctionRef<void(absl::string_view)> answer) {
  ASSIGN_OR_RETURN(const Subject subject,
                   LoadSubject(line.model, {line.batch_norm, line.precision, line.length, kLoadedBatch}));
  answer(OneLine({{"ready", true}, {"load_ms", subject.load_ms}}));
  std::map<int64_t, std::unique_ptr<Workload>> workloads;
  for (std::string text; std::getline(requests, text);) {
    ASSIGN_OR_RETURN(const Request request, ParseRequest(text));
    std::unique_ptr<Workload>& workload = workloads[request.batch];
    if (workload == nullptr) {
      ASSIGN_OR_RETURN(workload, Workload::Create(subject.model, request.batch, static_cast<uint64_t>(line.seed)));
    }
    ASSIGN_OR_RETURN(const Timing timing, SampleRuns(request.seconds, [&] { return workload->Run(); }));
    answer(OneLine({{"batch", request.batch},
                    {"runs", timing.runs},
                    {"cpu_us", ToJson(timing.cpu)},
                    {"wall_us", ToJson(timing.wall)}}));
  }
  return absl::OkStatus();
}

}  // namespace stillwave::benchmark
