#include "client/bench/bench_session.h"

#include <utility>

#include "client/bench/connections.h"
#include "client/bench/request_encoding.h"
#include "client/bench/stream_load.h"
#include "client/bench/unary_load.h"
#include "server/base/status_macros.h"

namespace stillwave::client::bench {

struct BenchSession::Impl {
  Target target;
  Channels channels;
  EncodedRequests requests;  // empty: streams
  SeriesSamples samples;
  int64_t series_per_call = 1;

  std::unique_ptr<LoadWorker> MakeWorker(const LoadOptions& options, int64_t series, int index) const {
    if (!requests.empty()) return std::make_unique<UnaryWorker>(options, index, channels, &requests);
    const StreamLoad load{.model = target.model,
                          .version = target.version,
                          .series = series,
                          .series_per_call = series_per_call,
                          .samples = &samples};
    return std::make_unique<StreamWorker>(options, load, index, channels);
  }
};

absl::StatusOr<std::unique_ptr<BenchSession>> BenchSession::ForRequests(const Target& target,
                                                                        const std::vector<InferInputs>& inputs) {
  auto impl = std::make_unique<Impl>();
  impl->target = target;
  ASSIGN_OR_RETURN(impl->requests, EncodeRequests(target.model, target.version, inputs));
  ASSIGN_OR_RETURN(impl->channels, OpenConnections(target.address, target.connections, target.timeout));
  return std::unique_ptr<BenchSession>(new BenchSession(std::move(impl)));
}

absl::StatusOr<std::unique_ptr<BenchSession>> BenchSession::ForStreams(const Target& target, SeriesSamples samples,
                                                                       int64_t series_per_call) {
  auto impl = std::make_unique<Impl>();
  impl->target = target;
  impl->samples = std::move(samples);
  impl->series_per_call = series_per_call;
  ASSIGN_OR_RETURN(impl->channels, OpenConnections(target.address, target.connections, target.timeout));
  return std::unique_ptr<BenchSession>(new BenchSession(std::move(impl)));
}

BenchSession::BenchSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BenchSession::~BenchSession() = default;

absl::StatusOr<LoadResult> BenchSession::Run(const LoadOptions& options, int64_t series, Interrupt* interrupt,
                                             const std::function<void(const StepProgress&)>& show) {
  std::vector<std::unique_ptr<LoadWorker>> workers;
  for (int i = 0; i < options.threads; ++i) workers.push_back(impl_->MakeWorker(options, series, i));
  return RunLoad(options, workers, interrupt, show);
}

}  // namespace stillwave::client::bench
