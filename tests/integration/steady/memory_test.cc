// The server's memory does not grow with the number of requests that it has answered.
#include "gmock/gmock.h"
#include "tests/integration/steady/call_crowd.h"
#include "tests/integration/steady/server_figures.h"
#include "tests/integration/steady/test_length.h"
#include "tests/support/sanitizers.h"

namespace stillwave::integration {
namespace {

// What a warm server may still gain: arenas of malloc fill up, and each thread of gRPC's has its own.
constexpr int64_t kMemoryBound = 16 * kMebibyte;

TEST(Memory, IsFlatOverAllRequests) {
  if (test_support::kSanitized) GTEST_SKIP() << "the sanitizer keeps what is freed";
  const int count = ShortOrLong(20'000, 1'000'000);
  const auto server = MustServe({ModelFlag("seed_block"), "--workers=2"});
  ASSERT_NE(server, nullptr);
  // Good ones of some lengths, one that is refused, one for nobody.
  std::vector<inference::ModelInferRequest> requests = {SeedBlockRequest(1, 64), SeedBlockRequest(2, 200),
                                                        SeedBlockRequest(1, 16), SeedBlockRequest(5, 33)};
  requests.push_back(SeedBlockRequest(1, 64));
  requests.back().mutable_raw_input_contents(0)->push_back('x');
  requests.push_back(SeedBlockRequest(1, 64));
  requests.back().set_model_name("nobody");
  constexpr size_t kGood = 4;
  std::vector<grpc::StatusCode> expected(kGood, grpc::StatusCode::OK);
  expected.insert(expected.end(), {grpc::StatusCode::INVALID_ARGUMENT, grpc::StatusCode::NOT_FOUND});

  CallCrowd crowd;
  const auto run = [&](int calls) {
    // A connection for each part: those come and go, too.
    Client client(server->grpc_address());
    constexpr int kInFlight = 48;
    int started = 0;
    std::map<grpc::StatusCode, int> due;
    std::map<grpc::StatusCode, int> seen;
    for (int answered = 0; answered < calls; ++answered) {
      for (; started < calls && started < answered + kInFlight; ++started) {
        const size_t which = static_cast<size_t>(started) % requests.size();
        ++due[expected[which]];
        crowd.Start(*client.inference, requests[which]);
      }
      ++seen[crowd.Next().status.error_code()];
    }
    EXPECT_EQ(seen, due);
  };
  const int part = count / 20;
  for (int i = 0; i < 4; ++i) run(part);
  const int64_t warm = MemoryOf(server->pid(), "VmRSS");
  for (int i = 4; i < 20; ++i) run(part);
  const int64_t growth = MemoryOf(server->pid(), "VmRSS") - warm;
  RecordProperty("warm_bytes", absl::StrCat(warm));
  RecordProperty("growth_bytes", absl::StrCat(growth));
  EXPECT_LT(growth, kMemoryBound) << "after " << count << " requests; warm: " << warm;
  ExpectCleanExit(*server);
}

}  // namespace
}  // namespace stillwave::integration
