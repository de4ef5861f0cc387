// Runs the real `stillwave` program as a user's shell would.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace stillwave::client {

struct ClientResult {
  int exit_code = -1;  // -1: ended by a signal
  std::string out;
  std::string err;
};

// A running client with pipes at its standard input and output. Environment: as the test's, without STILLWAVE_SERVER
// unless `environment` ("NAME=value") has it.
class ClientProcess {
 public:
  explicit ClientProcess(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {});
  ~ClientProcess();
  ClientProcess(const ClientProcess&) = delete;
  ClientProcess& operator=(const ClientProcess&) = delete;

  void WriteInput(const std::string& text);
  void CloseInput();
  // The next line of standard output without its '\n'; empty at the end.
  std::string ReadLine();
  void Signal(int signal);
  // Closes the input, reads all that is left, and waits for the end.
  ClientResult Wait();

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string error_path_;
  std::string read_;       // everything from standard output
  size_t line_begin_ = 0;  // in read_
};

// Runs to the end.
ClientResult RunClient(const std::vector<std::string>& arguments, const std::string& input = "",
                       const std::vector<std::string>& environment = {});

// Writes a file into the tests' temporary folder; returns its path.
std::string WriteTempFile(const std::string& name, const std::string& bytes);

}  // namespace stillwave::client
