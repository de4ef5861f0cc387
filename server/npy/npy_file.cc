#include "server/npy/npy_file.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"

namespace stillwave::npy {
namespace {

constexpr uintmax_t kMaxFileBytes = uintmax_t{4} << 30;

// The file's first bytes, `most` of them where there are so many.
absl::StatusOr<std::string> ReadBeginning(const std::string& path, uintmax_t most) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return absl::NotFoundError(absl::StrCat(path, ": there is no such file"));
  }
  if (!std::filesystem::is_regular_file(status)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": must be a regular file"));
  }
  const uintmax_t size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) return absl::InvalidArgumentError(absl::StrCat(path, ": cannot open: ", std::strerror(errno)));
  if (size > kMaxFileBytes) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": a file must be at most ", kMaxFileBytes, " bytes"));
  }
  std::string bytes(static_cast<size_t>(std::min(size, most)), '\0');
  if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": cannot read: ", std::strerror(errno)));
  }
  return bytes;
}

}  // namespace

absl::StatusOr<NpyArray> ReadNpyFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadBeginning(path, kMaxFileBytes));
  absl::StatusOr<NpyArray> array = ParseNpy(bytes);
  if (!array.ok()) return base::Annotate(array.status(), path);
  return array;
}

absl::StatusOr<NpyHeader> ReadNpyFileHeader(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadBeginning(path, kMaxNpyHeaderBytes));
  absl::StatusOr<NpyHeader> header = ParseNpyHeader(bytes);
  if (!header.ok()) return base::Annotate(header.status(), path);
  RETURN_IF_ERROR(base::Annotate(CountElements(header->shape).status(), path));
  return header;
}

}  // namespace stillwave::npy
