#include "client/sample_reader.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/audio_reader.h"
#include "client/csv_reader.h"
#include "client/exit_code.h"
#include "client/npy_reader.h"
#include "server/base/status_macros.h"
#include "server/npy/npy_header.h"

namespace stillwave::client {
namespace {

constexpr size_t kMaxFileBytes = size_t{4} << 30;
constexpr size_t kReadBytes = size_t{1} << 20;

// Reads to the end instead of trusting a size: pipes and process substitutions have none.
absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return BadInputError(absl::StrCat(path, ": is a folder"));
  std::ifstream file(path, std::ios::binary);
  if (!file) return BadInputError(absl::StrCat(path, ": cannot open: ", std::strerror(errno)));
  std::string bytes;
  while (file) {
    const size_t before = bytes.size();
    bytes.resize(before + kReadBytes);
    file.read(bytes.data() + before, kReadBytes);
    bytes.resize(before + static_cast<size_t>(file.gcount()));
    if (bytes.size() > kMaxFileBytes) {
      return BadInputError(absl::StrCat(path, ": a file must be at most ", kMaxFileBytes, " bytes"));
    }
  }
  if (file.bad()) return BadInputError(absl::StrCat(path, ": cannot read: ", std::strerror(errno)));
  return bytes;
}

}  // namespace

absl::StatusOr<SampleArray> ReadSampleFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  if (bytes.empty()) return BadInputError(absl::StrCat(path, ": the file is empty"));
  // A file that says it is .npy goes to that reader, whose complaint is the helpful one.
  if (npy::HasNpyMagic(bytes) || absl::EndsWith(path, ".npy")) return ParseNpy(bytes, path);
  if (HasAudioMagic(bytes) || absl::EndsWith(path, ".wav") || absl::EndsWith(path, ".flac")) {
    return ParseAudio(bytes, path);
  }
  return ParseCsv(bytes, path);
}

}  // namespace stillwave::client
