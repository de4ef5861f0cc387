// A bare gRPC server with the messages of the Open Inference Protocol: what no inference server here can be faster
// than.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/benchmark/echo/echo_model.h"

namespace stillwave::benchmark {

enum class EchoStyle {
  kCallback,  // gRPC's threads call the service
  kAsync,     // threads of ours poll completion queues
};

struct EchoOptions {
  std::string address = "127.0.0.1:0";  // port 0: the system chooses
  EchoStyle style = EchoStyle::kCallback;
  int threads = 2;      // kAsync: each with a completion queue
  absl::Duration work;  // a stand-in for the inference: CPU time between request and answer
  int workers = 0;      // threads that do it; 0: the thread that received the request
};

// Serves from construction to destruction: ModelInfer, ModelMetadata and RepositoryIndex, as `stillwave bench` needs
// them.
class EchoServer {
 public:
  // `model` outlives the server. UNAVAILABLE when the address cannot be bound.
  static absl::StatusOr<std::unique_ptr<EchoServer>> Start(const EchoOptions& options, const EchoModel* model);
  // Ends calls that are under way.
  virtual ~EchoServer() = default;

  // With the port that was bound.
  virtual const std::string& address() const = 0;
};

// The two styles behind Start.
absl::StatusOr<std::unique_ptr<EchoServer>> StartCallbackEcho(const EchoOptions& options, const EchoModel* model);
absl::StatusOr<std::unique_ptr<EchoServer>> StartAsyncEcho(const EchoOptions& options, const EchoModel* model);

}  // namespace stillwave::benchmark
