#include "server/repository/repository_scan.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"

namespace stillwave::repository {
namespace {

namespace fs = std::filesystem;

constexpr char kModelFile[] = "model.onnx";
constexpr char kConfigFile[] = "config.pbtxt";

absl::Status CannotRead(const std::string& folder, const std::error_code& error) {
  const std::string message = absl::StrCat("model repository '", folder, "' cannot be read: ", error.message());
  if (error == std::errc::no_such_file_or_directory) return absl::NotFoundError(message);
  if (error == std::errc::permission_denied) return absl::PermissionDeniedError(message);
  if (error == std::errc::not_a_directory) return absl::FailedPreconditionError(message);
  return absl::UnavailableError(message);
}

// Names in the folder, sorted; dot files are left out.
absl::StatusOr<std::vector<std::string>> List(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (name.front() != '.') names.push_back(std::move(name));
  }
  if (error) return CannotRead(folder, error);
  std::sort(names.begin(), names.end());
  return names;
}

bool IsFolder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool IsFile(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// 0 for what is not a version number as it is printed: "1", not "01" and not "+1".
int64_t ParseVersion(const std::string& name) {
  int64_t version = 0;
  const bool is_version = absl::SimpleAtoi(name, &version) && version > 0 && absl::StrCat(version) == name;
  return is_version ? version : 0;
}

absl::Status ScanModel(const std::string& folder, ModelCandidate* model, std::vector<std::string>* ignored) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, List(folder));
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(folder, "/", name);
    const std::string shown = absl::StrCat(model->name, "/", name);
    if (name == kConfigFile && IsFile(path)) {
      model->config_file = path;
      continue;
    }
    if (!IsFolder(path)) {
      ignored->push_back(absl::StrCat("'", shown, "' is neither ", kConfigFile, " nor a version folder"));
      continue;
    }
    const int64_t version = ParseVersion(name);
    const std::string model_file = absl::StrCat(path, "/", kModelFile);
    if (version == 0) {
      ignored->push_back(absl::StrCat("folder '", shown, "' is not a version, which is a positive number"));
    } else if (!IsFile(model_file)) {
      ignored->push_back(absl::StrCat("version folder '", shown, "' has no ", kModelFile));
    } else {
      model->versions.push_back({version, model_file});
    }
  }
  std::sort(model->versions.begin(), model->versions.end(),
            [](const VersionCandidate& a, const VersionCandidate& b) { return a.version < b.version; });
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RepositoryScan> ScanRepository(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, List(folder));
  RepositoryScan scan;
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(folder, "/", name);
    if (!IsFolder(path)) {
      scan.ignored.push_back(absl::StrCat("'", name, "' is not a model folder"));
      continue;
    }
    ModelCandidate& model = scan.models.emplace_back();
    model.name = name;
    // One unreadable folder does not hide the others: its model is listed without versions.
    if (const absl::Status status = ScanModel(path, &model, &scan.ignored); !status.ok()) {
      scan.ignored.push_back(absl::StrCat(status.message()));
    }
  }
  return scan;
}

}  // namespace stillwave::repository
