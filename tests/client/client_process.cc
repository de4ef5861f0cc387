#include "tests/client/client_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "server/base/check.h"

namespace stillwave::client {
namespace {

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Environment(const std::vector<std::string>& extra) {
  std::vector<std::string> environment = extra;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::string(*entry).rfind("STILLWAVE_SERVER=", 0) != 0) environment.emplace_back(*entry);
  }
  return environment;
}

}  // namespace

ClientProcess::ClientProcess(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
  signal(SIGPIPE, SIG_IGN);  // a client that has ended must not end the test
  error_path_ = testing::TempDir() + "/client_stderr_XXXXXX";
  const int error = mkostemp(error_path_.data(), O_CLOEXEC);
  int input[2];
  int output[2];
  SW_CHECK(error >= 0 && pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0);
  std::vector<std::string> argument_strings = {STILLWAVE_CLIENT_BINARY};
  argument_strings.insert(argument_strings.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment_strings = Environment(environment);
  const std::vector<char*> argv = Pointers(argument_strings);
  const std::vector<char*> envp = Pointers(environment_strings);
  pid_ = fork();
  SW_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    signal(SIGPIPE, SIG_DFL);
    dup2(input[0], STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    dup2(error, STDERR_FILENO);
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  close(input[0]);
  close(output[1]);
  close(error);
  input_ = input[1];
  output_ = output[0];
}

ClientProcess::~ClientProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  CloseInput();
  if (output_ >= 0) close(output_);
  unlink(error_path_.c_str());
}

void ClientProcess::WriteInput(const std::string& text) {
  for (size_t written = 0; written < text.size();) {
    const ssize_t bytes = write(input_, text.data() + written, text.size() - written);
    if (bytes <= 0) return;  // the client has ended; its exit code tells why
    written += static_cast<size_t>(bytes);
  }
}

void ClientProcess::CloseInput() {
  if (input_ >= 0) close(input_);
  input_ = -1;
}

std::string ClientProcess::ReadLine() {
  while (true) {
    const size_t end = read_.find('\n', line_begin_);
    if (end != std::string::npos) {
      std::string line = read_.substr(line_begin_, end - line_begin_);
      line_begin_ = end + 1;
      return line;
    }
    char buffer[65536];
    const ssize_t bytes = read(output_, buffer, sizeof(buffer));
    if (bytes <= 0) return "";
    read_.append(buffer, static_cast<size_t>(bytes));
  }
}

void ClientProcess::Signal(int signal) { kill(pid_, signal); }

ClientResult ClientProcess::Wait() {
  CloseInput();
  char buffer[65536];
  for (ssize_t bytes; (bytes = read(output_, buffer, sizeof(buffer))) > 0;) {
    read_.append(buffer, static_cast<size_t>(bytes));
  }
  int status = 0;
  SW_CHECK(waitpid(pid_, &status, 0) == pid_);
  pid_ = -1;
  std::ostringstream error;
  error << std::ifstream(error_path_).rdbuf();
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_, error.str()};
}

ClientResult RunClient(const std::vector<std::string>& arguments, const std::string& input,
                       const std::vector<std::string>& environment) {
  ClientProcess client(arguments, environment);
  client.WriteInput(input);
  return client.Wait();
}

std::string WriteTempFile(const std::string& name, const std::string& bytes) {
  const std::string path = testing::TempDir() + "/stillwave_client_" + std::to_string(getpid()) + "_" + name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

}  // namespace stillwave::client
