// Weights that lie in files beside the model (ONNX external data).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace stillwave::onnx_import {

// One tensor's entries in TensorProto.external_data; -1 where an entry is left out.
struct ExternalLocation {
  std::string location;  // relative path inside the data folder
  int64_t offset = 0;
  int64_t length = -1;
  std::string checksum;  // SHA-1 of the whole file in hex; empty: not given
};

// Reads parts of files inside one folder. A path that is absolute, holds "..", or leads out of the folder through a
// symbolic link is refused, and so is anything but a regular file. Keeps the last file open. Not thread-safe.
class ExternalData {
 public:
  // `folder` empty: everything is refused.
  explicit ExternalData(std::string folder) : folder_(std::move(folder)) {}
  ~ExternalData();
  ExternalData(const ExternalData&) = delete;
  ExternalData& operator=(const ExternalData&) = delete;

  // Opens the file and checks that it holds `byte_size` bytes at the offset, that a given length says the same, and
  // that a given checksum is the file's. Call it before memory for the tensor is taken.
  absl::Status Open(const ExternalLocation& location, int64_t byte_size);

  // Copies what the last Open was about. REQUIRES: Open succeeded with the same arguments.
  absl::Status Read(const ExternalLocation& location, int64_t byte_size, void* destination);

 private:
  absl::Status OpenFile(const std::string& location);
  absl::Status CheckChecksum(const ExternalLocation& location);
  void CloseFile();

  std::string folder_;
  std::string open_location_;
  int fd_ = -1;
  int64_t file_size_ = 0;
  int64_t total_bytes_ = 0;
  std::map<std::string, std::string> checksums_;  // location -> hex SHA-1
};

}  // namespace stillwave::onnx_import
