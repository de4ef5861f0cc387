// Streams of a real network, whose windows keep what they share.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/model/run_model.h"
#include "tests/server/streaming/seed_block_server.h"
#include "tests/server/streaming/test_streams.h"
#include "tests/support/forwarding_runner.h"
#include "tests/support/network_builder.h"
#include "tests/support/ref_tensor.h"
#include "tests/support/status_matchers.h"

namespace stillwave::streaming {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kWindow = 256;

// Keeps the first batches until they are let go; everything else runs at once.
class HeldFirst final : public test_support::ForwardingRunner {
 public:
  explicit HeldFirst(std::shared_ptr<const model::BatchRunner> runner, int held = 1)
      : ForwardingRunner(std::move(runner)), to_hold_(held) {}

  void AwaitFirst() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &HeldFirst::HoldsAll));
  }
  void LetGo() {
    absl::MutexLock lock(&mutex_);
    let_go_ = true;
  }

  absl::Status Run(execution::ExecutionContext& context, absl::Span<const tensor::TensorView> inputs,
                   absl::Span<const tensor::MutableTensorView> outputs) const override {
    {
      absl::MutexLock lock(&mutex_);
      if (to_hold_ > 0) {
        --to_hold_;
        mutex_.Await(absl::Condition(&let_go_));
      }
    }
    return ForwardingRunner::Run(context, inputs, outputs);
  }

 private:
  bool HoldsAll() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return to_hold_ == 0; }

  mutable absl::Mutex mutex_;
  mutable int to_hold_ ABSL_GUARDED_BY(mutex_);
  bool let_go_ ABSL_GUARDED_BY(mutex_) = false;
};

// Notes how many windows are computed together.
class NotesBatches final : public test_support::ForwardingRunner {
 public:
  using ForwardingRunner::ForwardingRunner;

  std::vector<int64_t> batches() const {
    absl::MutexLock lock(&mutex_);
    return batches_;
  }

  absl::Status Run(execution::ExecutionContext& context, absl::Span<const tensor::TensorView> inputs,
                   absl::Span<const tensor::MutableTensorView> outputs) const override {
    {
      absl::MutexLock lock(&mutex_);
      batches_.push_back(inputs[0].shape[0]);
    }
    return ForwardingRunner::Run(context, inputs, outputs);
  }

 private:
  mutable absl::Mutex mutex_;
  mutable std::vector<int64_t> batches_ ABSL_GUARDED_BY(mutex_);
};

// All batches but the first.
class FailsLater final : public test_support::ForwardingRunner {
 public:
  using ForwardingRunner::ForwardingRunner;

  absl::Status Run(execution::ExecutionContext& context, absl::Span<const tensor::TensorView> inputs,
                   absl::Span<const tensor::MutableTensorView> outputs) const override {
    if (batches_++ > 0) return absl::InternalError("broken");
    return ForwardingRunner::Run(context, inputs, outputs);
  }

 private:
  mutable std::atomic<int> batches_{0};
};

// Samples [S][C] of one series.
struct SentSeries {
  std::string id;
  int64_t hop = 0;
  std::vector<float> samples;
};

SentSeries MakeSent(const std::string& id, int64_t hop, int64_t samples, int64_t channels, uint64_t seed) {
  SentSeries series{id, hop, {}};
  for (const double value : test_support::RandomTensor({samples, channels}, seed).reals) {
    series.samples.push_back(static_cast<float>(value));
  }
  return series;
}

// The model's own outputs for the window that begins at `first`.
std::vector<float> FullWindow(const SeedBlockServer& server, const SentSeries& series, int64_t first) {
  const int64_t channels = server.channels();
  tensor::Tensor window = *tensor::Tensor::Create(tensor::DataType::kFloat32, {1, channels, kWindow});
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t t = 0; t < kWindow; ++t) {
      window.mutable_values<float>()[static_cast<size_t>(c * kWindow + t)] =
          series.samples[static_cast<size_t>((first + t) * channels + c)];
    }
  }
  execution::ExecutionContext context;
  const auto outputs = model::RunModel(server.model(), context, {window.view()});
  EXPECT_THAT(outputs, test_support::IsOk());
  const auto values = (*outputs)[0].values<float>();
  return {values.begin(), values.end()};
}

void ExpectClose(const std::vector<float>& got, const std::vector<float>& want) {
  ASSERT_EQ(got.size(), want.size());
  float largest = 0;
  for (const float value : want) largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 2e-5F * largest);
}

v1::StreamWindowsRequest OpenSeed(const SentSeries& series) {
  v1::StreamWindowsRequest request = Open(series.id, kWindow, series.hop);
  request.mutable_open()->set_model_name("seed");
  return request;
}

TEST(OverlapSessionTest, WindowsOfManySeriesAreWhatTheModelMakesOfThem) {
  SeedBlockServer server;
  Client client(server.Source(), server.metrics(), {});
  std::map<std::string, SentSeries> sent;
  uint64_t seed = 0;
  for (const int64_t hop : std::vector<int64_t>{8, 16, 16, 24, kWindow}) {
    const std::string id = absl::StrCat("series ", seed);
    sent[id] = MakeSent(id, hop, kWindow + 400, server.channels(), seed);
    ++seed;
  }
  std::vector<v1::StreamWindowsRequest> requests;
  for (const auto& [id, series] : sent) requests.push_back(OpenSeed(series));
  // Chunks in turn, of sizes that are no multiple of a hop.
  const int64_t channels = server.channels();
  const int64_t total = kWindow + 400;
  for (int64_t at = 0, size = 50; at < total; at += size, size += 7) {
    for (const auto& [id, series] : sent) {
      const auto begin = series.samples.begin() + at * channels;
      const auto end = series.samples.begin() + std::min(at + size, total) * channels;
      requests.push_back(Chunk(id, std::vector<float>(begin, end)));
    }
  }
  std::map<std::string, int64_t> windows;
  std::map<std::string, v1::SeriesOpened> opened;
  size_t next = 0;
  bool half_closed = false;
  while (!client.session().FinalStatus().has_value()) {
    v1::StreamWindowsResponse response;
    if (client.session().NextResponse(&response)) {
      ASSERT_FALSE(response.has_error()) << response.error().message();
      if (response.has_opened()) opened[response.opened().series_id()] = response.opened();
      if (!response.has_window()) continue;
      const v1::WindowResult& window = response.window();
      const SentSeries& series = sent[window.series_id()];
      EXPECT_EQ(window.first_sample_index(), windows[window.series_id()]++ * series.hop);
      ExpectClose(Values(window.outputs(0)), FullWindow(server, series, window.first_sample_index()));
    } else if (next < requests.size() && client.session().WantsRead()) {
      client.Send(requests[next++]);
    } else if (next == requests.size() && !half_closed) {
      client.session().OnHalfClose();
      half_closed = true;
    } else {
      client.AwaitChange();
    }
  }
  for (const auto& [id, series] : sent) {
    EXPECT_EQ(windows[id], 400 / series.hop + 1) << id;
    const v1::SeriesOpened& told = opened[id];
    if (series.hop == kWindow) {
      EXPECT_EQ(told.recomputed_share(), 1);
      EXPECT_THAT(told.overlap(), HasSubstr("full windows: hop must be smaller than the window"));
    } else {
      EXPECT_LT(told.recomputed_share(), 0.5);
      EXPECT_THAT(told.overlap(), HasSubstr("reads the whole window"));
    }
  }
  EXPECT_GT(server.counts().stream_reused_samples->Value(), server.counts().stream_computed_samples->Value());
  EXPECT_EQ(server.counts().stream_verify_mismatches->Value(), 0);
}

TEST(OverlapSessionTest, ASeriesThatWaitsForItsWindowHoldsNoOther) {
  std::shared_ptr<HeldFirst> runner;
  SeedBlockServer server([&runner](std::shared_ptr<const overlap::OverlapRunner> overlap) {
    runner = std::make_shared<HeldFirst>(std::move(overlap));
    return runner;
  });
  Client client(server.Source(), server.metrics(), {});
  const SentSeries waits = MakeSent("waits", 16, kWindow + 32, server.channels(), 1);
  const SentSeries other = MakeSent("other", 16, kWindow + 32, server.channels(), 2);
  client.Send(OpenSeed(waits));
  client.Send(OpenSeed(other));
  client.Send(Chunk("waits", waits.samples));  // its second and third window are for after the first
  runner->AwaitFirst();
  EXPECT_TRUE(client.session().WantsRead());
  client.Send(Chunk("other", other.samples));
  EXPECT_TRUE(client.Read().has_opened());
  EXPECT_TRUE(client.Read().has_opened());
  for (int64_t i = 0; i < 3; ++i) {
    const v1::WindowResult window = client.Read().window();
    EXPECT_EQ(window.series_id(), "other");
    EXPECT_EQ(window.window_index(), i);
    ExpectClose(Values(window.outputs(0)), FullWindow(server, other, i * 16));
  }
  runner->LetGo();
  for (int64_t i = 0; i < 3; ++i) {
    const v1::WindowResult window = client.Read().window();
    EXPECT_EQ(window.series_id(), "waits");
    ExpectClose(Values(window.outputs(0)), FullWindow(server, waits, i * 16));
  }
}

// The windows of a chunk of 11, and the batches in which they were computed.
std::vector<int64_t> BatchesOfAChunk(const StreamSession::Options& options) {
  std::shared_ptr<NotesBatches> runner;
  SeedBlockServer server([&runner](std::shared_ptr<const overlap::OverlapRunner> overlap) {
    runner = std::make_shared<NotesBatches>(std::move(overlap));
    return runner;
  });
  Client client(server.Source(), server.metrics(), options);
  const SentSeries series = MakeSent("a", 16, kWindow + 10 * 16, server.channels(), 3);
  client.Send(OpenSeed(series));
  EXPECT_TRUE(client.Read().has_opened());
  client.Send(Chunk("a", series.samples));
  for (int64_t i = 0; i < 11; ++i) {
    const v1::WindowResult window = client.Read().window();
    EXPECT_EQ(window.window_index(), i);
    ExpectClose(Values(window.outputs(0)), FullWindow(server, series, i * 16));
  }
  const auto plan = (*server.Source()("seed", "")).overlap->Open({1, server.channels(), kWindow}, 16);
  EXPECT_EQ(server.counts().stream_reused_samples->Value(), static_cast<double>(10 * (*plan)->plan().reused_samples()));
  return runner->batches();
}

TEST(OverlapSessionTest, WindowsOfAMessageAreComputedTogether) {
  EXPECT_THAT(BatchesOfAChunk({}), testing::ElementsAre(8, 3));  // max_windows_of_series
}

TEST(OverlapSessionTest, WindowsThatAreComputedTogetherKeepEveryLimit) {
  using testing::ElementsAre;
  StreamSession::Options options;
  options.max_windows_of_series = 2;
  EXPECT_THAT(BatchesOfAChunk(options), ElementsAre(2, 2, 2, 2, 2, 1));
  options = {};
  options.max_windows_in_flight = 3;
  EXPECT_THAT(BatchesOfAChunk(options), ElementsAre(3, 3, 3, 2));
  options = {};
  options.max_unsent_responses = 4;
  EXPECT_THAT(BatchesOfAChunk(options), testing::Each(testing::Le(4)));  // as many as the client fetched
  options = {};
  options.max_bytes_in_flight = 5 * kWindow * 4 * SeedBlockServer().channels();
  EXPECT_THAT(BatchesOfAChunk(options), ElementsAre(5, 5, 1));
}

TEST(OverlapSessionTest, SeveralWindowsThatFindTheQueueFullComeLater) {
  batching::ModelQueueOptions queue;
  queue.max_queue_samples = 8;  // of which one task of windows takes a quarter at most
  std::shared_ptr<HeldFirst> runner;
  SeedBlockServer server(
      [&runner](std::shared_ptr<const overlap::OverlapRunner> overlap) {
        runner = std::make_shared<HeldFirst>(std::move(overlap), /*held=*/2);
        return runner;
      },
      queue);
  Client client(server.Source(), server.metrics(), {});
  std::map<std::string, int64_t> windows;
  const auto send = [&](const std::string& id, int64_t count) {
    const SentSeries series = MakeSent(id, 16, kWindow + (count - 1) * 16, server.channels(), 1);
    client.Send(OpenSeed(series));
    client.Send(Chunk(id, series.samples));
    windows[id] = count;
  };
  send("computed a", 1);
  send("computed b", 1);
  runner->AwaitFirst();  // there are two workers
  for (const char* id : {"c", "d", "e"}) send(id, 2);
  send("f", 1);
  send("waits", 2);  // for two places, where one is left
  runner->LetGo();
  client.session().OnHalfClose();
  absl::Status end;
  std::map<std::string, int64_t> answered;
  for (const v1::StreamWindowsResponse& response : client.ReadAll(&end)) {
    EXPECT_FALSE(response.has_error()) << response.error().message();
    if (response.has_window()) ++answered[response.window().series_id()];
  }
  EXPECT_THAT(end, test_support::IsOk());
  EXPECT_EQ(answered, windows);
}

TEST(OverlapSessionTest, AFailedBatchEndsTheSeriesAtItsFirstWindow) {
  SeedBlockServer server([](std::shared_ptr<const overlap::OverlapRunner> overlap) {
    return std::make_shared<FailsLater>(std::move(overlap));
  });
  Client client(server.Source(), server.metrics(), {});
  const SentSeries series = MakeSent("a", 16, kWindow + 10 * 16, server.channels(), 3);
  client.Send(OpenSeed(series));
  EXPECT_TRUE(client.Read().has_opened());
  client.Send(Chunk("a", series.samples));  // 8 windows, and 3 that fail
  for (int64_t i = 0; i < 8; ++i) EXPECT_EQ(client.Read().window().window_index(), i);
  EXPECT_EQ(client.Read().error().message(), "broken");
  client.session().OnHalfClose();
  absl::Status end;
  EXPECT_TRUE(client.ReadAll(&end).empty());
  EXPECT_THAT(end, test_support::IsOk());
}

TEST(OverlapSessionTest, TheMemoryOfASeriesIsItsWindowAndWhatIsKept) {
  SeedBlockServer server;
  Client client(server.Source(), server.metrics(), {});
  client.Send(OpenSeed({"keeps", 16, {}}));
  client.Send(OpenSeed({"full", kWindow, {}}));
  const int64_t window_bytes = kWindow * server.channels() * static_cast<int64_t>(sizeof(float));
  EXPECT_GT(client.Read().opened().memory_bytes(), kSeriesStateBytes + window_bytes);
  EXPECT_EQ(client.Read().opened().memory_bytes(), kSeriesStateBytes + window_bytes);
}

TEST(OverlapSessionTest, AGapAndAPaddedEndAreAnswered) {
  SeedBlockServer server;
  Client client(server.Source(), server.metrics(), {});
  const int64_t channels = server.channels();
  SentSeries series = MakeSent("a", 16, kWindow + 200, channels, 9);
  v1::StreamWindowsRequest open = OpenSeed(series);
  open.mutable_open()->set_partial_window(v1::PARTIAL_WINDOW_ZERO_PAD);
  client.Send(open);
  const auto part = [&](int64_t begin, int64_t end) {
    return std::vector<float>(series.samples.begin() + begin * channels, series.samples.begin() + end * channels);
  };
  client.Send(Chunk("a", part(0, kWindow + 32)));                // three windows
  client.Send(Chunk("a", part(100, 100 + kWindow + 20), 1000));  // behind a gap: two, and 4 samples that none covers
  client.session().OnHalfClose();
  absl::Status end;
  std::vector<v1::WindowResult> windows;
  for (const v1::StreamWindowsResponse& response : client.ReadAll(&end)) {
    if (response.has_window()) windows.push_back(response.window());
  }
  EXPECT_THAT(end, test_support::IsOk());
  ASSERT_EQ(windows.size(), 6U);
  for (size_t i = 0; i < 3; ++i) {
    ExpectClose(Values(windows[i].outputs(0)), FullWindow(server, series, static_cast<int64_t>(i) * 16));
  }
  ExpectClose(Values(windows[3].outputs(0)), FullWindow(server, series, 100));
  ExpectClose(Values(windows[4].outputs(0)), FullWindow(server, series, 116));
  EXPECT_EQ(windows[5].padded_samples(), 12);
  std::fill(series.samples.begin() + (100 + kWindow + 20) * channels, series.samples.end(), 0.0F);
  ExpectClose(Values(windows[5].outputs(0)), FullWindow(server, series, 132));
}

}  // namespace
}  // namespace stillwave::streaming
