// Random streams of a real network, whose windows keep what they share: random hops, chunks and gaps of several
// series on one call, next to the model itself.
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/server/model/run_model.h"
#include "tests/server/streaming/seed_block_server.h"
#include "tests/server/streaming/test_streams.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"

namespace stillwave::streaming {
namespace {

class Dice {
 public:
  explicit Dice(int seed) : engine_(static_cast<unsigned>(seed)) {}
  int Roll(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }

 private:
  std::mt19937 engine_;
};

struct DueWindow {
  int64_t first_sample = 0;
  std::vector<float> samples;  // [C][L]
};

// What a client sends of one series, and the windows that are due.
struct RandomSent {
  std::vector<v1::StreamWindowsRequest> requests;
  std::vector<DueWindow> windows;
};

RandomSent MakeRandomSent(Dice& dice, const std::string& id, int64_t channels) {
  RandomSent sent;
  const int length = 16 * dice.Roll(8, 16);
  const int hop = dice.Roll(1, 40);
  v1::StreamWindowsRequest open = Open(id, length, hop);
  open.mutable_open()->set_model_name("seed");
  sent.requests.push_back(open);
  std::vector<float> run;  // [S][C] since the last gap
  int64_t run_start = 0;
  int64_t next_window = 0;
  for (int chunk = dice.Roll(6, 16); chunk > 0; --chunk) {
    int64_t end = run_start + static_cast<int64_t>(run.size()) / channels;
    std::optional<int64_t> index;
    if (dice.Roll(0, 9) == 0) {
      index = end = run_start = next_window = end + dice.Roll(1, 30);
      run.clear();
    }
    const int fresh = dice.Roll(0, 90);
    std::vector<float> values;
    for (int i = 0; i < fresh * channels; ++i) values.push_back(static_cast<float>(dice.Roll(-300, 300)) / 100);
    run.insert(run.end(), values.begin(), values.end());
    sent.requests.push_back(Chunk(id, values, index));
    end += fresh;
    for (; next_window + length <= end; next_window += hop) {
      DueWindow due{next_window, std::vector<float>(static_cast<size_t>(channels * length))};
      for (int64_t c = 0; c < channels; ++c) {
        for (int64_t t = 0; t < length; ++t) {
          due.samples[static_cast<size_t>(c * length + t)] =
              run[static_cast<size_t>((next_window - run_start + t) * channels + c)];
        }
      }
      sent.windows.push_back(std::move(due));
    }
  }
  sent.requests.push_back(Close(id));
  return sent;
}

class RandomOverlapStreams : public testing::TestWithParam<int> {
 protected:
  void ExpectTheModelsAnswer(const v1::WindowResult& window, const DueWindow& due) {
    EXPECT_EQ(window.first_sample_index(), due.first_sample);
    const int64_t channels = server_->channels();
    const tensor::Tensor samples = tensor::Tensor::FromValues<float>(
        {1, channels, static_cast<int64_t>(due.samples.size()) / channels}, due.samples);
    execution::ExecutionContext context;
    const auto outputs = model::RunModel(server_->model(), context, {samples.view()});
    ASSERT_THAT(outputs, test_support::IsOk());
    const auto want = (*outputs)[0].values<float>();
    const std::vector<float> got = Values(window.outputs(0));
    ASSERT_EQ(got.size(), want.size());
    float largest = 0;
    for (const float value : want) largest = std::max(largest, std::abs(value));
    for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 2e-5F * largest);
  }

  void Serve(const batching::ModelQueueOptions& options) {
    server_.emplace([](std::shared_ptr<const overlap::OverlapRunner> runner) { return runner; }, options);
  }

  std::optional<SeedBlockServer> server_;
};

TEST_P(RandomOverlapStreams, AreWhatTheModelMakesOfTheirWindows) {
  Dice dice(GetParam());
  batching::ModelQueueOptions queue;
  queue.max_queue_samples = dice.Roll(1, 40);
  queue.max_batch_size = dice.Roll(1, 10);
  Serve(queue);
  std::map<std::string, RandomSent> sent;
  std::vector<std::string> order;
  for (int i = dice.Roll(1, 8); i > 0; --i) {
    const std::string id = absl::StrCat("series ", i);
    sent[id] = MakeRandomSent(dice, id, server_->channels());
    order.insert(order.end(), sent[id].requests.size(), id);
  }
  for (size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<size_t>(dice.Roll(0, static_cast<int>(i) - 1))]);
  }
  StreamSession::Options limits;
  limits.max_windows_in_flight = dice.Roll(1, 12);
  limits.max_windows_of_series = dice.Roll(1, 10);
  limits.max_unsent_responses = dice.Roll(1, 20);
  limits.max_pending_requests = dice.Roll(1, 20);
  Client client(server_->Source(), server_->metrics(), limits);
  std::map<std::string, size_t> next_request;
  std::map<std::string, size_t> next_window;
  size_t next = 0;
  bool half_closed = false;
  while (!client.session().FinalStatus().has_value()) {
    v1::StreamWindowsResponse response;
    if (client.session().NextResponse(&response)) {
      ASSERT_FALSE(response.has_error()) << response.error().message();
      if (!response.has_window()) continue;
      const std::string& id = response.window().series_id();
      ASSERT_LT(next_window[id], sent[id].windows.size());
      ExpectTheModelsAnswer(response.window(), sent[id].windows[next_window[id]++]);
    } else if (next < order.size() && client.session().WantsRead()) {
      const std::string& id = order[next++];
      client.Send(sent[id].requests[next_request[id]++]);
    } else if (next == order.size() && !half_closed) {
      client.session().OnHalfClose();
      half_closed = true;
    } else {
      client.AwaitChange();
    }
  }
  for (const auto& [id, series] : sent) EXPECT_EQ(next_window[id], series.windows.size()) << id;
  EXPECT_EQ(server_->counts().stream_verify_mismatches->Value(), 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomOverlapStreams, testing::Range(0, 12));

}  // namespace
}  // namespace stillwave::streaming
