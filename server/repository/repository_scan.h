// What lies in a model repository folder: <model>/<version>/model.onnx and, optional, <model>/config.pbtxt.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace stillwave::repository {

struct VersionCandidate {
  int64_t version = 0;     // positive
  std::string model_file;  // path of model.onnx
  std::string stamp;       // of all files of the version; see file_stamp.h
};

struct ModelCandidate {
  std::string name;
  std::string config_file;                 // path, or "" when there is none
  std::string config_stamp;                // of config_file
  std::vector<VersionCandidate> versions;  // ascending; may be empty
  // Why the model's folder could not be looked into; "" when it could.
  std::string unreadable;
};

// Changes when a file of the model does, its configuration included.
std::string StampOf(const ModelCandidate& model);

struct RepositoryScan {
  std::vector<ModelCandidate> models;  // by name
  // What was passed over and why, one sentence each: "file 'ecg/readme.txt' is not a version folder".
  std::vector<std::string> ignored;
};

// Reads names and what the file system says of the files, no file contents. Entries that begin with a dot are passed
// over silently. Symbolic links are followed, as mounted ConfigMaps need. NOT_FOUND or PERMISSION_DENIED when the
// folder itself cannot be read.
absl::StatusOr<RepositoryScan> ScanRepository(const std::string& folder);

// The same for one model. INVALID_ARGUMENT for a name that cannot be a model's, NOT_FOUND when it has no folder.
absl::StatusOr<RepositoryScan> ScanOneModel(const std::string& folder, const std::string& name);

// The names of all models, ascending. Errors as ScanRepository.
absl::StatusOr<std::vector<std::string>> ListModels(const std::string& folder);

}  // namespace stillwave::repository
