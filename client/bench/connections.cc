#include "client/bench/connections.h"

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/exit_code.h"

namespace stillwave::client::bench {
namespace {

constexpr int kMaxAnswerBytes = 256 << 20;

std::shared_ptr<grpc::Channel> NewChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  // Otherwise channels to one address share a connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // A refusal is a result here, and not to be tried again.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

absl::StatusOr<Channels> OpenConnections(const std::string& address, int count, absl::Duration timeout) {
  Channels channels;
  for (int i = 0; i < count; ++i) {
    channels.push_back(NewChannel(address));
    channels.back()->GetState(/*try_to_connect=*/true);
  }
  const std::chrono::system_clock::time_point deadline = absl::ToChronoTime(absl::Now() + timeout);
  for (int i = 0; i < count; ++i) {
    if (channels[static_cast<size_t>(i)]->WaitForConnected(deadline)) continue;
    return MakeError(ExitCode::kUnreachable,
                     absl::StrCat("cannot reach ", address, ": connection ", i + 1, " of ", count,
                                  " is not there within ", absl::FormatDuration(timeout)));
  }
  return channels;
}

}  // namespace stillwave::client::bench
