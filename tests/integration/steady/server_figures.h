// What the server process holds, as the kernel and /metrics say.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/rpc.h"
#include "tests/integration/scale_models.h"

namespace stillwave::integration {

inline constexpr int64_t kMebibyte = int64_t{1} << 20;

// "VmRSS", "VmHWM" (the most there ever was) of /proc/<pid>/status, in bytes; 0 when the process is gone.
inline int64_t MemoryOf(pid_t pid, const std::string& field) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  for (std::string line; std::getline(status, line);) {
    if (!absl::StartsWith(line, field + ":")) continue;
    int64_t kibibytes = 0;
    const std::string number = line.substr(field.size() + 1, line.find(" kB") - field.size() - 1);
    return absl::SimpleAtoi(number, &kibibytes) ? kibibytes * 1024 : 0;
  }
  return 0;
}

// From now on VmHWM counts anew.
inline void ResetMemoryPeak(pid_t pid) { std::ofstream(absl::StrCat("/proc/", pid, "/clear_refs")) << "5"; }

// The descriptors that the process has open.
inline int64_t DescriptorsOf(pid_t pid) {
  int64_t count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator it(absl::StrCat("/proc/", pid, "/fd"), error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  return count;
}

// Closed connections are noticed a moment later.
inline bool DescriptorsGoBackTo(pid_t pid, int64_t count) {
  return Until([&] { return DescriptorsOf(pid) <= count; });
}

inline std::unique_ptr<test_support::ServerProcess> MustServe(std::vector<std::string> flags) {
  auto server = test_support::ServerProcess::Start(std::move(flags));
  EXPECT_TRUE(server.ok()) << server.status();
  return server.ok() ? *std::move(server) : nullptr;
}

inline double MetricOf(const test_support::ServerProcess& server, const std::string& prefix) {
  return Metric(HttpGet(server.http_address(), "/metrics").body, prefix);
}

// The bytes of the only output; empty, and a failure of the test, when there is none.
inline std::string AnswerTo(Client& client, const inference::ModelInferRequest& request) {
  inference::ModelInferResponse response;
  const grpc::Status status = Call(*client.inference, &Inference::Stub::ModelInfer, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.raw_output_contents_size() == 1 ? response.raw_output_contents(0) : "";
}

inline void ExpectCleanExit(test_support::ServerProcess& server) {
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0) << server.Log();
}

}  // namespace stillwave::integration
