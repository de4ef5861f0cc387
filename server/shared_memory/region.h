// A part of a POSIX shared memory object that a client of the same machine made.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace stillwave::shared_memory {

struct RegionInfo {
  std::string name;        // what requests call it
  std::string key;         // what the operating system calls it: /dev/shm/<key>
  uint64_t offset = 0;     // of the region's first byte in the object
  uint64_t byte_size = 0;  // of the region
};

// Bytes are copied with pread and pwrite and never mapped: a client may cut its object short at any time, and a process
// that then touches its mapping is killed (SIGBUS), where a read only comes out short.
//
// Immutable and thread-safe. What the client writes during a Read may be in the copy or not; the copy itself does not
// change any more, so what was checked is what is computed.
class Region {
 public:
  // Opens an object that exists. INVALID_ARGUMENT, naming rule and value, for a key that is not one file name, for an
  // object that is no plain memory or ends before the region does, for a region without bytes; NOT_FOUND and
  // PERMISSION_DENIED as the system says.
  static absl::StatusOr<std::shared_ptr<const Region>> Open(RegionInfo info);
  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  const RegionInfo& info() const { return info_; }

  // INVALID_ARGUMENT unless bytes [offset, offset + byte_size) lie inside of the region.
  absl::Status CheckInside(uint64_t offset, uint64_t byte_size) const;

  // Copies the region's bytes from `offset` on. INVALID_ARGUMENT when they do not lie inside of the region, or when the
  // client has cut its object short since.
  absl::Status Read(uint64_t offset, absl::Span<char> bytes) const;
  // The other way. Never makes the object longer than the region.
  absl::Status Write(uint64_t offset, absl::string_view bytes) const;

 private:
  Region(RegionInfo info, int descriptor) : info_(std::move(info)), descriptor_(descriptor) {}

  const RegionInfo info_;
  const int descriptor_;
};

}  // namespace stillwave::shared_memory
