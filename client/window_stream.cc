#include "client/window_stream.h"

#include <grpcpp/grpcpp.h>

#include <cstring>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/grpc_status.h"
#include "stillwave/v1/stream_inference.grpc.pb.h"

namespace stillwave::client {
namespace {

// A call carries one series here, so its name does not matter to anybody.
constexpr char kSeriesId[] = "0";

v1::StreamWindowsRequest OpenRequest(const SeriesOptions& options) {
  v1::StreamWindowsRequest request;
  v1::OpenSeries& open = *request.mutable_open();
  open.set_series_id(kSeriesId);
  open.set_model_name(options.model_name);
  open.set_model_version(options.model_version);
  open.set_window_length(options.window_length);
  open.set_hop(options.hop);
  open.set_layout(v1::SAMPLE_LAYOUT_SAMPLES_FIRST);
  open.set_partial_window(options.pad_partial_window ? v1::PARTIAL_WINDOW_ZERO_PAD : v1::PARTIAL_WINDOW_DROP);
  open.set_first_sample_index(options.first_sample_index);
  open.set_first_window_index(options.first_window_index);
  open.set_sample_rate_hz(options.sample_rate_hz);
  for (const std::string& output : options.outputs) open.add_outputs(output);
  return request;
}

absl::StatusOr<OutputValues> DecodeOutput(const v1::OutputTensor& tensor) {
  OutputValues output{.name = tensor.name(), .datatype = "FP32"};
  output.shape.assign(tensor.shape().begin(), tensor.shape().end());
  int64_t count = 1;
  for (const int64_t dim : output.shape) {
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count)) count = -1;
    if (count < 0) break;
  }
  const std::string& bytes = tensor.fp32_values();
  if (count < 0 || bytes.size() % sizeof(float) != 0 || static_cast<int64_t>(bytes.size() / sizeof(float)) != count) {
    return absl::InternalError(
        absl::StrCat("the server's output '", tensor.name(), "' has ", bytes.size(), " bytes, not those of its shape"));
  }
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  output.values.assign(values.begin(), values.end());
  return output;
}

absl::StatusOr<std::optional<StreamEvent>> DecodeWindow(const v1::WindowResult& window) {
  ResultRow row;
  row.index = window.window_index();
  row.samples = SampleRange{window.first_sample_index(), window.last_sample_index()};
  row.padded_samples = window.padded_samples();
  for (const v1::OutputTensor& tensor : window.outputs()) {
    absl::StatusOr<OutputValues> output = DecodeOutput(tensor);
    if (!output.ok()) return output.status();
    row.outputs.push_back(*std::move(output));
  }
  return StreamEvent(std::move(row));
}

}  // namespace

struct WindowStream::Impl {
  grpc::ClientContext context;
  std::unique_ptr<v1::TimeSeriesService::Stub> stub;
  std::unique_ptr<grpc::ClientReaderWriter<v1::StreamWindowsRequest, v1::StreamWindowsResponse>> call;
  bool ended = false;  // touched by the reading side only

  // gRPC allows one writer at a time, and Finish is not to overlap with it. A write that is under way when the call
  // ends fails at once, so nobody waits here for long.
  absl::Mutex writing;
  bool finished ABSL_GUARDED_BY(writing) = false;

  bool Write(const v1::StreamWindowsRequest& request, bool last) {
    absl::MutexLock lock(&writing);
    if (finished || !call->Write(request)) return false;
    return !last || call->WritesDone();
  }
  grpc::Status Finish() {
    absl::MutexLock lock(&writing);
    finished = true;
    return call->Finish();
  }
};

std::unique_ptr<WindowStream> WindowStream::Open(const std::shared_ptr<grpc::Channel>& channel,
                                                 const SeriesOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->stub = v1::TimeSeriesService::NewStub(channel);
  impl->call = impl->stub->StreamWindows(&impl->context);
  impl->Write(OpenRequest(options), /*last=*/false);  // when it fails, the first Read has the reason
  return std::unique_ptr<WindowStream>(new WindowStream(std::move(impl)));
}

WindowStream::WindowStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

WindowStream::~WindowStream() {
  if (impl_->ended) return;
  impl_->context.TryCancel();
  v1::StreamWindowsResponse ignored;
  while (impl_->call->Read(&ignored)) {
  }
  impl_->Finish();
}

bool WindowStream::Send(absl::Span<const float> samples) {
  v1::StreamWindowsRequest request;
  v1::SampleChunk& chunk = *request.mutable_chunk();
  chunk.set_series_id(kSeriesId);
  chunk.set_fp32_samples(samples.data(), samples.size() * sizeof(float));
  return impl_->Write(request, /*last=*/false);
}

void WindowStream::Finish() {
  v1::StreamWindowsRequest request;
  request.mutable_close()->set_series_id(kSeriesId);
  impl_->Write(request, /*last=*/true);  // when it fails, Read has the reason
}

void WindowStream::Cancel() { impl_->context.TryCancel(); }

absl::StatusOr<std::optional<StreamEvent>> WindowStream::Read() {
  v1::StreamWindowsResponse response;
  if (!impl_->call->Read(&response)) {
    impl_->ended = true;
    const absl::Status status = FromGrpcStatus(impl_->Finish());
    if (!status.ok()) return status;
    return std::optional<StreamEvent>();
  }
  switch (response.response_case()) {
    case v1::StreamWindowsResponse::kOpened: {
      const v1::SeriesOpened& opened = response.opened();
      return StreamEvent(SeriesOpened{opened.model_name(), opened.model_version(), opened.window_length(), opened.hop(),
                                      opened.channels(), opened.recomputed_share(), opened.overlap()});
    }
    case v1::StreamWindowsResponse::kWindow:
      return DecodeWindow(response.window());
    case v1::StreamWindowsResponse::kGap:
      return StreamEvent(SeriesGap{response.gap().expected_sample_index(), response.gap().received_sample_index(),
                                   response.gap().discarded_samples()});
    case v1::StreamWindowsResponse::kClosed:
      return StreamEvent(
          SeriesClosed{response.closed().windows(), response.closed().samples(), response.closed().partial_samples()});
    case v1::StreamWindowsResponse::kDraining:
      return StreamEvent(Draining{});
    case v1::StreamWindowsResponse::kError: {
      // 0 would be no error at all: a server that says so is broken.
      const auto code = response.error().code() == 0 ? absl::StatusCode::kInternal
                                                     : static_cast<absl::StatusCode>(response.error().code());
      return absl::Status(code, response.error().message());
    }
    case v1::StreamWindowsResponse::RESPONSE_NOT_SET:
      break;
  }
  return absl::InternalError("the server sent a message that this client does not know; is the server newer?");
}

}  // namespace stillwave::client
