// What tests ask of a repository whose models multiply by a factor (TestFolder::PutScale).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/repository/model_repository.h"
#include "server/tensor/tensor.h"

namespace stillwave::repository {

// "ecg/1 READY", "bad/1 UNAVAILABLE: reason".
inline std::vector<std::string> IndexLines(const std::vector<IndexEntry>& index) {
  std::vector<std::string> lines;
  for (const IndexEntry& entry : index) {
    lines.push_back(absl::StrCat(entry.name, "/", entry.version, " ", Name(entry.state),
                                 entry.reason.empty() ? "" : ": ", entry.reason));
  }
  return lines;
}

// Until the condition holds: a worker lets go of a model a moment after its answer is there. False when it does not
// within a minute.
template <typename Condition>
bool Eventually(Condition condition) {
  for (int i = 0; i < 60'000; ++i) {
    if (condition()) return true;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return false;
}

// The factor by which the version multiplies.
inline absl::StatusOr<float> FactorOf(const ServedModel& served) {
  const tensor::Tensor input = tensor::Tensor::FromValues<float>({1, 1, 4}, {1, 1, 1, 1});
  batching::InferenceResult answer;
  absl::Notification done;
  batching::InferenceTask task;
  task.inputs = {input.view()};
  task.samples = 1;
  task.done = [&](batching::InferenceResult result) {
    answer = std::move(result);
    done.Notify();
  };
  if (absl::Status status = served.queue()->Submit(std::move(task)); !status.ok()) return status;
  done.WaitForNotification();
  if (!answer.status.ok()) return answer.status;
  return answer.outputs.at(0).values<float>()[0];
}

inline absl::StatusOr<float> FactorOf(const ModelRepository& repository, absl::string_view name,
                                      absl::string_view version = "") {
  const auto served = repository.Find(name, version);
  if (!served.ok()) return served.status();
  return FactorOf(**served);
}

}  // namespace stillwave::repository
