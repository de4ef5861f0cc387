// libFuzzer: whatever messages a client sends (each behind its length, as a varint), every series is told its windows
// in order, and the stream ends with OK and leaves nothing behind.
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/delimited_message_util.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "server/base/check.h"
#include "tests/server/streaming/test_streams.h"

namespace stillwave::streaming {
namespace {

StreamSession::Options TightOptions() {
  StreamSession::Options options;
  options.limits.max_window_bytes = 1 << 16;
  options.max_series = 4;
  options.max_windows_in_flight = 2;
  options.max_unsent_responses = 3;
  options.max_pending_requests = 3;
  return options;
}

// What was told of the series that are open.
class Listener {
 public:
  void Hear(const v1::StreamWindowsResponse& response) {
    switch (response.response_case()) {
      case v1::StreamWindowsResponse::kOpened:
        SW_CHECK(open_.emplace(response.opened().series_id(), Told{response.opened()}).second);
        return;
      case v1::StreamWindowsResponse::kWindow:
        HearWindow(response.window());
        return;
      case v1::StreamWindowsResponse::kGap:
        SW_CHECK(open_.count(response.gap().series_id()) == 1);
        SW_CHECK(response.gap().received_sample_index() > response.gap().expected_sample_index());
        return;
      case v1::StreamWindowsResponse::kClosed: {
        const v1::SeriesClosed& closed = response.closed();
        SW_CHECK(open_.at(closed.series_id()).windows == closed.windows());
        SW_CHECK(closed.samples() >= closed.partial_samples() && closed.repeated_samples() >= 0);
        open_.erase(closed.series_id());
        return;
      }
      case v1::StreamWindowsResponse::kError:
        SW_CHECK(response.error().code() != 0 && !response.error().message().empty());
        // Of a request that names no series.
        if (response.error().message().rfind("request must hold", 0) == 0) return;
        open_.erase(response.error().series_id());
        return;
      case v1::StreamWindowsResponse::kDraining:
      case v1::StreamWindowsResponse::RESPONSE_NOT_SET:
        break;
    }
    SW_CHECK(false);
  }
  bool HeardAllOut() const { return open_.empty(); }

 private:
  struct Told {
    v1::SeriesOpened opened;
    int64_t windows = 0;
    int64_t last_window = -1;
    int64_t last_sample = 0;
  };

  void HearWindow(const v1::WindowResult& window) {
    Told& told = open_.at(window.series_id());
    SW_CHECK(told.windows == 0 || window.window_index() == told.last_window + 1);
    SW_CHECK(told.windows == 0 || window.last_sample_index() > told.last_sample);
    SW_CHECK(window.last_sample_index() - window.first_sample_index() + 1 + window.padded_samples() ==
             told.opened.window_length());
    for (const v1::OutputTensor& output : window.outputs()) {
      int64_t elements = 1;
      for (const int64_t dim : output.shape()) elements *= dim;
      SW_CHECK(elements > 0 && output.fp32_values().size() == static_cast<size_t>(elements) * sizeof(float));
    }
    ++told.windows;
    told.last_window = window.window_index();
    told.last_sample = window.last_sample_index();
  }

  std::map<std::string, Told> open_;
};

void Play(PuppetServer& server, const uint8_t* data, size_t size) {
  Client client(server, TightOptions());
  StreamSession& session = client.session();
  Listener listener;
  google::protobuf::io::ArrayInputStream bytes(data, static_cast<int>(size));
  v1::StreamWindowsRequest request;
  bool sending = true;
  while (!session.FinalStatus()) {
    v1::StreamWindowsResponse response;
    if (sending && session.WantsRead()) {
      sending = google::protobuf::util::ParseDelimitedFromZeroCopyStream(&request, &bytes, /*clean_eof=*/nullptr);
      sending ? session.OnRequest(std::move(request)) : session.OnHalfClose();
      request.Clear();
    } else if (session.NextResponse(&response)) {
      listener.Hear(response);
    } else {
      client.AwaitChange();
    }
  }
  SW_CHECK(session.FinalStatus()->ok());
  SW_CHECK(listener.HeardAllOut());
  SW_CHECK(server.model().metrics->stream_series->Value() == 0);
  SW_CHECK(server.model().metrics->stream_series_bytes->Value() == 0);
}

}  // namespace
}  // namespace stillwave::streaming

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto* const server = new stillwave::streaming::PuppetServer(/*channels=*/2, /*max_queue_samples=*/2);
  stillwave::streaming::Play(*server, data, size);
  return 0;
}
