// The file of `stream --out`: whole or not there.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/prediction_writer.h"

namespace stillwave::client {

// Rows go to a temporary file beside `path`, which takes its place in Commit, so that nobody ever reads half a file and
// what was there before stays until then. Not thread-safe.
class PredictionFile {
 public:
  // Usage error when `path` does not end in .csv, .jsonl or .npy, or no file can be made there.
  static absl::StatusOr<std::unique_ptr<PredictionFile>> Create(const std::string& path, const ResultFormat& format);
  // Removes what was not committed.
  ~PredictionFile();
  PredictionFile(const PredictionFile&) = delete;
  PredictionFile& operator=(const PredictionFile&) = delete;

  // Usage error when the disk does not take it; those of PredictionWriter.
  absl::Status Add(const ResultRow& row);
  // Puts the file in its place. Without any row it leaves `path` as it was.
  absl::Status Commit();

  int64_t rows() const { return rows_; }

 private:
  PredictionFile(std::string path, std::string temporary, std::FILE* file, std::unique_ptr<PredictionWriter> writer);

  absl::Status Write(const std::string& bytes);
  absl::Status WriteError() const;

  const std::string path_;
  const std::string temporary_;
  std::FILE* file_;  // null: committed
  const std::unique_ptr<PredictionWriter> writer_;
  int64_t rows_ = 0;
};

}  // namespace stillwave::client
