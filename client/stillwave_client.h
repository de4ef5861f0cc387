// The server's RPCs as typed calls. No grpc or protobuf headers here: they would cost every file seconds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/drift_info.h"
#include "client/model_info.h"
#include "client/result_row.h"
#include "client/window_stream.h"

namespace stillwave::client {

// A batch of N rows for one FP32 input.
struct InferCall {
  std::string model_name;
  std::string model_version;  // empty: the server chooses
  std::string input_name;
  std::vector<int64_t> shape;        // {N, …}
  std::vector<float> values;         // row-major
  std::vector<std::string> outputs;  // empty: all
};

struct InferAnswer {
  std::string model_name;
  std::string model_version;
  std::vector<std::vector<OutputValues>> rows;  // N entries, each with all outputs
};

// Errors are the server's own status (code and words); DEADLINE_EXCEEDED when `timeout` passes. Thread-safe.
class StillwaveClient {
 public:
  // Connects, so that an unreachable server is told apart from one that answers UNAVAILABLE: kUnreachable
  // (client/exit_code.h) when there is no connection within `timeout`, at once when it is refused. `timeout` is then
  // the limit of each call, except streams. `address`: HOST:PORT.
  static absl::StatusOr<std::unique_ptr<StillwaveClient>> Connect(const std::string& address, absl::Duration timeout);
  ~StillwaveClient();

  absl::StatusOr<bool> ServerLive();
  absl::StatusOr<bool> ServerReady();
  absl::StatusOr<ServerInfo> GetServerInfo();
  absl::StatusOr<bool> ModelReady(const std::string& name, const std::string& version);
  absl::StatusOr<ModelInfo> GetModelInfo(const std::string& name, const std::string& version);
  // UNIMPLEMENTED when the server cannot list its models.
  absl::StatusOr<std::vector<IndexEntry>> ListModels();
  // INTERNAL when the answer is not as the protocol wants it.
  absl::StatusOr<InferAnswer> Infer(const InferCall& call);
  absl::StatusOr<DriftInfo> GetDrift(const std::string& model, const std::string& version);
  absl::StatusOr<DriftReset> ResetDrift(const std::string& model, const std::string& version);
  // Shows a report now and one in each interval until `show` says false. Has no time limit.
  absl::Status WatchDrift(const std::string& model, const std::string& version, absl::Duration interval,
                          absl::FunctionRef<bool(const DriftInfo&)> show);
  // Has no time limit: a live series lasts as long as it lasts.
  std::unique_ptr<WindowStream> OpenStream(const SeriesOptions& options);

 private:
  struct Impl;
  explicit StillwaveClient(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace stillwave::client
