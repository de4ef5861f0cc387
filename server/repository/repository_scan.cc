#include "server/repository/repository_scan.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/repository/file_stamp.h"

namespace stillwave::repository {
namespace {

namespace fs = std::filesystem;

constexpr char kModelFile[] = "model.onnx";
constexpr char kConfigFile[] = "config.pbtxt";
constexpr size_t kMaxNameBytes = 255;  // of a file system
constexpr size_t kMaxFolderNameShown = 64;

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
      model->config_stamp = StampFile(path);
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
      model->versions.push_back({version, model_file, StampFolder(path)});
    }
  }
  std::sort(model->versions.begin(), model->versions.end(),
            [](const VersionCandidate& a, const VersionCandidate& b) { return a.version < b.version; });
  return absl::OkStatus();
}

// One unreadable folder does not hide the others: its model is listed without versions. One that went while it was
// looked at was not there.
void AddModel(const std::string& folder, const std::string& name, RepositoryScan* scan) {
  ModelCandidate model;
  model.name = name;
  const absl::Status status = ScanModel(absl::StrCat(folder, "/", name), &model, &scan->ignored);
  if (absl::IsNotFound(status)) return;
  if (!status.ok()) model.unreadable = absl::StrCat(status.message());
  scan->models.push_back(std::move(model));
}

}  // namespace

std::string StampOf(const ModelCandidate& model) {
  std::string stamp = absl::StrCat("config ", model.config_stamp, "\n");
  for (const VersionCandidate& version : model.versions) {
    absl::StrAppend(&stamp, "version ", version.version, "\n", version.stamp, "\n");
  }
  return stamp;
}

absl::StatusOr<RepositoryScan> ScanRepository(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, List(folder));
  RepositoryScan scan;
  for (const std::string& name : names) {
    if (IsFolder(absl::StrCat(folder, "/", name))) {
      AddModel(folder, name, &scan);
    } else {
      scan.ignored.push_back(absl::StrCat("'", name, "' is not a model folder"));
    }
  }
  return scan;
}

absl::StatusOr<RepositoryScan> ScanOneModel(const std::string& folder, const std::string& name) {
  const std::string shown = name.substr(0, kMaxFolderNameShown);
  // A name that a client sent must not lead out of the repository.
  if (name.empty() || name.size() > kMaxNameBytes || name.front() == '.' ||
      name.find_first_of(std::string("/\0", 2)) != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("a model's name must be that of a folder in the repository; was '", shown, "'"));
  }
  RepositoryScan scan;
  if (IsFolder(absl::StrCat(folder, "/", name))) AddModel(folder, name, &scan);
  if (scan.models.empty()) return absl::NotFoundError(absl::StrCat("the repository has no folder '", shown, "'"));
  return scan;
}

absl::StatusOr<std::vector<std::string>> ListModels(const std::string& folder) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, List(folder));
  std::erase_if(names, [&](const std::string& name) { return !IsFolder(absl::StrCat(folder, "/", name)); });
  return names;
}

}  // namespace stillwave::repository
