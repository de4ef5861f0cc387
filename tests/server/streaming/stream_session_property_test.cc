// Random streams against a naive computation, and random messages that make no sense.
#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/streaming/test_streams.h"

namespace stillwave::streaming {
namespace {

class Random {
 public:
  explicit Random(int seed) : engine_(static_cast<unsigned>(seed)) {}
  int Pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }

 private:
  std::mt19937 engine_;
};

struct ExpectedWindow {
  int64_t first_sample, padded;
  float sum;
  std::vector<float> doubled;  // new steps only, or all
};

struct SeriesPlan {
  std::vector<v1::StreamWindowsRequest> requests;
  std::vector<ExpectedWindow> windows;
  int gaps = 0;
  int64_t repeated = 0;
};

// The same numbers in a type of the random's choice; they are whole, and small.
v1::StreamWindowsRequest ChunkOfAnyType(Random& random, const std::string& id, const std::vector<float>& values,
                                        std::optional<int64_t> index) {
  v1::StreamWindowsRequest request = Chunk(id, values, index);
  switch (random.Pick(0, 2)) {
    case 0: {
      const std::vector<double> doubles(values.begin(), values.end());
      request.mutable_chunk()->set_fp64_samples(doubles.data(), doubles.size() * sizeof(double));
      break;
    }
    case 1: {
      std::vector<int16_t> numbers;
      for (const float value : values) numbers.push_back(static_cast<int16_t>(value));
      request.mutable_chunk()->set_int16_samples(numbers.data(), numbers.size() * sizeof(int16_t));
      break;
    }
    default:
      break;
  }
  return request;
}

// A series of one channel with whole-number values, so that sums are exact.
SeriesPlan PlanSeries(Random& random, const std::string& id) {
  SeriesPlan plan;
  const int length = random.Pick(1, 9), hop = random.Pick(1, 14);
  const bool pad = random.Pick(0, 1) == 1;
  auto open = Open(id, length, hop);
  if (pad) open.mutable_open()->set_partial_window(v1::PARTIAL_WINDOW_ZERO_PAD);
  const bool drop = random.Pick(0, 1) == 1;
  if (drop) open.mutable_open()->set_repeated_samples(v1::REPEATED_SAMPLES_DROP);
  const bool new_steps = random.Pick(0, 1) == 1;
  if (new_steps) open.mutable_open()->set_step_outputs(v1::STEP_OUTPUTS_NEW);
  plan.requests.push_back(open);

  int64_t run_start = 0, covered_end = 0, next_start = 0;
  std::vector<float> run;
  // Of the window at next_start, which the samples up to `end` fill.
  const auto expect = [&](int64_t end) {
    ExpectedWindow window{next_start, std::max<int64_t>(0, next_start + length - end), 0, {}};
    const int64_t first_step = new_steps ? std::max(next_start, covered_end) : next_start;
    for (int64_t at = next_start; at < next_start + length; ++at) {
      const float value = at < end ? run[static_cast<size_t>(at - run_start)] : 0;
      window.sum += value;
      if (at >= first_step && (at < end || !new_steps)) window.doubled.push_back(2 * value);
    }
    plan.windows.push_back(window);
  };
  for (int chunk = random.Pick(0, 12); chunk > 0; --chunk) {
    const int64_t next = run_start + static_cast<int64_t>(run.size());
    std::optional<int64_t> index;
    if (random.Pick(0, 6) == 0) {
      index = run_start = next_start = covered_end = next + random.Pick(1, 5);
      run.clear();
      ++plan.gaps;
    } else if (random.Pick(0, 1) == 0) {
      index = next;
    }
    std::vector<float> values;
    if (drop && index.value_or(next) == next && random.Pick(0, 3) == 0) {
      values.assign(static_cast<size_t>(random.Pick(1, 8)), 99);  // came before: what they are now does not matter
      index = next - static_cast<int64_t>(values.size());
      plan.repeated += static_cast<int64_t>(values.size());
    }
    for (int i = random.Pick(0, 20); i > 0; --i) {
      run.push_back(static_cast<float>(random.Pick(-9, 9)));
      values.push_back(run.back());
    }
    plan.requests.push_back(ChunkOfAnyType(random, id, values, index));
    while (next_start + length <= run_start + static_cast<int64_t>(run.size())) {
      expect(run_start + static_cast<int64_t>(run.size()));
      covered_end = next_start + length;
      next_start += hop;
    }
  }
  const int64_t end = run_start + static_cast<int64_t>(run.size());
  if (pad && end > std::max(covered_end, next_start)) {
    expect(end);
  }
  plan.requests.push_back(Close(id));
  return plan;
}

// Sends when the session wants to read, and fetches now and then: as the reactor of a slow client.
std::map<std::string, std::vector<v1::StreamWindowsResponse>> Play(Client& client, Random& random,
                                                                   std::vector<v1::StreamWindowsRequest> requests) {
  std::map<std::string, std::vector<v1::StreamWindowsResponse>> by_series;
  const auto keep = [&](v1::StreamWindowsResponse response) {
    const std::string id = response.has_opened()   ? response.opened().series_id()
                           : response.has_window() ? response.window().series_id()
                           : response.has_gap()    ? response.gap().series_id()
                           : response.has_closed() ? response.closed().series_id()
                                                   : response.error().series_id();
    by_series[id].push_back(std::move(response));
  };
  size_t sent = 0;
  bool half_closed = false;
  while (true) {
    v1::StreamWindowsResponse response;
    if (sent < requests.size() && client.session().WantsRead() && random.Pick(0, 3) > 0) {
      client.Send(requests[sent++]);
    } else if (client.session().NextResponse(&response)) {
      keep(std::move(response));
    } else if (sent == requests.size() && !half_closed) {
      client.session().OnHalfClose();
      half_closed = true;
    } else if (client.session().FinalStatus()) {
      return by_series;
    } else if (!client.session().WantsRead()) {
      client.AwaitChange();
    }
  }
}

class RandomStreams : public testing::TestWithParam<int> {};

TEST_P(RandomStreams, GiveTheResultsOfANaiveComputationInOrder) {
  Random random(GetParam());
  PuppetServer server(/*channels=*/1, /*max_queue_samples=*/random.Pick(1, 6), /*workers=*/random.Pick(1, 3));
  StreamSession::Options options;
  options.max_windows_in_flight = random.Pick(1, 5);
  options.max_unsent_responses = random.Pick(1, 6);
  options.max_pending_requests = random.Pick(1, 8);
  options.max_pending_bytes = random.Pick(1, 200);
  options.max_bytes_in_flight = random.Pick(1, 100);
  options.max_windows_of_series = random.Pick(1, 3);
  options.max_unsent_bytes = random.Pick(1, 200);
  Client client(server, options);

  std::map<std::string, SeriesPlan> plans;
  std::vector<std::pair<std::string, size_t>> order;
  for (const char* id : {"a", "b", "c"}) {
    plans[id] = PlanSeries(random, id);
    for (size_t i = 0; i < plans[id].requests.size(); ++i) order.emplace_back(id, order.size());
  }
  // Series interleave; each keeps its own order.
  for (size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<size_t>(random.Pick(0, static_cast<int>(i) - 1))]);
  }
  std::map<std::string, size_t> next;
  std::vector<v1::StreamWindowsRequest> requests;
  for (const auto& [id, unused] : order) requests.push_back(plans[id].requests[next[id]++]);

  auto responses = Play(client, random, std::move(requests));
  for (const auto& [id, plan] : plans) {
    const auto& told = responses[id];
    ASSERT_GE(told.size(), 2u);
    EXPECT_TRUE(told.front().has_opened());
    EXPECT_TRUE(told.back().has_closed());
    EXPECT_EQ(told.back().closed().windows(), static_cast<int64_t>(plan.windows.size()));
    EXPECT_EQ(told.back().closed().repeated_samples(), plan.repeated);
    size_t window = 0;
    int gaps = 0;
    for (const auto& response : told) {
      ASSERT_FALSE(response.has_error()) << response.error().message();
      gaps += response.has_gap();
      if (!response.has_window()) continue;
      ASSERT_LT(window, plan.windows.size());
      const ExpectedWindow& expected = plan.windows[window];
      EXPECT_EQ(response.window().window_index(), static_cast<int64_t>(window));
      EXPECT_EQ(response.window().first_sample_index(), expected.first_sample);
      EXPECT_EQ(response.window().padded_samples(), expected.padded);
      EXPECT_EQ(Values(response.window().outputs(0))[0], expected.sum);
      EXPECT_EQ(Values(response.window().outputs(1)), expected.doubled);
      ++window;
    }
    EXPECT_EQ(window, plan.windows.size());
    EXPECT_EQ(gaps, plan.gaps);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomStreams, testing::Range(0, 60));

// A message of random kind with random numbers, often senseless.
v1::StreamWindowsRequest RandomRequest(Random& random) {
  const std::string id(static_cast<size_t>(random.Pick(0, 2)), 'x');
  const auto number = [&]() -> int64_t {
    static constexpr int64_t kOdd[] = {0, -1, 1, 2, 7, INT64_MAX, INT64_MIN, int64_t{1} << 40, int64_t{1} << 61};
    return kOdd[static_cast<size_t>(random.Pick(0, 8))];
  };
  v1::StreamWindowsRequest request;
  switch (random.Pick(0, 9)) {
    case 0:
    case 1:
    case 2:
      request = Open(id, random.Pick(0, 3) == 0 ? number() : random.Pick(1, 5),
                     random.Pick(0, 3) == 0 ? number() : random.Pick(0, 5));
      request.mutable_open()->set_layout(static_cast<v1::SampleLayout>(random.Pick(0, 3)));
      request.mutable_open()->set_partial_window(static_cast<v1::PartialWindow>(random.Pick(0, 3)));
      request.mutable_open()->set_repeated_samples(static_cast<v1::RepeatedSamples>(random.Pick(0, 3)));
      request.mutable_open()->set_step_outputs(static_cast<v1::StepOutputs>(random.Pick(0, 3)));
      if (random.Pick(0, 3) == 0) request.mutable_open()->set_first_sample_index(number());
      if (random.Pick(0, 3) == 0) request.mutable_open()->set_first_window_index(number());
      if (random.Pick(0, 7) == 0) request.mutable_open()->add_int16_scale(static_cast<float>(number()));
      if (random.Pick(0, 7) == 0) request.mutable_open()->set_model_name("nope");
      if (random.Pick(0, 7) == 0) request.mutable_open()->add_outputs("summary");
      break;
    case 3:
      request = Close(id);
      break;
    case 4:
      break;
    default:
      request = Chunk(id, Ramp(random.Pick(0, 30)));
      if (random.Pick(0, 5) == 0) request.mutable_chunk()->set_int16_samples(std::string(number() & 15, 'i'));
      if (random.Pick(0, 5) == 0) request.mutable_chunk()->set_fp64_samples(std::string(number() & 31, '\x7f'));
      if (random.Pick(0, 5) == 0) request.mutable_chunk()->mutable_fp32_samples()->append("odd");
      if (random.Pick(0, 3) == 0) request.mutable_chunk()->set_sample_index(number());
      break;
  }
  return request;
}

class SenselessStreams : public testing::TestWithParam<int> {};

TEST_P(SenselessStreams, EndOrderlyAndLeaveNothingBehind) {
  Random random(GetParam());
  PuppetServer server(/*channels=*/random.Pick(1, 2), /*max_queue_samples=*/random.Pick(1, 3));
  {
    StreamSession::Options options;
    options.max_series = random.Pick(1, 3);
    options.max_windows_in_flight = random.Pick(1, 3);
    options.max_unsent_responses = random.Pick(1, 5);
    options.max_pending_requests = random.Pick(1, 5);
    Client client(server, options);
    if (random.Pick(0, 3) == 0) server.runner().Answer(absl::InternalError("broken"));
    for (int i = random.Pick(0, 80); i > 0; --i) {
      client.Send(RandomRequest(random));
      v1::StreamWindowsResponse response;
      if (random.Pick(0, 2) == 0) client.session().NextResponse(&response);
    }
    switch (random.Pick(0, 3)) {
      case 0:
        client.session().Cancel();
        break;
      case 1:
        client.session().Drain();
        break;
      case 2:
        client.session().OnHalfClose();
        break;
      default:
        client.session().Drain();
        client.session().OnHalfClose();
        client.session().Cancel();
        break;
    }
    absl::Status end;
    client.ReadAll(&end);
    EXPECT_TRUE(end.ok() || absl::IsUnavailable(end) || absl::IsCancelled(end)) << end;
  }
  server.scheduler().Drain();
  EXPECT_EQ(server.metrics().streams().Value(), 0);
  EXPECT_EQ(server.model().metrics->stream_series->Value(), 0);
  EXPECT_EQ(server.model().metrics->stream_series_bytes->Value(), 0);
  EXPECT_EQ(server.model().queue->waiting_samples(), 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SenselessStreams, testing::Range(0, 300));

}  // namespace
}  // namespace stillwave::streaming
