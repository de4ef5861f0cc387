#include "server/recalibration/model_output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "server/base/new_file_mode.h"
#include "server/base/status_macros.h"

namespace stillwave::recalibration {
namespace {

namespace fs = std::filesystem;

fs::path FolderOf(const std::string& file) {
  const fs::path folder = fs::path(file).parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

bool AreSame(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  return fs::equivalent(a, b, ignored);
}

absl::Status CannotWrite(const std::string& path, const std::string& reason) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be written: ", reason));
}

// A new file beside `path`, with what `fill` puts into it; the caller renames or removes it.
template <typename Fill>
absl::StatusOr<std::string> WriteBeside(const std::string& path, Fill fill) {
  std::string name = path + ".part-XXXXXX";
  const int fd = mkstemp(name.data());
  if (fd < 0) return CannotWrite(path, std::strerror(errno));
  absl::Cleanup remove = [&name] { unlink(name.c_str()); };
  const absl::Cleanup close_file = [fd] { close(fd); };
  RETURN_IF_ERROR(fill(fd));
  if (fchmod(fd, base::NewFileMode()) != 0 || fsync(fd) != 0) return CannotWrite(path, std::strerror(errno));
  std::move(remove).Cancel();
  return name;
}

absl::Status WriteAll(int fd, absl::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return CannotWrite(path, std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status Rename(const std::string& from, const std::string& to) {
  return rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus() : CannotWrite(to, std::strerror(errno));
}

bool HaveEqualBytes(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  if (fs::file_size(a, ignored) != fs::file_size(b, ignored)) return false;
  std::ifstream first(a, std::ios::binary);
  std::ifstream second(b, std::ios::binary);
  return std::equal(std::istreambuf_iterator<char>(first), {}, std::istreambuf_iterator<char>(second), {});
}

absl::Status CopyDataFile(const fs::path& from, const fs::path& to, bool may_replace) {
  std::error_code error;
  if (fs::exists(to, error)) {
    if (AreSame(from, to) || HaveEqualBytes(from, to)) return absl::OkStatus();
    if (!may_replace) {
      return absl::AlreadyExistsError(absl::StrCat(
          to.string(), ": weights of the model belong here, and another file is there; --force replaces it"));
    }
  }
  fs::create_directories(to.parent_path(), error);
  ASSIGN_OR_RETURN(
      const std::string part, WriteBeside(to.string(), [&](int fd) {
        std::ifstream source(from, std::ios::binary);
        std::vector<char> piece(1 << 16);
        while (source.read(piece.data(), static_cast<std::streamsize>(piece.size())) || source.gcount() > 0) {
          RETURN_IF_ERROR(WriteAll(fd, {piece.data(), static_cast<size_t>(source.gcount())}, to.string()));
        }
        return source.eof() ? absl::OkStatus() : CannotWrite(to.string(), "its source cannot be read");
      }));
  return Rename(part, to.string());
}

}  // namespace

absl::Status CheckOutput(const std::string& input, const std::set<std::string>& data_files, const std::string& output,
                         bool may_replace) {
  if (AreSame(input, output)) {
    return absl::AlreadyExistsError(absl::StrCat("--output must be another file than --model; both are ", output));
  }
  for (const std::string& file : data_files) {
    if (!AreSame(FolderOf(input) / file, output)) continue;
    return absl::AlreadyExistsError(
        absl::StrCat("--output must not be a file of --model; ", output, " holds its weights"));
  }
  std::error_code error;
  if (!fs::is_directory(FolderOf(output), error)) {
    return absl::NotFoundError(absl::StrCat(output, ": the folder ", FolderOf(output).string(), " is not there"));
  }
  if (fs::is_directory(output, error)) return absl::AlreadyExistsError(absl::StrCat(output, ": is a folder"));
  if (fs::exists(output, error) && !may_replace) {
    return absl::AlreadyExistsError(absl::StrCat(output, ": is there already; --force replaces it"));
  }
  return absl::OkStatus();
}

absl::Status WriteModelFile(absl::string_view bytes, const std::string& input, const std::string& output,
                            const std::set<std::string>& data_files, bool may_replace,
                            const std::function<absl::Status(const std::string& path)>& check) {
  const fs::path from = FolderOf(input);
  const fs::path to = FolderOf(output);
  if (!AreSame(from, to)) {
    for (const std::string& file : data_files) RETURN_IF_ERROR(CopyDataFile(from / file, to / file, may_replace));
  }
  ASSIGN_OR_RETURN(const std::string part, WriteBeside(output, [&](int fd) { return WriteAll(fd, bytes, output); }));
  absl::Cleanup remove = [&part] { unlink(part.c_str()); };
  RETURN_IF_ERROR(check(part));
  RETURN_IF_ERROR(Rename(part, output));
  std::move(remove).Cancel();
  return absl::OkStatus();
}

}  // namespace stillwave::recalibration
