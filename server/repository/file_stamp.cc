#include "server/repository/file_stamp.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace stillwave::repository {
namespace {

namespace fs = std::filesystem;

std::string ToStamp(const struct stat& file) {
  return absl::StrCat(file.st_size, " ", file.st_mtim.tv_sec, ".", file.st_mtim.tv_nsec, " ", file.st_ino);
}

// Names in the folder in their order, so that a cut at the limit always leaves the same files; dot entries are left
// out. What cannot be listed has none: a later look will see it, or not.
std::vector<std::string> ListEntries(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (name.front() != '.') names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

// `below`: the folder's name for people, as in "weights/".
void Collect(const std::string& folder, const std::string& below, int depth, std::vector<std::string>* lines) {
  for (const std::string& name : ListEntries(folder)) {
    if (lines->size() >= kMaxStampedFiles) return;
    const std::string path = absl::StrCat(folder, "/", name);
    struct stat file;
    if (stat(path.c_str(), &file) != 0) continue;
    if (S_ISREG(file.st_mode)) {
      lines->push_back(absl::StrCat(below, name, " ", ToStamp(file)));
    } else if (S_ISDIR(file.st_mode) && depth < kMaxStampedDepth) {
      Collect(path, absl::StrCat(below, name, "/"), depth + 1, lines);
    }
  }
}

}  // namespace

std::string StampFile(const std::string& path) {
  struct stat file;
  if (stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return "";
  return ToStamp(file);
}

std::string StampFolder(const std::string& folder) {
  std::vector<std::string> lines;
  Collect(folder, "", /*depth=*/0, &lines);
  return absl::StrJoin(lines, "\n");
}

}  // namespace stillwave::repository
