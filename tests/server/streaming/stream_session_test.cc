#include "server/streaming/stream_session.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/streaming/test_streams.h"
#include "tests/server/streaming/told_responses.h"
#include "tests/support/status_matchers.h"

namespace stillwave::streaming {
namespace {

using ::stillwave::test_support::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(StreamSessionTest, EachCompleteWindowHasOneResult) {
  PuppetServer server;
  Client client(server);
  client.Send(Open("a", /*window_length=*/3, /*hop=*/2));
  const auto opened = client.Read().opened();
  EXPECT_EQ(opened.model_name(), "ecg");
  EXPECT_EQ(opened.model_version(), "3");
  EXPECT_EQ(opened.window_length(), 3);
  EXPECT_EQ(opened.hop(), 2);
  EXPECT_EQ(opened.channels(), 1);
  client.Send(Chunk("a", {1, 2, 3, 4, 5}));
  const auto first = client.Read().window(), second = client.Read().window();
  EXPECT_THAT(Values(first.outputs(0)), ElementsAre(1 + 2 + 3, 1));
  EXPECT_THAT(Values(second.outputs(1)), ElementsAre(6, 8, 10));
  EXPECT_EQ(second.first_sample_index(), 2);
  EXPECT_EQ(second.last_sample_index(), 4);
  client.Send(Close("a"));
  const auto closed = client.Read().closed();
  EXPECT_EQ(closed.windows(), 2);
  EXPECT_EQ(closed.samples(), 5);
  client.session().OnHalfClose();
  EXPECT_THAT(Finish(client), IsEmpty());
}

TEST(StreamSessionTest, HalfCloseClosesWhatIsOpenAndEndsWithOk) {
  PuppetServer server;
  Client client(server);
  client.Send(Open("a", 2));
  client.Send(Open("b", 2));
  client.Send(Chunk("a", {1, 2}));
  client.Send(Chunk("b", {1}));
  client.session().OnHalfClose();
  EXPECT_THAT(Finish(client),
              testing::UnorderedElementsAre("opened a", "opened b", "window a 0", "closed a", "closed b"));
}

TEST(StreamSessionTest, APartialWindowIsPaddedWhenTheSeriesAsksForIt) {
  PuppetServer server;
  Client client(server);
  auto open = Open("a", 4);
  open.mutable_open()->set_partial_window(v1::PARTIAL_WINDOW_ZERO_PAD);
  client.Send(open);
  client.Send(Chunk("a", {1, 2, 3}));
  client.session().OnHalfClose();
  client.Read();
  const auto window = client.Read().window();
  EXPECT_EQ(window.padded_samples(), 1);
  EXPECT_THAT(Values(window.outputs(1)), ElementsAre(2, 4, 6, 0));
  EXPECT_EQ(client.Read().closed().partial_samples(), 3);
  EXPECT_THAT(Finish(client), IsEmpty());
}

TEST(StreamSessionTest, AnErrorEndsItsSeriesOnly) {
  PuppetServer server;
  Client client(server);
  client.Send(Open("good", 2));
  client.Send(Open("bad", 2));
  client.Send(Chunk("bad", {1}, /*sample_index=*/-5));
  client.Send(Chunk("bad", {1, 2, 3}));
  client.Send(Close("bad"));
  client.Send(Chunk("good", {1, 2}));
  client.session().OnHalfClose();
  // What a client sent before it knew of the error is passed over in silence.
  EXPECT_THAT(Finish(client), ElementsAre("opened good", "opened bad", "error bad 3", "window good 0", "closed good"));
}

TEST(StreamSessionTest, AFailedComputationEndsTheSeriesAtItsWindow) {
  PuppetServer server;
  Client client(server);
  client.Send(Open("a", 2));
  client.Send(Chunk("a", {1, 2}));
  EXPECT_EQ(Tell(client.Read()), "opened a");
  EXPECT_EQ(Tell(client.Read()), "window a 0");
  server.runner().Answer(absl::InternalError("a broken invariant"));
  client.Send(Chunk("a", {3, 4, 5, 6}));
  client.session().OnHalfClose();
  EXPECT_THAT(Finish(client), ElementsAre("error a 13"));
}

TEST(StreamSessionTest, AModelThatIsNotThereIsTheErrorOfTheSeries) {
  PuppetServer server;
  Client client(server);
  auto open = Open("a", 2);
  open.mutable_open()->set_model_name("nope");
  client.Send(open);
  client.Send(Chunk("a", {1, 2}));
  EXPECT_THAT(client.Read().error().message(), HasSubstr("known models: ecg"));
  // The id may be used again.
  client.Send(Open("a", 2));
  EXPECT_EQ(Tell(client.Read()), "opened a");
}

TEST(StreamSessionTest, SamplesForASeriesThatWasNeverOpenedAreAnError) {
  PuppetServer server;
  Client client(server);
  client.Send(Chunk("ghost", {1}));
  EXPECT_EQ(client.Read().error().message(), "series 'ghost' is not open");
  client.Send(Close("ghost"));
  EXPECT_EQ(Tell(client.Read()), "error ghost 5");
  client.Send(v1::StreamWindowsRequest());
  EXPECT_THAT(client.Read().error().message(), HasSubstr("request must hold open, chunk or close"));
}

TEST(StreamSessionTest, OpeningASeriesTwiceEndsIt) {
  PuppetServer server;
  Client client(server);
  client.Send(Open("a", 2));
  client.Send(Open("a", 2));
  EXPECT_EQ(Tell(client.Read()), "opened a");
  EXPECT_THAT(client.Read().error().message(), HasSubstr("series 'a' is open already"));
}

TEST(StreamSessionTest, AnIdIsUsedAgainOnlyAfterTheOldSeriesIsTold) {
  PuppetServer server;
  server.runner().Hold();
  Client client(server);
  client.Send(Open("a", 2));
  client.Send(Chunk("a", {1, 2}));
  client.Send(Close("a"));
  client.Send(Open("a", 4));
  client.Send(Chunk("a", {1, 2, 3, 4}));
  server.runner().LetAllGo();
  client.session().OnHalfClose();
  EXPECT_THAT(Finish(client), ElementsAre("opened a", "window a 0", "closed a", "opened a", "window a 0", "closed a"));
}

TEST(StreamSessionTest, TooManySeriesAreRefusedOneByOne) {
  PuppetServer server;
  StreamSession::Options options;
  options.max_series = 2;
  Client client(server, options);
  for (const char* id : {"a", "b", "c"}) client.Send(Open(id, 2));
  client.Read();
  client.Read();
  EXPECT_THAT(client.Read().error().message(), HasSubstr("series of one stream must be at most 2"));
  client.Send(Close("a"));
  EXPECT_EQ(Tell(client.Read()), "closed a");
  client.Send(Open("c", 2));
  EXPECT_EQ(Tell(client.Read()), "opened c");
}

TEST(StreamSessionTest, AGapIsReportedAndTheWindowRestarts) {
  PuppetServer server;
  Client client(server);
  client.Send(Open("a", 3));
  client.Send(Chunk("a", {1, 2}));
  client.Send(Chunk("a", {7, 8, 9}, /*sample_index=*/100));
  client.Read();
  const auto gap = client.Read().gap();
  EXPECT_EQ(gap.expected_sample_index(), 2);
  EXPECT_EQ(gap.received_sample_index(), 100);
  EXPECT_EQ(gap.discarded_samples(), 2);
  EXPECT_EQ(client.Read().window().first_sample_index(), 100);
}

// --- flow control ---

TEST(StreamSessionTest, AtMostSoManyWindowsAreInFlightAndReadingPauses) {
  PuppetServer server(/*channels=*/1, /*max_queue_samples=*/1000);
  server.runner().Hold();
  StreamSession::Options options;
  options.max_windows_in_flight = 3;
  options.max_pending_requests = 1;
  Client client(server, options);
  client.Send(Open("a", 1));
  EXPECT_TRUE(client.session().WantsRead());
  client.Send(Chunk("a", Ramp(1)));
  server.runner().AwaitCalls(1);
  client.Send(Chunk("a", Ramp(9)));
  // One is computed, two wait; seven are not formed.
  EXPECT_EQ(server.model().queue->waiting_samples(), 2);
  EXPECT_FALSE(client.session().WantsRead());
  server.runner().LetAllGo();
  EXPECT_EQ(Tell(client.Read()), "opened a");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Tell(client.Read()), "window a " + std::to_string(i));
  EXPECT_TRUE(client.session().WantsRead());
}

TEST(StreamSessionTest, ASlowReaderStopsReadingAndComputing) {
  PuppetServer server;
  StreamSession::Options options;
  options.max_unsent_responses = 4;
  Client client(server, options);
  client.Send(Open("a", 1));
  client.Send(Chunk("a", Ramp(10)));
  // "opened" and three windows fill the place for unsent responses; nobody fetches them.
  server.model().queue->Close();
  EXPECT_FALSE(client.session().WantsRead());
  EXPECT_EQ(server.model().metrics->stream_windows->Value(), 3);
}

TEST(StreamSessionTest, WhatTheReaderFetchesMakesRoomForTheRest) {
  PuppetServer server;
  StreamSession::Options options;
  options.max_unsent_responses = 2;
  Client client(server, options);
  client.Send(Open("a", 1));
  client.Send(Chunk("a", Ramp(20)));
  client.session().OnHalfClose();
  EXPECT_THAT(Finish(client), testing::SizeIs(22));
}

TEST(StreamSessionTest, SaysWhetherAnotherResponseFollows) {
  PuppetServer server;
  Client client(server);
  EXPECT_FALSE(client.session().HasResponse());
  client.Send(Open("a", 1));
  client.Send(Close("a"));
  v1::StreamWindowsResponse response;
  ASSERT_TRUE(client.session().NextResponse(&response));
  EXPECT_TRUE(response.has_opened());
  EXPECT_TRUE(client.session().HasResponse());
  ASSERT_TRUE(client.session().NextResponse(&response));
  EXPECT_TRUE(response.has_closed());
  EXPECT_FALSE(client.session().HasResponse());
}

TEST(StreamSessionTest, AWindowThatFindsTheQueueFullIsKeptAndComesLater) {
  PuppetServer server(/*channels=*/1, /*max_queue_samples=*/1);
  server.runner().Hold();
  StreamSession::Options options;
  options.max_pending_requests = 1;
  Client other(server), client(server, options);
  other.Send(Open("o", 1));
  other.Send(Chunk("o", {100, 101}));
  server.runner().AwaitCalls(1);  // one is computed, one fills the queue
  client.Send(Open("a", 1));
  client.Send(Chunk("a", {1, 2, 3}));
  EXPECT_EQ(Tell(client.Read()), "opened a");
  EXPECT_FALSE(client.session().WantsRead());
  server.runner().LetAllGo();
  client.session().OnHalfClose();
  EXPECT_THAT(Finish(client), ElementsAre("window a 0", "window a 1", "window a 2", "closed a"));
  // It was flow control, not a refusal.
  EXPECT_EQ(server.model().metrics->rejections[static_cast<size_t>(metrics::Rejection::kQueueFull)]->Value(), 0);
}

// --- how sessions end ---

TEST(StreamSessionTest, DrainAnswersWhatWasAcceptedThenSaysSo) {
  PuppetServer server;
  server.runner().Hold();
  StreamSession::Options options;
  options.max_windows_in_flight = 1;
  Client client(server, options);
  client.Send(Open("a", 2));
  client.Send(Chunk("a", {1, 2, 3, 4, 5}));
  client.session().Drain();
  EXPECT_FALSE(client.session().WantsRead());
  client.Send(Chunk("a", {6}));
  server.runner().LetAllGo();
  EXPECT_THAT(Finish(client, absl::UnavailableError("")),
              ElementsAre("opened a", "window a 0", "window a 1", "draining"));
}

TEST(StreamSessionTest, AStreamThatIsEndingAnywayIsNotCutByADrain) {
  PuppetServer server;
  server.runner().Hold();
  Client client(server);
  client.Send(Open("a", 2));
  client.Send(Chunk("a", {1, 2}));
  client.session().OnHalfClose();
  client.session().Drain();
  server.runner().LetAllGo();
  EXPECT_THAT(Finish(client), ElementsAre("opened a", "window a 0", "closed a"));
}

TEST(StreamSessionTest, AfterCancelNothingIsComputedOrAnswered) {
  PuppetServer server;
  server.runner().Hold();
  Client client(server);
  client.Send(Open("a", 1));
  client.Send(Chunk("a", Ramp(1)));
  server.runner().AwaitCalls(1);
  client.Send(Chunk("a", Ramp(4)));
  client.session().Cancel();
  v1::StreamWindowsResponse response;
  EXPECT_FALSE(client.session().NextResponse(&response));
  EXPECT_THAT(*client.session().FinalStatus(), StatusIs(absl::StatusCode::kCancelled, HasSubstr("cancelled")));
  EXPECT_FALSE(client.session().WantsRead());
  server.runner().LetAllGo();
  server.scheduler().Drain();
  EXPECT_THAT(server.runner().batch_sizes(), ElementsAre(1));
  EXPECT_FALSE(client.session().NextResponse(&response));
}

TEST(StreamSessionTest, ASessionThatIsLetGoWithWindowsInFlightDoesNoHarm) {
  PuppetServer server;
  server.runner().Hold();
  {
    Client client(server);
    client.Send(Open("a", 1));
    client.Send(Chunk("a", Ramp(5)));
    server.runner().AwaitCalls(1);
  }
  server.runner().LetAllGo();
  server.scheduler().Drain();
  EXPECT_EQ(server.metrics().streams().Value(), 0);
}

TEST(StreamSessionTest, AQueueThatRefusesForGoodEndsTheSeriesWithItsError) {
  PuppetServer server;
  Client client(server);
  client.Send(Open("a", 1));
  server.scheduler().Drain();
  client.Send(Chunk("a", {1}));
  client.session().OnHalfClose();
  EXPECT_THAT(Finish(client), ElementsAre("opened a", "error a 14"));
}

TEST(StreamSessionTest, CountsWhatItDoes) {
  PuppetServer server;
  const metrics::ModelMetrics& metrics = *server.model().metrics;
  const auto requests = [&](absl::StatusCode code) {
    const auto& row = metrics.requests[static_cast<size_t>(metrics::Method::kStreamWindows)];
    return row[static_cast<size_t>(code)]->Value();
  };
  {
    Client client(server);
    EXPECT_EQ(server.metrics().streams().Value(), 1);
    client.Send(Open("a", 4, 2));
    client.Send(Open("bad", 4));
    EXPECT_EQ(metrics.stream_series->Value(), 2);
    EXPECT_EQ(metrics.stream_series_bytes->Value(), static_cast<double>(2 * (kSeriesStateBytes + 4 * sizeof(float))));
    client.Send(Chunk("bad", {1}, -1));
    client.Send(Chunk("a", Ramp(8)));
    client.session().OnHalfClose();
    Finish(client);
    EXPECT_EQ(metrics.stream_series->Value(), 0);
    EXPECT_EQ(metrics.stream_series_bytes->Value(), 0);
  }
  EXPECT_EQ(server.metrics().streams().Value(), 0);
  EXPECT_EQ(metrics.stream_windows->Value(), 3);
  EXPECT_EQ(metrics.stream_computed_samples->Value(), 12);
  EXPECT_EQ(metrics.stream_window_duration->Count(), 3u);
  EXPECT_EQ(requests(absl::StatusCode::kOk), 1);
  EXPECT_EQ(requests(absl::StatusCode::kInvalidArgument), 1);
}

}  // namespace
}  // namespace stillwave::streaming
