// What a server is asked to do, checked as a whole. Flags fill it; tests may fill it by hand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/base/log.h"
#include "server/model/load_options.h"
#include "server/repository/control_mode.h"

namespace stillwave::config {

inline constexpr int64_t kMaxWorkers = 1024;

struct ServerConfig {
  // A repository folder or one model file; at most one of them. Neither: the embedded demonstration model.
  std::string model_repository;
  std::string model;
  // What changes the set of models of the repository while the server runs.
  repository::ControlMode model_control_mode = repository::ControlMode::kNone;
  // kExplicit: what is loaded at the start; "*" for all.
  std::vector<std::string> load_models;

  // host:port, [IPv6]:port; port 0 lets the system choose.
  std::string grpc_address = "127.0.0.1:8001";
  std::string http_address = "127.0.0.1:8002";

  // The ranges of the whole numbers are those of IntegerOptions().
  int64_t workers = 1;
  int64_t max_queue_samples = 4096;
  int64_t max_queue_milliseconds = 500;
  int64_t max_batch_size = 32;
  int64_t inline_compute_microseconds = 500;
  int64_t max_request_megabytes = 512;
  int64_t window_length = 0;
  int64_t max_streams = 256;
  int64_t max_series_per_stream = 256;
  int64_t keepalive_seconds = 60;
  int64_t drain_delay_seconds = 0;
  int64_t repository_poll_seconds = 15;
  int64_t model_load_threads = 2;

  model::BatchNormMode batch_norm = model::BatchNormMode::kPrimitive;
  model::Precision precision = model::Precision::kFp32;
  // Of computed samples, the share that is observed for drift: 0 to 1.
  double drift_sample_rate = 0.01;
  bool strict_readiness = false;
  bool shared_memory = false;
  base::LogLevel log_level = base::LogLevel::kInfo;
  base::LogFormat log_format = base::LogFormat::kText;
};

// A whole number that a flag sets; minimum and maximum are allowed values.
struct IntegerOption {
  absl::string_view flag;  // "--workers"
  int64_t ServerConfig::*field;
  int64_t minimum;
  int64_t maximum;
  absl::string_view group;
  absl::string_view help;
};
absl::Span<const IntegerOption> IntegerOptions();

// INVALID_ARGUMENT with flag, rule and value for the first field that cannot be obeyed.
absl::Status Validate(const ServerConfig& config);

}  // namespace stillwave::config
