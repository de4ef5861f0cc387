// Many series on one call: one that waits, fails or floods holds no other, and what waits is bounded.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/streaming/test_streams.h"
#include "tests/server/streaming/told_responses.h"

namespace stillwave::streaming {
namespace {

using ::testing::ElementsAre;

// "fast" beside "slow", whose queue holds one window and whose runner is held.
class TwoModels {
 public:
  TwoModels() : server_(/*channels=*/1, /*max_queue_samples=*/1000, /*workers=*/2) {
    slow_ = server_.model();
    slow_.runner = runner_;
    batching::ModelQueueOptions options;
    options.name = "slow";
    options.max_queue_samples = 1;
    options.max_running_batches = 1;  // leaves a worker to the other
    slow_.queue = *server_.scheduler().AddModel(runner_, options, slow_.metrics);
    runner_->Hold();
  }
  ~TwoModels() { runner_->LetAllGo(); }

  ModelSource Source() {
    return [this](absl::string_view name, absl::string_view) -> absl::StatusOr<StreamModel> {
      return name == "slow" ? slow_ : server_.model();
    };
  }
  metrics::ServerMetrics& metrics() { return server_.metrics(); }
  test_support::PuppetRunner& slow_runner() { return *runner_; }
  batching::ModelQueue& slow_queue() { return *slow_.queue; }

 private:
  const std::shared_ptr<test_support::PuppetRunner> runner_ = std::make_shared<test_support::PuppetRunner>();
  PuppetServer server_;
  StreamModel slow_;
};

v1::StreamWindowsRequest OpenSlow(const std::string& id, int64_t window_length) {
  v1::StreamWindowsRequest request = Open(id, window_length);
  request.mutable_open()->set_model_name("slow");
  return request;
}

TEST(SeriesIndependenceTest, AModelWhoseQueueIsFullHoldsNoSeriesOfAnother) {
  TwoModels models;
  Client client(models.Source(), models.metrics(), {});
  client.Send(OpenSlow("s", 1));
  client.Send(Open("f", 2));
  client.Send(Chunk("s", Ramp(1)));
  models.slow_runner().AwaitCalls(1);
  client.Send(Chunk("s", Ramp(3)));  // one waits in the queue, and one for it
  EXPECT_EQ(models.slow_queue().waiting_samples(), 1);
  EXPECT_TRUE(client.session().WantsRead());
  client.Send(Chunk("f", Ramp(4)));
  std::vector<std::string> told;
  for (int i = 0; i < 4; ++i) told.push_back(Tell(client.Read()));
  EXPECT_THAT(told, ElementsAre("opened s", "opened f", "window f 0", "window f 1"));
  models.slow_runner().LetAllGo();
  client.session().OnHalfClose();
  EXPECT_THAT(Finish(client), testing::UnorderedElementsAre("closed f", "window s 0", "window s 1", "window s 2",
                                                            "window s 3", "closed s"));
}

TEST(SeriesIndependenceTest, CancelLetsGoOfAWindowThatWaitsForSpace) {
  TwoModels models;
  {
    Client client(models.Source(), models.metrics(), {});
    client.Send(OpenSlow("s", 1));
    client.Send(Chunk("s", Ramp(1)));
    models.slow_runner().AwaitCalls(1);
    client.Send(Chunk("s", Ramp(5)));
    client.session().Cancel();
  }
  models.slow_runner().LetAllGo();
  models.slow_queue().Close();
  EXPECT_THAT(models.slow_runner().batch_sizes(), ElementsAre(1)) << "what waited was not computed";
  EXPECT_EQ(models.metrics().streams().Value(), 0);
}

TEST(SeriesIndependenceTest, AFloodOfOneSeriesLeavesTheOthersTheirTurn) {
  PuppetServer server;
  server.runner().Hold();
  StreamSession::Options options;
  options.max_windows_in_flight = 1;
  Client client(server, options);
  client.Send(Open("flood", 1));
  client.Send(Open("drop", 1));
  client.Send(Chunk("flood", Ramp(60)));
  client.Send(Chunk("drop", Ramp(1)));
  client.session().OnHalfClose();
  server.runner().LetAllGo();
  const std::vector<std::string> told = Finish(client);
  const auto place = [&](const std::string& what) { return std::find(told.begin(), told.end(), what) - told.begin(); };
  EXPECT_LT(place("window drop 0"), place("window flood 5"));
  EXPECT_LT(place("closed drop"), place("window flood 9"));
  EXPECT_THAT(told, testing::SizeIs(2 + 61 + 2));
}

TEST(SeriesIndependenceTest, ASeriesHasNotMoreThanItsShareOfTheWindowsInFlight) {
  PuppetServer server;
  server.runner().Hold();
  StreamSession::Options options;
  options.max_windows_in_flight = 100;
  options.max_windows_of_series = 3;
  Client client(server, options);
  client.Send(Open("flood", 1));
  client.Send(Open("drop", 1));
  client.Send(Chunk("flood", Ramp(1)));
  server.runner().AwaitCalls(1);
  client.Send(Chunk("flood", Ramp(20)));
  EXPECT_EQ(server.model().queue->waiting_samples(), 2);
  client.Send(Chunk("drop", Ramp(1)));
  EXPECT_EQ(server.model().queue->waiting_samples(), 3);
  server.runner().LetAllGo();
  client.session().OnHalfClose();
  EXPECT_THAT(Finish(client), testing::SizeIs(2 + 22 + 2));
}

TEST(SeriesIndependenceTest, AFailedComputationOfOneSeriesLeavesTheOthersAlone) {
  TwoModels models;
  Client client(models.Source(), models.metrics(), {});
  client.Send(OpenSlow("s", 1));
  client.Send(Open("f", 1));
  client.Send(Chunk("s", Ramp(1)));
  models.slow_runner().AwaitCalls(1);
  models.slow_runner().Answer(absl::InternalError("broken"));
  client.Send(Chunk("s", Ramp(4)));
  models.slow_runner().LetAllGo();
  std::vector<std::string> told;
  for (int i = 0; i < 3; ++i) told.push_back(Tell(client.Read()));
  EXPECT_THAT(told, ElementsAre("opened s", "opened f", "error s 13"));
  client.Send(Chunk("s", Ramp(4)));
  client.Send(Chunk("f", Ramp(2)));
  client.session().OnHalfClose();
  EXPECT_THAT(Finish(client), ElementsAre("window f 0", "window f 1", "closed f"));
}

TEST(SeriesIndependenceTest, AsManySeriesAsACallMayHaveEachKeepTheirOrder) {
  PuppetServer server(/*channels=*/1, /*max_queue_samples=*/16, /*workers=*/2);
  Client client(server);
  const int series = StreamSession::Options().max_series;
  ASSERT_GE(series, 256);
  std::vector<v1::StreamWindowsRequest> requests;
  for (int i = 0; i < series; ++i) requests.push_back(Open(absl::StrCat(i), 4, 2));
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < series; ++i) requests.push_back(Chunk(absl::StrCat(i), Ramp(2, static_cast<float>(2 * round))));
  }
  std::map<std::string, int64_t> windows;
  size_t sent = 0;
  int closed = 0;
  while (!client.session().FinalStatus()) {
    v1::StreamWindowsResponse response;
    if (sent < requests.size() && client.session().WantsRead()) {
      client.Send(requests[sent++]);
      if (sent == requests.size()) client.session().OnHalfClose();
    } else if (client.session().NextResponse(&response)) {
      ASSERT_FALSE(response.has_error()) << response.error().message();
      closed += response.has_closed();
      if (!response.has_window()) continue;
      const int64_t index = windows[response.window().series_id()]++;
      ASSERT_EQ(response.window().window_index(), index);
      const auto first = static_cast<float>(2 * index);
      ASSERT_THAT(Values(response.window().outputs(1)),
                  ElementsAre(2 * first, 2 * first + 2, 2 * first + 4, 2 * first + 6));
    } else {
      client.AwaitChange();
    }
  }
  EXPECT_EQ(closed, series);
  for (const auto& [id, count] : windows) ASSERT_EQ(count, 4) << id;
  EXPECT_EQ(windows.size(), static_cast<size_t>(series));
}

// --- bounds ---

TEST(SeriesIndependenceTest, RequestsThatWaitAreBoundedInNumber) {
  PuppetServer server;
  server.runner().Hold();
  StreamSession::Options options;
  options.max_windows_in_flight = 1;
  options.max_pending_requests = 2;
  Client client(server, options);
  client.Send(Open("a", 1));
  client.Send(Open("b", 1));
  client.Send(Chunk("a", Ramp(1)));
  client.Send(Chunk("a", Ramp(1)));
  EXPECT_TRUE(client.session().WantsRead());
  client.Send(Chunk("b", Ramp(1)));
  EXPECT_FALSE(client.session().WantsRead());
  server.runner().LetAllGo();
  for (int i = 0; i < 5; ++i) client.Read();
  EXPECT_TRUE(client.session().WantsRead());
}

TEST(SeriesIndependenceTest, RequestsThatWaitAreBoundedInBytes) {
  PuppetServer server;
  server.runner().Hold();
  StreamSession::Options options;
  options.max_windows_in_flight = 1;
  options.max_pending_bytes = 1000;
  Client client(server, options);
  client.Send(Open("a", 100));
  client.Send(Chunk("a", Ramp(100)));
  client.Send(Chunk("a", Ramp(200)));
  EXPECT_TRUE(client.session().WantsRead()) << "800 bytes and a few";
  client.Send(Chunk("a", Ramp(100)));
  EXPECT_FALSE(client.session().WantsRead());
  server.runner().LetAllGo();
  for (int i = 0; i < 5; ++i) client.Read();
  EXPECT_TRUE(client.session().WantsRead());
}

TEST(SeriesIndependenceTest, WindowsInFlightAreBoundedInBytes) {
  PuppetServer server;
  server.runner().Hold();
  StreamSession::Options options;
  options.max_bytes_in_flight = 47;
  Client client(server, options);
  client.Send(Open("a", 4));
  client.Send(Chunk("a", Ramp(4)));
  server.runner().AwaitCalls(1);
  client.Send(Chunk("a", Ramp(12)));
  EXPECT_EQ(server.model().queue->waiting_samples(), 1) << "two windows of 16 bytes are in flight, a third would be 48";
  server.runner().LetAllGo();
  client.session().OnHalfClose();
  EXPECT_THAT(Finish(client), testing::SizeIs(1 + 4 + 1));
}

TEST(SeriesIndependenceTest, AWindowLargerThanTheBoundIsComputedAlone) {
  PuppetServer server;
  StreamSession::Options options;
  options.max_bytes_in_flight = 1;
  Client client(server, options);
  client.Send(Open("a", 4));
  client.Send(Chunk("a", Ramp(12)));
  client.session().OnHalfClose();
  EXPECT_THAT(Finish(client), testing::SizeIs(1 + 3 + 1));
}

TEST(SeriesIndependenceTest, ResponsesThatAreNotFetchedAreBoundedInBytes) {
  PuppetServer server;
  StreamSession::Options options;
  options.max_unsent_bytes = 400;
  Client client(server, options);
  client.Send(Open("a", 100));
  EXPECT_EQ(Tell(client.Read()), "opened a");
  EXPECT_TRUE(client.session().WantsRead());
  client.Send(Chunk("a", Ramp(100)));
  server.model().queue->Close();  // the window's 400 bytes and more are there; nobody fetches them
  EXPECT_FALSE(client.session().WantsRead());
  EXPECT_EQ(Tell(client.Read()), "window a 0");
  EXPECT_TRUE(client.session().WantsRead());
}

}  // namespace
}  // namespace stillwave::streaming
