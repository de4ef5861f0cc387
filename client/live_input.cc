#include "client/live_input.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/exit_code.h"

namespace stillwave::client {
namespace {

constexpr size_t kLiveReadBytes = 65536;

}  // namespace

absl::StatusOr<LiveInput::Came> LiveInput::Read(std::string* bytes) {
  char buffer[kLiveReadBytes];
  while (true) {
    if (interrupt_->Wait(fd_, absl::InfiniteFuture()) != Interrupt::Wake::kReadable) return Came::kInterrupt;
    const ssize_t count = read(fd_, buffer, sizeof(buffer));
    if (count > 0) {
      bytes->append(buffer, static_cast<size_t>(count));
      return Came::kBytes;
    }
    if (count == 0) return Came::kEnd;
    if (errno != EINTR && errno != EAGAIN) {
      return BadInputError(absl::StrCat(name_, ": cannot read: ", std::strerror(errno)));
    }
  }
}

}  // namespace stillwave::client
