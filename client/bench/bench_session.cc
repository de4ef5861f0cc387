#include "client/bench/bench_session.h"

#include <numeric>
#include <optional>
#include <utility>

#include "client/bench/connections.h"
#include "client/bench/paced_load.h"
#include "client/bench/request_encoding.h"
#include "client/bench/sample_ring.h"
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

  // `ring` is there for paced loads.
  std::unique_ptr<LoadWorker> MakeWorker(const LoadOptions& options, int64_t series, const SampleRing* ring,
                                         int index) const {
    if (!requests.empty()) return std::make_unique<UnaryWorker>(options, index, channels, &requests);
    const StreamLoad load{.model = target.model,
                          .version = target.version,
                          .series = series,
                          .series_per_call = series_per_call,
                          .samples = &samples};
    if (ring != nullptr) return std::make_unique<PacedWorker>(options, load, ring, index, channels);
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

double BenchSession::sent_bytes_per_answer(const LoadOptions& options) const {
  if (!impl_->requests.empty()) {
    const double sum = std::accumulate(
        impl_->requests.begin(), impl_->requests.end(), 0.0,
        [](double bytes, const grpc::ByteBuffer& request) { return bytes + static_cast<double>(request.Length()); });
    return sum / static_cast<double>(impl_->requests.size());
  }
  const int64_t samples = options.paced() ? options.chunk_samples : impl_->samples.hop * impl_->samples.message_windows;
  v1::StreamWindowsRequest message;
  message.mutable_chunk()->set_series_id("0");
  message.mutable_chunk()->mutable_fp32_samples()->resize(static_cast<size_t>(samples * impl_->samples.channels) *
                                                          sizeof(float));
  return static_cast<double>(message.ByteSizeLong()) * static_cast<double>(impl_->samples.hop) /
         static_cast<double>(samples);
}

absl::StatusOr<LoadResult> BenchSession::Run(const LoadOptions& options, int64_t series, Interrupt* interrupt,
                                             const std::function<void(const StepProgress&)>& show) {
  std::optional<SampleRing> ring;
  if (options.paced()) ring.emplace(impl_->samples, options.chunk_samples);
  std::vector<std::unique_ptr<LoadWorker>> workers;
  for (int i = 0; i < options.threads; ++i) {
    workers.push_back(impl_->MakeWorker(options, series, ring.has_value() ? &*ring : nullptr, i));
  }
  return RunLoad(options, workers, interrupt, show);
}

}  // namespace stillwave::client::bench
