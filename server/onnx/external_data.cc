#include "server/onnx/external_data.h"

#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/onnx/limits.h"
#include "server/onnx/names.h"

namespace stillwave::onnx_import {
namespace {

constexpr size_t kChunkBytes = 1 << 20;

absl::Status CheckLocation(const std::string& location) {
  if (location.empty()) return absl::InvalidArgumentError("external data has no location");
  if (location.size() >= PATH_MAX || location.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat("external data location ", Quoted(location), " is not a path"));
  }
  if (location[0] == '/') {
    return absl::InvalidArgumentError(
        absl::StrCat("external data must lie in the model's folder; location ", Quoted(location), " is absolute"));
  }
  for (const absl::string_view part : absl::StrSplit(location, '/')) {
    if (part == "..") {
      return absl::InvalidArgumentError(
          absl::StrCat("external data must lie in the model's folder; location ", Quoted(location), " holds '..'"));
    }
  }
  return absl::OkStatus();
}

// The path without symbolic links; the error names only what the file said, not where the folder lies.
absl::StatusOr<std::string> RealPath(const std::string& path, const std::string& location) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(realpath(path.c_str(), nullptr), &std::free);
  if (resolved == nullptr) {
    const std::string words =
        absl::StrCat("external data file ", Quoted(location), " cannot be opened: ", std::strerror(errno));
    return errno == ENOENT || errno == ENOTDIR ? absl::NotFoundError(words) : absl::InvalidArgumentError(words);
  }
  return std::string(resolved.get());
}

absl::Status ReadAt(int fd, int64_t offset, int64_t count, char* destination) {
  while (count > 0) {
    const ssize_t got = pread(fd, destination, static_cast<size_t>(std::min<int64_t>(count, INT_MAX)), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("external data cannot be read: ", got == 0 ? "the file became shorter" : std::strerror(errno)));
    }
    offset += got;
    destination += got;
    count -= got;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Sha1OfFile(int fd, int64_t size) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (digest == nullptr || EVP_DigestInit_ex(digest.get(), EVP_sha1(), nullptr) != 1) {
    return absl::InternalError("SHA-1 is not to be had from OpenSSL");
  }
  std::vector<char> chunk(kChunkBytes);
  for (int64_t offset = 0; offset < size;) {
    const int64_t count = std::min<int64_t>(kChunkBytes, size - offset);
    RETURN_IF_ERROR(ReadAt(fd, offset, count, chunk.data()));
    EVP_DigestUpdate(digest.get(), chunk.data(), static_cast<size_t>(count));
    offset += count;
  }
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EVP_DigestFinal_ex(digest.get(), hash, &length);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(hash), length));
}

}  // namespace

ExternalData::~ExternalData() { CloseFile(); }

void ExternalData::CloseFile() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  open_location_.clear();
}

absl::Status ExternalData::OpenFile(const std::string& location) {
  if (fd_ >= 0 && location == open_location_) return absl::OkStatus();
  CloseFile();
  ASSIGN_OR_RETURN(const std::string folder, RealPath(folder_, location));
  ASSIGN_OR_RETURN(const std::string path, RealPath(absl::StrCat(folder_, "/", location), location));
  const std::string prefix = folder == "/" ? folder : folder + "/";
  if (path == folder) {
    return absl::InvalidArgumentError(
        absl::StrCat("external data must be a regular file; ", Quoted(location), " is the model's folder"));
  }
  if (!absl::StartsWith(path, prefix)) {
    return absl::InvalidArgumentError(
        absl::StrCat("external data must lie in the model's folder; location ", Quoted(location), " leads out of it"));
  }
  fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat info {};
  if (fd_ < 0 || fstat(fd_, &info) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("external data file ", Quoted(location), " cannot be opened: ", std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat("external data must be a regular file; ", Quoted(location), " is ",
                                                   S_ISDIR(info.st_mode) ? "a directory" : "none"));
  }
  open_location_ = location;
  file_size_ = info.st_size;
  return absl::OkStatus();
}

absl::Status ExternalData::CheckChecksum(const ExternalLocation& location) {
  if (location.checksum.empty()) return absl::OkStatus();
  std::string& known = checksums_[location.location];
  if (known.empty()) {
    ASSIGN_OR_RETURN(known, Sha1OfFile(fd_, file_size_));
  }
  if (absl::EqualsIgnoreCase(known, location.checksum)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("external data file ", Quoted(location.location), " must have SHA-1 ",
                                                 Quoted(location.checksum), "; has ", known));
}

absl::Status ExternalData::Open(const ExternalLocation& location, int64_t byte_size) {
  if (folder_.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("weights in external data (", Quoted(location.location),
                                                   ") need a model file; this model came as bytes alone"));
  }
  RETURN_IF_ERROR(CheckLocation(location.location));
  if (location.offset < 0) {
    return absl::InvalidArgumentError(absl::StrCat("external data offset must not be negative; was ", location.offset));
  }
  if (location.length >= 0 && location.length != byte_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("external data length must be the tensor's ", byte_size, " bytes; was ", location.length));
  }
  RETURN_IF_ERROR(OpenFile(location.location));
  if (location.offset > file_size_ || byte_size > file_size_ - location.offset) {
    return absl::InvalidArgumentError(absl::StrCat("external data file ", Quoted(location.location), " must hold ",
                                                   byte_size, " bytes from offset ", location.offset, " on; has ",
                                                   file_size_, " bytes in all"));
  }
  if (byte_size > kMaxExternalBytes - total_bytes_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a model's external data must not exceed ", kMaxExternalBytes, " bytes in all"));
  }
  total_bytes_ += byte_size;
  return CheckChecksum(location);
}

absl::Status ExternalData::Read(const ExternalLocation& location, int64_t byte_size, void* destination) {
  SW_CHECK(fd_ >= 0 && location.location == open_location_);
  return ReadAt(fd_, location.offset, byte_size, static_cast<char*>(destination));
}

}  // namespace stillwave::onnx_import
