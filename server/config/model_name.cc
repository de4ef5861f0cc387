#include "server/config/model_name.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/ascii.h"

namespace stillwave::config {
namespace {

bool IsVersionNumber(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), absl::ascii_isdigit);
}

}  // namespace

std::string ModelNameFor(absl::string_view model_file) {
  std::error_code ignored;  // without a working directory the path is used as it is
  std::filesystem::path path(std::string(model_file.data(), model_file.size()));
  if (const auto absolute = std::filesystem::absolute(path, ignored); !absolute.empty()) path = absolute;
  path = path.lexically_normal();
  if (path.stem() != "model") return path.stem().string();
  std::filesystem::path folder = path.parent_path();
  if (IsVersionNumber(folder.filename().string())) folder = folder.parent_path();
  return folder.filename().empty() ? "model" : folder.filename().string();
}

}  // namespace stillwave::config
