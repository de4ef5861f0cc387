#include <grpcpp/grpcpp.h>

#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "inference/open_inference_grpc.grpc.pb.h"
#include "server/base/status_macros.h"
#include "tests/benchmark/echo/echo_server.h"
#include "tests/benchmark/echo/echo_work.h"
#include "tests/benchmark/echo/listening.h"

namespace stillwave::benchmark {
namespace {

using AsyncService = inference::GRPCInferenceService::AsyncService;

// How many calls a queue is ready to take before it has handled the last one.
constexpr int kWaitingCalls = 128;

// A completion queue, and whether operations may still be started on it: gRPC forbids it once the queue is shut down.
// Thread-safe.
struct Queue {
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  absl::Mutex mutex;
  bool closed ABSL_GUARDED_BY(mutex) = false;

  // False, and nothing is started, when the queue is closed.
  template <typename Operation>
  bool Start(Operation operation) ABSL_LOCKS_EXCLUDED(mutex) {
    absl::ReaderMutexLock lock(&mutex);
    if (!closed) operation(queue.get());
    return !closed;
  }
  void Close() ABSL_LOCKS_EXCLUDED(mutex) {
    absl::MutexLock lock(&mutex);
    closed = true;
  }
};

// A place for one call after the other. Deletes itself when its queue is closed.
class CallSlot {
 public:
  virtual ~CallSlot() = default;
  // After each event of the queue.
  virtual void Proceed(bool ok) = 0;
};

template <typename Request, typename Response>
class Slot final : public CallSlot {
 public:
  using Responder = grpc::ServerAsyncResponseWriter<Response>;
  using RequestCall = void (AsyncService::*)(grpc::ServerContext*, Request*, Responder*, grpc::CompletionQueue*,
                                             grpc::ServerCompletionQueue*, void*);

  Slot(AsyncService* service, RequestCall request_call, Queue* queue, const EchoModel* model, EchoWork* work)
      : service_(service), request_call_(request_call), queue_(queue), model_(model), work_(work) {
    Await();
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  void Proceed(bool ok) override {
    if (!ok && !called_) {
      delete this;  // the server is shut down
      return;
    }
    if (called_) {
      Await();
      return;
    }
    called_ = true;
    work_->Do([this] {
      model_->Answer(call_->request, &call_->response);
      const bool started =
          queue_->Start([this](auto* /*queue*/) { call_->responder.Finish(call_->response, grpc::Status::OK, this); });
      if (!started) delete this;
    });
  }

 private:
  struct Call {
    grpc::ServerContext context;
    Request request;
    Response response;
    Responder responder{&context};
  };

  void Await() {
    called_ = false;
    call_.emplace();
    const bool started = queue_->Start([this](grpc::ServerCompletionQueue* queue) {
      (service_->*request_call_)(&call_->context, &call_->request, &call_->responder, queue, queue, this);
    });
    if (!started) delete this;
  }

  AsyncService* const service_;
  const RequestCall request_call_;
  Queue* const queue_;
  const EchoModel* const model_;
  EchoWork* const work_;
  std::optional<Call> call_;
  bool called_ = false;
};

class AsyncEcho final : public EchoServer {
 public:
  AsyncEcho(const EchoOptions& options, const EchoModel* model)
      : model_(model), work_(options.work, options.workers), no_work_(absl::ZeroDuration(), /*workers=*/0) {}

  ~AsyncEcho() override {
    for (const auto& queue : queues_) queue->Close();
    if (listening_.server != nullptr) {
      listening_.server->Shutdown(std::chrono::system_clock::now());
      listening_.server->Wait();
    }
    for (const auto& queue : queues_) queue->queue->Shutdown();
    for (std::thread& thread : threads_) thread.join();
  }

  absl::Status Bind(const EchoOptions& options) {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    for (int i = 0; i < options.threads; ++i) {
      queues_.push_back(std::make_unique<Queue>());
      queues_.back()->queue = builder.AddCompletionQueue();
    }
    ASSIGN_OR_RETURN(listening_, Listen(builder, options.address));
    for (const auto& queue : queues_) {
      for (int i = 0; i < kWaitingCalls; ++i) Add(&AsyncService::RequestModelInfer, queue.get(), &work_);
      Add(&AsyncService::RequestModelMetadata, queue.get(), &no_work_);
      Add(&AsyncService::RequestRepositoryIndex, queue.get(), &no_work_);
      threads_.emplace_back([source = queue->queue.get()] { Poll(source); });
    }
    return absl::OkStatus();
  }
  const std::string& address() const override { return listening_.address; }

 private:
  // The generated methods are members of a base class of AsyncService, which the compiler would not deduce through.
  template <typename Base, typename Request, typename Response>
  void Add(void (Base::*request_call)(grpc::ServerContext*, Request*, grpc::ServerAsyncResponseWriter<Response>*,
                                      grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void*),
           Queue* queue, EchoWork* work) {
    new Slot<Request, Response>(&service_, request_call, queue, model_, work);
  }

  static void Poll(grpc::ServerCompletionQueue* queue) {
    void* tag = nullptr;
    bool ok = false;
    while (queue->Next(&tag, &ok)) static_cast<CallSlot*>(tag)->Proceed(ok);
  }

  const EchoModel* const model_;
  EchoWork work_;
  EchoWork no_work_;
  AsyncService service_;
  std::vector<std::unique_ptr<Queue>> queues_;
  Listening listening_;
  std::vector<std::thread> threads_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<EchoServer>> StartAsyncEcho(const EchoOptions& options, const EchoModel* model) {
  auto server = std::make_unique<AsyncEcho>(options, model);
  RETURN_IF_ERROR(server->Bind(options));
  return server;
}

absl::StatusOr<std::unique_ptr<EchoServer>> EchoServer::Start(const EchoOptions& options, const EchoModel* model) {
  return options.style == EchoStyle::kAsync ? StartAsyncEcho(options, model) : StartCallbackEcho(options, model);
}

}  // namespace stillwave::benchmark
