// A model, its input and the connections to its server: what all steps of a benchmark share. No grpc headers here.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/bench/bench_run.h"
#include "client/bench/load_input.h"

namespace stillwave::client::bench {

// Not thread-safe.
class BenchSession {
 public:
  struct Target {
    std::string address;
    std::string model;
    std::string version;  // empty: the server chooses
    int connections = 1;
    absl::Duration timeout;  // to connect
  };

  // Errors of EncodeRequests and OpenConnections.
  static absl::StatusOr<std::unique_ptr<BenchSession>> ForRequests(const Target& target,
                                                                   const std::vector<InferInputs>& inputs);
  static absl::StatusOr<std::unique_ptr<BenchSession>> ForStreams(const Target& target, SeriesSamples samples,
                                                                  int64_t series_per_call);
  ~BenchSession();

  // Of messages, without what HTTP/2 adds, that are sent for one answer.
  double sent_bytes_per_answer(const LoadOptions& options) const;

  // `series`: of a stream. Errors as RunLoad.
  absl::StatusOr<LoadResult> Run(const LoadOptions& options, int64_t series, Interrupt* interrupt,
                                 const std::function<void(const StepProgress&)>& show);

 private:
  struct Impl;
  explicit BenchSession(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace stillwave::client::bench
