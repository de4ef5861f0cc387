#include "server/service/statistics_response.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/base/quoted.h"
#include "server/base/status_macros.h"
#include "server/metrics/model_statistics.h"

namespace stillwave::service {
namespace {

using base::Quoted;

void Fill(const metrics::StatisticDuration& duration, inference::StatisticDuration* message) {
  message->set_count(duration.count);
  message->set_ns(duration.nanoseconds);
}

// Into a message that has the three stages.
template <typename Message>
void FillCompute(const metrics::ComputeStatistics& compute, Message* message) {
  Fill(compute.input, message->mutable_compute_input());
  Fill(compute.infer, message->mutable_compute_infer());
  Fill(compute.output, message->mutable_compute_output());
}

void Fill(const repository::ServedModel& model, inference::ModelStatistics* message) {
  const metrics::StatisticsSnapshot snapshot = model.metrics().statistics->Read();
  message->set_name(model.name());
  message->set_version(model.version());
  message->set_last_inference(static_cast<uint64_t>(absl::ToUnixMillis(snapshot.last_inference)));
  message->set_inference_count(snapshot.inferences);
  message->set_execution_count(snapshot.executions);
  inference::InferStatistics* const requests = message->mutable_inference_stats();
  Fill(snapshot.success, requests->mutable_success());
  Fill(snapshot.fail, requests->mutable_fail());
  Fill(snapshot.queue, requests->mutable_queue());
  FillCompute(snapshot.compute, requests);
  // There is no response cache: neither hits nor misses.
  requests->mutable_cache_hit();
  requests->mutable_cache_miss();
  for (const metrics::BatchStatistics& batch : snapshot.batches) {
    inference::InferBatchStatistics* const size = message->add_batch_stats();
    size->set_batch_size(batch.samples);
    FillCompute(batch.compute, size);
  }
}

// Its ready versions; one that is unloaded meanwhile is left out.
void FillVersions(const repository::ModelRepository& repository, const std::string& name,
                  inference::ModelStatisticsResponse* response) {
  for (const std::string& version : repository.ReadyVersions(name)) {
    const auto model = repository.Find(name, version);
    if (model.ok()) Fill(**model, response->add_model_stats());
  }
}

}  // namespace

absl::Status FillStatistics(const repository::ModelRepository& repository,
                            const inference::ModelStatisticsRequest& request,
                            inference::ModelStatisticsResponse* response) {
  if (request.name().empty()) {
    if (!request.version().empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("version must be empty when name is, as both then mean all; was ", Quoted(request.version())));
    }
    std::string last;
    for (const repository::IndexEntry& entry : repository.Index()) {  // by name
      if (entry.name == last) continue;
      last = entry.name;
      FillVersions(repository, entry.name, response);
    }
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const auto model, repository.Find(request.name(), request.version()));
  if (request.version().empty()) {
    FillVersions(repository, request.name(), response);
  } else {
    Fill(*model, response->add_model_stats());
  }
  return absl::OkStatus();
}

}  // namespace stillwave::service
