#include "client/prediction_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/exit_code.h"
#include "client/json_output.h"
#include "server/base/new_file_mode.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

class JsonLinesWriter final : public PredictionWriter {
 public:
  explicit JsonLinesWriter(ResultFormat format) : format_(std::move(format)) {}

  absl::StatusOr<std::string> Begin(const ResultRow&) override { return ""; }
  absl::StatusOr<std::string> Row(const ResultRow& row) override { return WindowJson(row, format_) + "\n"; }
  std::string BeginOf(int64_t) const override { return ""; }

 private:
  const ResultFormat format_;
};

absl::StatusOr<std::unique_ptr<PredictionWriter>> WriterFor(const std::string& path, const ResultFormat& format) {
  if (absl::EndsWith(path, ".csv")) return MakeCsvWriter(format);
  if (absl::EndsWith(path, ".jsonl")) return std::unique_ptr<PredictionWriter>(new JsonLinesWriter(format));
  if (absl::EndsWith(path, ".npy")) return MakeNpyWriter();
  return UsageError(absl::StrCat("--out must end in .csv, .jsonl or .npy; was '", path, "'"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<PredictionFile>> PredictionFile::Create(const std::string& path,
                                                                       const ResultFormat& format) {
  ASSIGN_OR_RETURN(std::unique_ptr<PredictionWriter> writer, WriterFor(path, format));
  std::string temporary = path + ".partial-XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return UsageError(absl::StrCat("--out: cannot make a file beside '", path, "': ", std::strerror(errno)));
  (void)fchmod(fd, base::NewFileMode());  // where the file system has no rights, none are missed
  return std::unique_ptr<PredictionFile>(
      new PredictionFile(path, std::move(temporary), fdopen(fd, "wb"), std::move(writer)));
}

PredictionFile::PredictionFile(std::string path, std::string temporary, std::FILE* file,
                               std::unique_ptr<PredictionWriter> writer)
    : path_(std::move(path)), temporary_(std::move(temporary)), file_(file), writer_(std::move(writer)) {}

PredictionFile::~PredictionFile() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  unlink(temporary_.c_str());
}

absl::Status PredictionFile::Add(const ResultRow& row) {
  if (rows_ == 0) {
    ASSIGN_OR_RETURN(const std::string begin, writer_->Begin(row));
    RETURN_IF_ERROR(Write(begin));
  }
  ASSIGN_OR_RETURN(const std::string bytes, writer_->Row(row));
  RETURN_IF_ERROR(Write(bytes));
  ++rows_;
  return absl::OkStatus();
}

absl::Status PredictionFile::Commit() {
  if (rows_ == 0) return absl::OkStatus();
  if (const std::string begin = writer_->BeginOf(rows_); !begin.empty()) {
    if (std::fseek(file_, 0, SEEK_SET) != 0) return WriteError();
    RETURN_IF_ERROR(Write(begin));
  }
  // On the disk before it has its name: a name without its bytes would be half a file after all.
  if (std::fflush(file_) != 0 || fsync(fileno(file_)) != 0) return WriteError();
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return WriteError();
  std::fclose(std::exchange(file_, nullptr));
  return absl::OkStatus();
}

absl::Status PredictionFile::Write(const std::string& bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size()) return absl::OkStatus();
  return WriteError();
}

absl::Status PredictionFile::WriteError() const {
  return UsageError(absl::StrCat("--out: cannot write '", path_, "': ", std::strerror(errno)));
}

}  // namespace stillwave::client
