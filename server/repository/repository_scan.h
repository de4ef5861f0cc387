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
};

struct ModelCandidate {
  std::string name;
  std::string config_file;                 // path, or "" when there is none
  std::vector<VersionCandidate> versions;  // ascending; may be empty
};

struct RepositoryScan {
  std::vector<ModelCandidate> models;  // by name
  // What was passed over and why, one sentence each: "file 'ecg/readme.txt' is not a version folder".
  std::vector<std::string> ignored;
};

// Reads names only, no file contents. Entries that begin with a dot are passed over silently. Symbolic links are
// followed, as mounted ConfigMaps need. NOT_FOUND or PERMISSION_DENIED when the folder itself cannot be read.
absl::StatusOr<RepositoryScan> ScanRepository(const std::string& folder);

}  // namespace stillwave::repository
