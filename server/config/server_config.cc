#include "server/config/server_config.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "server/base/host_port.h"
#include "server/base/status_macros.h"

namespace stillwave::config {

absl::Span<const IntegerOption> IntegerOptions() {
  static constexpr std::array<IntegerOption, 13> kOptions = {{
      {"--workers", &ServerConfig::workers, 1, kMaxWorkers, "Execution",
       "Threads that run models; each uses one core. By default as many as CPUs are granted (affinity, cpuset, quota)"},
      {"--max_queue_samples", &ServerConfig::max_queue_samples, 1, 1'000'000, "Execution",
       "Samples that may wait for a worker, for each model and priority level; more are refused with "
       "RESOURCE_EXHAUSTED"},
      {"--max_queue_milliseconds", &ServerConfig::max_queue_milliseconds, 0, 3'600'000, "Execution",
       "Work that may wait in a model's queue, by the time in which all workers would do it; more is refused with "
       "RESOURCE_EXHAUSTED once 64 requests wait. 0: bounded by --max_queue_samples alone"},
      {"--max_batch_size", &ServerConfig::max_batch_size, 1, 1024, "Execution",
       "Samples that one request may bring and that are computed at once"},
      {"--inline_compute_microseconds", &ServerConfig::inline_compute_microseconds, 0, 1'000'000, "Execution",
       "A request that finds a worker idle and is expected to compute no longer than this is computed by the thread "
       "that received it, which saves waking the worker; 0: never"},
      {"--max_request_megabytes", &ServerConfig::max_request_megabytes, 64, 1 << 20, "Execution",
       "Megabytes of requests that may wait or be computed at the same time; more are refused with "
       "RESOURCE_EXHAUSTED"},
      {"--window_length", &ServerConfig::window_length, 0, 1 << 24, "Execution",
       "Time steps to warm up for, and a stream's window when it names none, if the model leaves its length open; "
       "0: chosen by the model"},
      {"--max_streams", &ServerConfig::max_streams, 1, 100'000, "Streams",
       "StreamWindows calls at the same time, and as many of ModelStreamInfer; more are refused with "
       "RESOURCE_EXHAUSTED"},
      {"--max_series_per_stream", &ServerConfig::max_series_per_stream, 1, 10'000, "Streams",
       "Series that one StreamWindows call may have open"},
      {"--keepalive_seconds", &ServerConfig::keepalive_seconds, 1, 86'400, "Network",
       "Seconds of silence after which a gRPC connection is asked whether its client is still there; one that does not "
       "answer is closed. Less than what balancers on the way allow keeps idle connections open"},
      {"--drain_delay", &ServerConfig::drain_delay_seconds, 0, 3600, "Life",
       "Seconds to go on serving after SIGTERM with readiness off, so that balancers notice; then new work is refused "
       "and accepted work is finished"},
      {"--repository_poll_seconds", &ServerConfig::repository_poll_seconds, 1, 86'400, "Models",
       "With --model_control_mode=poll: seconds between two looks at the repository. A change is obeyed when two looks "
       "in a row have seen it"},
      {"--model_load_threads", &ServerConfig::model_load_threads, 1, 64, "Models",
       "Models that are loaded at the same time, on threads of low priority; each holds its file twice meanwhile"},
  }};
  return kOptions;
}

absl::Status Validate(const ServerConfig& config) {
  for (const IntegerOption& option : IntegerOptions()) {
    const int64_t value = config.*option.field;
    if (value < option.minimum || value > option.maximum) {
      return absl::InvalidArgumentError(
          absl::StrCat(option.flag, " must be between ", option.minimum, " and ", option.maximum, "; was ", value));
    }
  }
  if (!(config.drift_sample_rate >= 0 && config.drift_sample_rate <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--drift_sample_rate must be between 0 and 1; was ", config.drift_sample_rate));
  }
  if (!config.model.empty() && !config.model_repository.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--model and --model_repository must not be given together; were \"",
                                                   config.model, "\" and \"", config.model_repository, "\""));
  }
  using repository::ControlMode;
  if (config.model_control_mode != ControlMode::kNone && config.model_repository.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--model_control_mode must be none without --model_repository; was \"",
                     repository::Name(config.model_control_mode), "\""));
  }
  if (config.model_control_mode != ControlMode::kExplicit && !config.load_models.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--load_model must go with --model_control_mode=explicit; was \"",
                                                   config.load_models.front(), "\", and the mode ",
                                                   repository::Name(config.model_control_mode)));
  }
  RETURN_IF_ERROR(base::ParseHostPort("--grpc_address", config.grpc_address).status());
  return base::ParseHostPort("--http_address", config.http_address).status();
}

}  // namespace stillwave::config
