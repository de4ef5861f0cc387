// Random scenarios on a clock that the test steps, with workers that the test plays: whatever happens, every task ends
// once and as it should.
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "server/batching/fair_queues.h"

namespace stillwave::batching::internal {
namespace {

enum class End { kNone, kComputed, kExpired, kCancelled };

// A task as its client knows it. Its address is what the task's input points to.
struct Client {
  int model = 0;
  uint64_t level = 1;
  int64_t length = 1;
  absl::Time submitted, deadline, give_up;
  std::shared_ptr<Cancellation> cancellation = std::make_shared<Cancellation>();
  bool cancelled = false;
  bool waits = false;
  End end = End::kNone;
};

class Simulation {
 public:
  explicit Simulation(unsigned seed)
      : random_(seed),
        workers_(Pick(1, 4)),
        queues_(FairQueues::Options{workers_, absl::Microseconds(100)}),
        idle_(workers_) {
    const int models = Pick(1, 5);
    for (int i = 0; i < models; ++i) AddModel(i);
  }

  void Go(int steps) {
    for (int i = 0; i < steps; ++i) {
      const int what = Pick(0, 9);
      if (what < 5) {
        for (int burst = Pick(1, 8); burst > 0; --burst) Submit();
      } else if (what == 5 && !clients_.empty()) {
        Cancel();
      } else {
        AdvanceTo(now_ + absl::Microseconds(Pick(1, 3000)));
      }
      CheckRest();
      if (testing::Test::HasFatalFailure()) return;
    }
    std::vector<Callback> waiters;
    queues_.Drain(waiters);
    HandOut();
    while (!running_.empty() && !testing::Test::HasFatalFailure()) AdvanceTo(running_.front().end);
  }

  void CheckAllEnded() const {
    EXPECT_EQ(queues_.waiting_tasks(), 0);
    EXPECT_EQ(idle_, workers_);
    for (const Client& client : clients_) {
      if (client.end == End::kNone) ADD_FAILURE() << "a task of model " << client.model << " was lost";
    }
  }
  int computed() const { return Count(End::kComputed); }
  int expired() const { return Count(End::kExpired); }
  int cancelled() const { return Count(End::kCancelled); }

 private:
  struct Model {
    std::shared_ptr<QueueState> state;
    absl::Duration element_time;
    bool steps_back = false;
  };
  struct Running {
    absl::Time end;
    Work work;
  };

  int Pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  int Count(End end) const {
    return static_cast<int>(
        std::count_if(clients_.begin(), clients_.end(), [end](const Client& client) { return client.end == end; }));
  }
  static Client& Of(const WaitingTask& waiting) {
    return *static_cast<Client*>(const_cast<void*>(waiting.task.inputs[0].data));
  }

  void AddModel(int number) {
    ModelQueueOptions options;
    options.name = absl::StrCat("model", number);
    options.max_batch_size = Pick(1, 16);
    options.max_queue_samples = Pick(4, 200);
    options.max_running_batches = Pick(0, 2);
    options.batching.scheduling_weight = Pick(1, 5);
    options.batching.priority_levels = Pick(0, 3);
    options.batching.default_priority_level = options.batching.priority_levels > 0 ? 1 : 0;
    if (Pick(0, 3) == 0) options.batching.max_queue_delay = absl::Microseconds(Pick(100, 2000));
    if (Pick(0, 1) == 0) options.batching.preferred_batch_sizes = {(options.max_batch_size + 1) / 2};
    if (Pick(0, 1) == 0) {
      model::QueuePolicy& policy = options.batching.default_queue_policy;
      policy.default_timeout = absl::Microseconds(Pick(500, 20'000));
      policy.allow_timeout_override = Pick(0, 1) == 0;
      if (Pick(0, 1) == 0) policy.timeout_action = model::QueuePolicy::TimeoutAction::kDelay;
    }
    const bool steps_back =
        options.batching.default_queue_policy.timeout_action == model::QueuePolicy::TimeoutAction::kDelay;
    const metrics::ModelMetrics* metrics = &metrics_.ForModel(options.name, "1");
    models_.push_back({std::make_shared<QueueState>(nullptr, std::move(options), metrics),
                       absl::Nanoseconds(Pick(100, 100'000)), steps_back});
    queues_.Add(models_.back().state);
  }

  void Submit() {
    Client& client = clients_.emplace_back();
    client.model = Pick(0, static_cast<int>(models_.size()) - 1);
    QueueState& state = *models_[static_cast<size_t>(client.model)].state;
    client.length = Pick(1, 3);
    client.submitted = now_;
    client.deadline = Pick(0, 2) == 0 ? now_ + absl::Microseconds(Pick(0, 10'000)) : absl::InfiniteFuture();
    InferenceTask task;
    task.samples = Pick(1, Pick(1, 20));
    task.inputs = {{tensor::DataType::kFloat32, {task.samples, client.length}, &client}};
    task.deadline = client.deadline;
    if (Pick(0, 4) == 0) task.timeout = absl::Microseconds(Pick(1, 10'000));
    task.priority = static_cast<uint64_t>(Pick(0, 4));
    task.cancellation = client.cancellation;
    const absl::Status status = queues_.Admit(state, task, now_);
    if (!status.ok()) {
      EXPECT_TRUE(absl::IsResourceExhausted(status) || absl::IsDeadlineExceeded(status)) << status;
      if (client.deadline > now_) {
        EXPECT_GT(FairQueues::WaitingSamples(state), 0) << "refused without need: " << status;
      }
      clients_.pop_back();
      return;
    }
    if (idle_ > 0 && queues_.RunsAtOnce(state)) {
      Work work;
      queues_.Start(state, std::move(task), now_, idle_, work);
      Of(work.tasks[0]).give_up = work.tasks[0].give_up;
      Begin(std::move(work));
    } else {
      client.waits = true;
      queues_.Push(state, std::move(task), now_);
      HandOut();
    }
  }

  void Cancel() {
    Client& client = clients_[static_cast<size_t>(Pick(0, static_cast<int>(clients_.size()) - 1))];
    client.cancelled = true;
    client.cancellation->Cancel();  // no scheduler is there that would take the task back
    if (!client.waits) return;
    Work work;
    queues_.WithdrawAll(*client.cancellation, work);
    ASSERT_EQ(work.given_up.size(), 1u);
    ASSERT_EQ(&Of(work.given_up[0]), &client);
    EndGivenUp(work);
    Finish(work);
  }

  void HandOut() {
    absl::Time until;
    while (idle_ > 0) {
      Work work;
      if (!queues_.Take(now_, idle_, work, &until)) return;
      Begin(std::move(work));
    }
  }

  void Begin(Work work) {
    EndGivenUp(work);
    if (work.state == nullptr) return Finish(work);
    --idle_;
    int64_t elements = 0, samples = 0;
    for (const WaitingTask& waiting : work.tasks) {
      Client& client = Of(waiting);
      CheckStart(client, waiting);
      elements += waiting.elements;
      samples += waiting.task.samples;
    }
    ASSERT_FALSE(work.tasks.empty());
    if (work.tasks.size() > 1) {
      EXPECT_LE(samples, work.state->options.max_batch_size);
    }
    Model& model = models_[static_cast<size_t>(Of(work.tasks[0]).model)];
    const int limit = model.state->options.max_running_batches;
    const auto of_model = std::count_if(running_.begin(), running_.end(),
                                        [&](const Running& one) { return one.work.state == work.state; });
    if (limit > 0) {
      EXPECT_LT(of_model, limit);
    }
    work.outcome.busy = work.outcome.total_busy = elements * model.element_time;
    work.outcome.answered = static_cast<int64_t>(work.tasks.size());
    work.outcome.elements = elements;
    running_.push_back({now_ + work.outcome.busy, std::move(work)});
    std::sort(running_.begin(), running_.end(), [](const Running& a, const Running& b) { return a.end < b.end; });
  }

  void CheckStart(Client& client, const WaitingTask& waiting) {
    ASSERT_EQ(client.end, End::kNone) << "computed twice";
    client.end = End::kComputed;
    client.waits = false;
    EXPECT_LT(now_, client.deadline) << "computed in vain";
    EXPECT_LT(now_, waiting.give_up) << "computed in vain";
    if (models_[static_cast<size_t>(client.model)].steps_back) return;
    // Of one model, level and shape, in the order in which they came.
    const auto key = std::make_tuple(client.model, waiting.level, client.length);
    Client*& last = last_started_[key];
    if (last != nullptr) {
      EXPECT_GE(client.submitted, last->submitted) << "overtaken in " << client.model << "/" << waiting.level;
    }
    last = &client;
  }

  void EndGivenUp(Work& work) {
    for (const WaitingTask& waiting : work.given_up) {
      Client& client = Of(waiting);
      ASSERT_EQ(client.end, End::kNone) << "answered twice";
      client.end = client.cancelled ? End::kCancelled : End::kExpired;
      client.waits = false;
      if (!client.cancelled) {
        EXPECT_LE(waiting.give_up, now_) << "given up too early";
      }
    }
  }

  void Finish(Work& work) {
    std::vector<std::shared_ptr<QueueState>> retired;
    queues_.Finish(work, retired);
  }

  // Step by step, through all that happens until then.
  void AdvanceTo(absl::Time time) {
    while (true) {
      absl::Time until;
      Work work;
      queues_.Take(now_, /*idle_workers=*/0, work, &until);
      EndGivenUp(work);
      Finish(work);
      HandOut();
      // When the wait of a queue with a delay ends.
      Work none;
      absl::Time ready = absl::InfiniteFuture();
      if (idle_ > 0) {
        ASSERT_FALSE(queues_.Take(now_, idle_, none, &ready));
      }
      const absl::Time end = running_.empty() ? absl::InfiniteFuture() : running_.front().end;
      const absl::Time next = std::min({until, ready, end});
      if (next > time) break;
      now_ = std::max(now_, next);
      if (end > now_) continue;
      Work done = std::move(running_.front().work);
      running_.pop_front();
      ++idle_;
      Finish(done);
      HandOut();
    }
    now_ = std::max(now_, time);
  }

  // No worker rests while there is something for it to do.
  void CheckRest() {
    if (idle_ == 0) return;
    for (const Model& model : models_) {
      const ModelQueueOptions& options = model.state->options;
      if (options.batching.max_queue_delay > absl::ZeroDuration() || queues_.FreeInstances(*model.state) <= 0) continue;
      EXPECT_EQ(FairQueues::WaitingSamples(*model.state), 0) << options.name << " waits beside an idle worker";
    }
  }

  std::mt19937 random_;
  const int workers_;
  absl::Time now_ = absl::FromUnixSeconds(1000);
  metrics::ServerMetrics metrics_;
  std::vector<Model> models_;
  std::deque<Client> clients_;
  std::deque<Running> running_;  // by their end
  std::map<std::tuple<int, size_t, int64_t>, Client*> last_started_;
  FairQueues queues_;
  int idle_;
};

TEST(FairQueuesPropertyTest, EveryTaskEndsOnceAndAsItShould) {
  int computed = 0, expired = 0, cancelled = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Simulation simulation(seed);
    simulation.Go(/*steps=*/300);
    simulation.CheckAllEnded();
    if (HasFailure()) return;
    computed += simulation.computed();
    expired += simulation.expired();
    cancelled += simulation.cancelled();
  }
  // The scenarios are what they are meant to be.
  EXPECT_GT(computed, 10'000);
  EXPECT_GT(expired, 500);
  EXPECT_GT(cancelled, 500);
}

}  // namespace
}  // namespace stillwave::batching::internal
