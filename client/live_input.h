// Bytes that arrive while the program runs.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/interrupt.h"

namespace stillwave::client {

// Not thread-safe.
class LiveInput {
 public:
  // `interrupt` must outlive the object. REQUIRES: fd is open for reading; it stays the caller's.
  LiveInput(int fd, absl::string_view name, Interrupt* interrupt) : fd_(fd), name_(name), interrupt_(interrupt) {}

  enum class Came { kBytes, kEnd, kInterrupt };
  // Blocks until there is something to append to `bytes`, the input ends, or the interrupt's wait does. Bad input when
  // it cannot be read.
  absl::StatusOr<Came> Read(std::string* bytes);

  const std::string& name() const { return name_; }

 private:
  const int fd_;
  const std::string name_;
  Interrupt* const interrupt_;
};

}  // namespace stillwave::client
