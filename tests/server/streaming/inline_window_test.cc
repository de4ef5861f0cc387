// On which thread a window is computed: on the one that brought its samples, unless another could meanwhile do more.
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/streaming/test_streams.h"
#include "tests/support/fake_clock.h"
#include "tests/support/forwarding_runner.h"

namespace stillwave::streaming {
namespace {

// Takes ten microseconds, and notes which threads computed.
class NotesThreads final : public test_support::ForwardingRunner {
 public:
  explicit NotesThreads(test_support::FakeClock* clock)
      : ForwardingRunner(std::make_shared<test_support::PuppetRunner>()), clock_(clock) {}

  absl::Status Run(execution::ExecutionContext& context, absl::Span<const tensor::TensorView> inputs,
                   absl::Span<const tensor::MutableTensorView> outputs) const override {
    clock_->Advance(absl::Microseconds(10));
    {
      absl::MutexLock lock(&mutex_);
      threads_.push_back(std::this_thread::get_id());
    }
    return ForwardingRunner::Run(context, inputs, outputs);
  }

  // Of the windows since the last call.
  std::vector<std::thread::id> TakeThreads() {
    absl::MutexLock lock(&mutex_);
    return std::move(threads_);
  }

 private:
  test_support::FakeClock* const clock_;
  mutable absl::Mutex mutex_;
  mutable std::vector<std::thread::id> threads_ ABSL_GUARDED_BY(mutex_);
};

class InlineWindowTest : public testing::Test {
 protected:
  InlineWindowTest() : scheduler_(Options(&clock_)) {
    model_.name = "ecg";
    model_.version = "1";
    model_.signature = PuppetSignature();
    model_.runner = runner_;
    model_.metrics = &metrics_.ForModel("ecg", "1");
    batching::ModelQueueOptions options;
    options.name = "ecg";
    model_.queue = *scheduler_.AddModel(runner_, options, model_.metrics);
  }
  static batching::BatchScheduler::Options Options(const base::Clock* clock) {
    batching::BatchScheduler::Options options;
    options.workers = 2;
    options.clock = clock;
    options.inline_compute = absl::Milliseconds(1);
    return options;
  }

  Client Connect(const StreamSession::Options& options = {}) {
    return Client([this](absl::string_view, absl::string_view) -> absl::StatusOr<StreamModel> { return model_; },
                  metrics_, options);
  }
  // What a window takes is known from the first one on.
  void Learn(Client& client) {
    client.Send(Chunk("a", {0}));
    EXPECT_TRUE(client.Read().has_window());
    scheduler_.AwaitIdle();
    EXPECT_THAT(runner_->TakeThreads(), testing::ElementsAre(testing::Ne(std::this_thread::get_id())));
  }

  test_support::FakeClock clock_;
  metrics::ServerMetrics metrics_;
  const std::shared_ptr<NotesThreads> runner_ = std::make_shared<NotesThreads>(&clock_);
  batching::BatchScheduler scheduler_;
  StreamModel model_;
};

TEST_F(InlineWindowTest, ALoneWindowIsComputedByTheThreadThatBroughtIt) {
  Client client = Connect();
  client.Send(Open("a", 1));
  EXPECT_TRUE(client.Read().has_opened());
  Learn(client);
  client.Send(Chunk("a", {1}));
  EXPECT_THAT(runner_->TakeThreads(), testing::ElementsAre(std::this_thread::get_id()));
  EXPECT_TRUE(client.Read().has_window());
}

TEST_F(InlineWindowTest, WhereOthersWaitTheThreadGoesOnWithThem) {
  StreamSession::Options options;
  options.max_unsent_responses = 2;
  Client client = Connect(options);
  for (const char* id : {"a", "b"}) {
    client.Send(Open(id, 1));
    EXPECT_TRUE(client.Read().has_opened());
  }
  Learn(client);
  client.Send(Chunk("a", {1, 2}));  // as many results as there may be
  client.Send(Chunk("a", {3}));
  client.Send(Chunk("b", {4}));
  scheduler_.AwaitIdle();
  EXPECT_EQ(runner_->TakeThreads().size(), 2u);
  EXPECT_TRUE(client.Read().has_window());  // makes room for the next window of "a"; that of "b" still waits
  scheduler_.AwaitIdle();
  EXPECT_THAT(runner_->TakeThreads(), testing::ElementsAre(testing::Ne(std::this_thread::get_id())));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(client.Read().has_window());
}

}  // namespace
}  // namespace stillwave::streaming
