#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/exit_code.h"
#include "client/sample_source.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

constexpr size_t kReadBytes = 65536;
constexpr size_t kMaxUnfinishedBytes = size_t{1} << 20;

}  // namespace

LineSource::LineSource(int fd, absl::string_view name, Interrupt* interrupt)
    : fd_(fd), name_(name), interrupt_(interrupt), parser_(name) {}

absl::StatusOr<std::unique_ptr<LineSource>> LineSource::Create(int fd, absl::string_view name,
                                                               const std::vector<std::string>& columns,
                                                               Interrupt* interrupt) {
  std::unique_ptr<LineSource> source(new LineSource(fd, name, interrupt));
  while (source->parser_.columns() == 0 && !source->ended_) RETURN_IF_ERROR(source->ReadMore());
  if (interrupt->raised()) return MakeError(ExitCode::kInterrupted, "interrupted");
  if (source->parser_.columns() == 0) return BadInputError(absl::StrCat(name, ": no line of numbers"));
  ASSIGN_OR_RETURN(source->columns_, FindColumns(columns, source->parser_.columns(), source->parser_.column_names()));
  source->SelectParsedColumns();
  return source;
}

absl::StatusOr<absl::Span<const float>> LineSource::Next(int64_t max_samples) {
  if (taken_ == samples_.size()) {
    samples_.clear();
    taken_ = 0;
  }
  while (samples_.empty() && !ended_) {
    RETURN_IF_ERROR(ReadMore());
    SelectParsedColumns();
  }
  const size_t count = std::min(samples_.size() - taken_, static_cast<size_t>(max_samples) * columns_.size());
  const absl::Span<const float> chunk(samples_.data() + taken_, count);
  taken_ += count;
  CountNotFinite(chunk);
  return chunk;
}

absl::Status LineSource::ReadMore() {
  if (interrupt_->Wait(fd_, absl::InfiniteFuture()) != Interrupt::Wake::kReadable) {
    ended_ = true;
    return absl::OkStatus();
  }
  char buffer[kReadBytes];
  const ssize_t bytes = read(fd_, buffer, sizeof(buffer));
  if (bytes < 0) {
    if (errno == EINTR || errno == EAGAIN) return absl::OkStatus();
    return BadInputError(absl::StrCat(name_, ": cannot read: ", std::strerror(errno)));
  }
  ended_ = bytes == 0;
  unfinished_line_.append(buffer, static_cast<size_t>(bytes));
  size_t begin = 0;
  for (size_t end; (end = unfinished_line_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    RETURN_IF_ERROR(parser_.AddLine(absl::string_view(unfinished_line_).substr(begin, end - begin)));
  }
  unfinished_line_.erase(0, begin);
  // The last line may lack its end, and a line without any must not grow for ever: the parser refuses it.
  if ((ended_ && !unfinished_line_.empty()) || unfinished_line_.size() > kMaxUnfinishedBytes) {
    RETURN_IF_ERROR(parser_.AddLine(unfinished_line_));
    unfinished_line_.clear();
  }
  return absl::OkStatus();
}

void LineSource::SelectParsedColumns() {
  const std::vector<float> values = parser_.TakeValues();
  const size_t width = static_cast<size_t>(parser_.columns());
  for (size_t row = 0; row < values.size(); row += width) {
    for (const int64_t column : columns_) samples_.push_back(values[row + static_cast<size_t>(column)]);
  }
}

}  // namespace stillwave::client
