#include "tests/support/server_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/check.h"

extern char** environ;

namespace stillwave::test_support {
namespace {

struct Pipe {
  Pipe() { SW_CHECK(pipe2(ends, O_CLOEXEC) == 0); }
  int ends[2];
};

// `out` and `err` become the program's standard output and error; -1: /dev/null.
pid_t Spawn(const std::string& name, const std::vector<std::string>& arguments, int out, int err) {
  const std::string path = absl::StrCat(STILLWAVE_BINARY_DIR, "/bin/", name);
  std::vector<char*> argv = {const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  SW_CHECK(posix_spawn_file_actions_init(&actions) == 0);
  for (const auto& [source, target] : {std::pair(out, STDOUT_FILENO), std::pair(err, STDERR_FILENO)}) {
    if (source >= 0) {
      SW_CHECK(posix_spawn_file_actions_adddup2(&actions, source, target) == 0);
    } else {
      SW_CHECK(posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_WRONLY, 0) == 0);
    }
  }
  pid_t pid = -1;
  const int error = posix_spawn(&pid, path.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  SW_CHECK(error == 0);
  return pid;
}

// Up to 64 KiB; empty at the end.
std::string ReadSome(int fd) {
  std::string buffer(65536, '\0');
  ssize_t size = 0;
  do {
    size = read(fd, buffer.data(), buffer.size());
  } while (size < 0 && errno == EINTR);
  buffer.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return buffer;
}

std::string ReadAll(int fd) {
  std::string all;
  for (std::string some = ReadSome(fd); !some.empty(); some = ReadSome(fd)) all += some;
  return all;
}

int WaitForExit(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) SW_CHECK(errno == EINTR);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool HasFlag(const std::vector<std::string>& flags, const std::string& name) {
  return std::any_of(flags.begin(), flags.end(),
                     [&](const std::string& flag) { return absl::StartsWith(flag, name + "="); });
}

// The value of `name=value` in a line of the text log.
std::string FieldOf(const std::string& line, const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(line, ' ');
  for (const std::string& part : parts) {
    if (absl::StartsWith(part, name + "=")) return part.substr(name.size() + 1);
  }
  return "";
}

}  // namespace

ProgramResult RunProgram(const std::string& name, const std::vector<std::string>& arguments) {
  Pipe out;
  Pipe err;
  const pid_t pid = Spawn(name, arguments, out.ends[1], err.ends[1]);
  close(out.ends[1]);
  close(err.ends[1]);
  ProgramResult result;
  std::thread error_reader([&] { result.err = ReadAll(err.ends[0]); });
  result.out = ReadAll(out.ends[0]);
  error_reader.join();
  close(out.ends[0]);
  close(err.ends[0]);
  result.exit_code = WaitForExit(pid);
  return result;
}

absl::StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::StartAndWaitForLog(std::vector<std::string> flags,
                                                                                 const std::string& text) {
  for (const char* name : {"--grpc_address", "--http_address"}) {
    if (!HasFlag(flags, name)) flags.push_back(absl::StrCat(name, "=127.0.0.1:0"));
  }
  Pipe err;
  const pid_t pid = Spawn("stillwave-server", flags, /*out=*/-1, err.ends[1]);
  close(err.ends[1]);
  std::unique_ptr<ServerProcess> server(new ServerProcess(pid, err.ends[0]));
  if (!server->WaitForLog(text)) return absl::InternalError(absl::StrCat("no server:\n", server->Log()));
  return server;
}

absl::StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Start(std::vector<std::string> flags) {
  auto server = StartAndWaitForLog(std::move(flags), " serving ");
  if (!server.ok()) return server;
  const std::vector<std::string> lines = absl::StrSplit((*server)->Log(), '\n');
  for (const std::string& line : lines) {
    if (!absl::StrContains(line, " serving ")) continue;
    (*server)->grpc_address_ = FieldOf(line, "grpc_address");
    (*server)->http_address_ = FieldOf(line, "http_address");
  }
  return server;
}

ServerProcess::ServerProcess(pid_t pid, int error_pipe)
    : pid_(pid), error_pipe_(error_pipe), reader_([this] { ReadLog(); }) {}

ServerProcess::~ServerProcess() {
  if (exit_code_ < 0) {
    Signal(SIGKILL);
    Wait();
  }
  reader_.join();
  close(error_pipe_);
}

void ServerProcess::ReadLog() {
  for (std::string some = ReadSome(error_pipe_); !some.empty(); some = ReadSome(error_pipe_)) {
    absl::MutexLock lock(&mutex_);
    log_ += some;
  }
  absl::MutexLock lock(&mutex_);
  log_ended_ = true;
}

void ServerProcess::Signal(int signal) const { SW_CHECK(kill(pid_, signal) == 0); }

int ServerProcess::Wait() {
  if (exit_code_ < 0) exit_code_ = WaitForExit(pid_);
  return exit_code_;
}

bool ServerProcess::WaitForLog(const std::string& text) {
  const auto settled = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    const size_t at = log_.find(text);
    return log_ended_ || (at != std::string::npos && log_.find('\n', at) != std::string::npos);
  };
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&settled));
  return log_.find(text) != std::string::npos;
}

std::string ServerProcess::Log() const {
  absl::MutexLock lock(&mutex_);
  return log_;
}

}  // namespace stillwave::test_support
