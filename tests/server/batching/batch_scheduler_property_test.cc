// Random tasks from several threads on several models: each is answered once, with its own numbers.
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/batching/batch_scheduler.h"
#include "tests/server/batching/test_tasks.h"
#include "tests/support/puppet_runner.h"

namespace stillwave::batching {
namespace {

using ::stillwave::test_support::PuppetRunner;

struct Outcome {
  int ok = 0, refused = 0, expired = 0, cancelled = 0;
};

// Checks that the answer is the one of this request and no other.
void CheckAnswer(Request& request, Outcome* outcome) {
  const InferenceResult& result = request.Await();
  ASSERT_EQ(request.answers(), 1);
  switch (result.status.code()) {
    case absl::StatusCode::kOk: {
      ++outcome->ok;
      ASSERT_EQ(result.outputs.size(), 2u);
      const absl::Span<const float> input = request.input().values<float>();
      ASSERT_EQ(result.outputs[1].shape(), request.input().shape());
      for (size_t i = 0; i < input.size(); ++i) ASSERT_EQ(result.outputs[1].values<float>()[i], 2 * input[i]);
      break;
    }
    case absl::StatusCode::kDeadlineExceeded:
      ++outcome->expired;
      break;
    case absl::StatusCode::kCancelled:
      ++outcome->cancelled;
      break;
    default:
      ADD_FAILURE() << result.status;
  }
}

class RandomTasks : public testing::TestWithParam<int> {};

TEST_P(RandomTasks, AreAnsweredOnceEachWithTheirOwnNumbers) {
  constexpr int kClients = 3, kTasksEach = 300;
  metrics::ServerMetrics metrics;
  BatchScheduler::Options scheduler_options;
  scheduler_options.workers = 1 + GetParam() % 3;
  scheduler_options.inline_compute = GetParam() % 2 == 0 ? absl::Seconds(1) : absl::ZeroDuration();
  scheduler_options.least_part = absl::ZeroDuration();
  BatchScheduler scheduler(scheduler_options);
  std::vector<std::shared_ptr<ModelQueue>> queues;
  for (int i = 0; i < 3; ++i) {
    ModelQueueOptions options;
    options.name = std::string(1, static_cast<char>('a' + i));
    options.max_batch_size = 1 + 3 * i;
    options.max_queue_samples = 40;
    options.max_running_batches = i;
    options.batching.scheduling_weight = 1 + i;
    if (i == 0) options.batching.preserve_ordering = true;
    if (i == 1) options.batching.max_queue_delay = absl::Microseconds(100);
    if (i == 2) {
      options.batching.priority_levels = 3;
      options.batching.default_priority_level = 2;
      options.batching.level_queue_policies[3].default_timeout = absl::Microseconds(200);
      options.batching.level_queue_policies[3].timeout_action = model::QueuePolicy::TimeoutAction::kDelay;
    }
    queues.push_back(
        *scheduler.AddModel(std::make_shared<PuppetRunner>(), options, &metrics.ForModel(options.name, "1")));
  }

  Outcome outcomes[kClients];
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([&, client] {
      std::mt19937 random(static_cast<unsigned>(GetParam() * 100 + client));
      const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
      std::vector<std::unique_ptr<Request>> accepted;
      for (int i = 0; i < kTasksEach; ++i) {
        auto request = std::make_unique<Request>(pick(1, 6), static_cast<float>(pick(-1000, 1000)), pick(1, 3));
        const bool hurried = pick(0, 9) == 0;
        const absl::Time deadline = hurried ? absl::Now() + absl::Microseconds(pick(0, 300)) : absl::InfiniteFuture();
        InferenceTask task = request->Task(deadline);
        task.priority = static_cast<uint64_t>(pick(0, 3));
        if (pick(0, 9) == 0) task.timeout = absl::Microseconds(pick(1, 300));
        task.may_run_on_caller = pick(0, 1) == 0;
        const absl::Status status = queues[static_cast<size_t>(pick(0, 2))]->Submit(std::move(task));
        if (!status.ok()) {
          ASSERT_TRUE(absl::IsResourceExhausted(status) || absl::IsDeadlineExceeded(status)) << status;
          ++outcomes[client].refused;
          continue;
        }
        if (pick(0, 9) == 0) request->Cancel();
        accepted.push_back(std::move(request));
        if (pick(0, 20) == 0) accepted.back()->Await();
      }
      for (const auto& request : accepted) CheckAnswer(*request, &outcomes[client]);
    });
  }
  for (std::thread& client : clients) client.join();
  scheduler.Drain();

  int answered = 0, ok = 0;
  for (const Outcome& outcome : outcomes) {
    answered += outcome.ok + outcome.refused + outcome.expired + outcome.cancelled;
    ok += outcome.ok;
  }
  EXPECT_EQ(answered, kClients * kTasksEach);
  EXPECT_GT(ok, 0);
  for (const auto& queue : queues) EXPECT_EQ(queue->waiting_samples(), 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomTasks, testing::Range(0, 6));

}  // namespace
}  // namespace stillwave::batching
