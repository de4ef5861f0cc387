#include "server/shared_memory/region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/quoted.h"
#include "server/base/status_macros.h"

namespace stillwave::shared_memory {
namespace {

using base::Quoted;

constexpr size_t kMaxKeyLength = 255;  // NAME_MAX of tmpfs

absl::Status Refuse(const RegionInfo& info, absl::string_view rule) {
  return absl::InvalidArgumentError(absl::StrCat("shared memory region ", Quoted(info.name), ": ", rule));
}

// One file name below /dev/shm, with or without the slash that shm_open asks for.
absl::Status CheckKey(const RegionInfo& info) {
  const absl::string_view file = absl::StripPrefix(info.key, "/");
  if (file.empty() || file.size() > kMaxKeyLength) {
    return Refuse(info, absl::StrCat("key must have 1 to ", kMaxKeyLength, " characters; had ", file.size()));
  }
  if (file == "." || file == ".." || file.find_first_of(absl::string_view("/\0", 2)) != absl::string_view::npos) {
    return Refuse(info,
                  absl::StrCat("key must be one name without a slash, but for a leading one; was ", Quoted(info.key)));
  }
  return absl::OkStatus();
}

absl::Status CheckRange(const RegionInfo& info) {
  constexpr auto kMaxEnd = static_cast<uint64_t>(std::numeric_limits<off_t>::max());
  if (info.byte_size == 0) return Refuse(info, "byte_size must be positive; was 0");
  if (info.byte_size > kMaxEnd || info.offset > kMaxEnd - info.byte_size) {
    return Refuse(info, absl::StrCat("offset and byte_size must lie in the address space; were ", info.offset, " and ",
                                     info.byte_size));
  }
  return absl::OkStatus();
}

absl::Status FromErrno(const RegionInfo& info, int error) {
  const std::string message = absl::StrCat("shared memory region ", Quoted(info.name), ": cannot open key ",
                                           Quoted(info.key), ": ", std::strerror(error));
  if (error == ENOENT) return absl::NotFoundError(message);
  if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(message);
  if (error == EMFILE || error == ENFILE) return absl::ResourceExhaustedError(message);
  return absl::InvalidArgumentError(message);
}

absl::Status CheckObject(const RegionInfo& info, int descriptor) {
  struct stat object {};
  if (fstat(descriptor, &object) != 0) return FromErrno(info, errno);
  if (!S_ISREG(object.st_mode)) return Refuse(info, absl::StrCat("key ", Quoted(info.key), " must be a memory object"));
  const auto size = static_cast<uint64_t>(object.st_size);
  if (info.offset + info.byte_size > size) {
    return Refuse(info, absl::StrCat("offset + byte_size must be at most the object's ", size, " bytes; were ",
                                     info.offset, " + ", info.byte_size));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Region>> Region::Open(RegionInfo info) {
  RETURN_IF_ERROR(CheckKey(info));
  RETURN_IF_ERROR(CheckRange(info));
  const std::string path = absl::StrCat("/", absl::StripPrefix(info.key, "/"));
  // Follows no symbolic link, and no program that we start inherits it.
  const int descriptor = shm_open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
  if (descriptor < 0) return FromErrno(info, errno);
  std::shared_ptr<const Region> region(new Region(std::move(info), descriptor));  // closes it from here on
  RETURN_IF_ERROR(CheckObject(region->info_, descriptor));
  return region;
}

Region::~Region() { close(descriptor_); }

absl::Status Region::CheckInside(uint64_t offset, uint64_t byte_size) const {
  if (offset <= info_.byte_size && byte_size <= info_.byte_size - offset) return absl::OkStatus();
  return Refuse(info_, absl::StrCat("bytes must lie inside of its ", info_.byte_size, "; were ", byte_size,
                                    " from offset ", offset));
}

absl::Status Region::Read(uint64_t offset, absl::Span<char> bytes) const {
  RETURN_IF_ERROR(CheckInside(offset, bytes.size()));
  while (!bytes.empty()) {
    const ssize_t count = pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(info_.offset + offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Refuse(info_, absl::StrCat("cannot be read: ", std::strerror(errno)));
    if (count == 0) return Refuse(info_, "the memory object has become shorter than the region");
    bytes.remove_prefix(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return absl::OkStatus();
}

absl::Status Region::Write(uint64_t offset, absl::string_view bytes) const {
  RETURN_IF_ERROR(CheckInside(offset, bytes.size()));
  // Else pwrite would give back to the object what its owner took away.
  RETURN_IF_ERROR(CheckObject(info_, descriptor_));
  while (!bytes.empty()) {
    const ssize_t count = pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(info_.offset + offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Refuse(info_, absl::StrCat("cannot be written: ", std::strerror(errno)));
    bytes.remove_prefix(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return absl::OkStatus();
}

}  // namespace stillwave::shared_memory
