#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/exit_code.h"
#include "client/sample_source.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

constexpr size_t kMaxUnfinishedBytes = size_t{1} << 20;

}  // namespace

LineSource::LineSource(int fd, absl::string_view name, Interrupt* interrupt)
    : input_(fd, name, interrupt), parser_(name) {}

absl::StatusOr<std::unique_ptr<LineSource>> LineSource::Create(int fd, absl::string_view name,
                                                               const std::vector<std::string>& columns,
                                                               Interrupt* interrupt) {
  std::unique_ptr<LineSource> source(new LineSource(fd, name, interrupt));
  while (source->parser_.columns() == 0 && !source->ended_) {
    ASSIGN_OR_RETURN(const LiveInput::Came came, source->ReadMore());
    if (came == LiveInput::Came::kInterrupt) return MakeError(ExitCode::kInterrupted, "interrupted");
  }
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
    ASSIGN_OR_RETURN(const LiveInput::Came came, ReadMore());
    if (came == LiveInput::Came::kInterrupt) return absl::Span<const float>();
    SelectParsedColumns();
  }
  const size_t count = std::min(samples_.size() - taken_, static_cast<size_t>(max_samples) * columns_.size());
  const absl::Span<const float> chunk(samples_.data() + taken_, count);
  taken_ += count;
  CountNotFinite(chunk);
  return chunk;
}

absl::StatusOr<LiveInput::Came> LineSource::ReadMore() {
  ASSIGN_OR_RETURN(const LiveInput::Came came, input_.Read(&unfinished_line_));
  // What an interruption cuts off may be half a number.
  if (came == LiveInput::Came::kInterrupt) return came;
  ended_ = came == LiveInput::Came::kEnd;
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
  return came;
}

void LineSource::SelectParsedColumns() {
  const std::vector<float> values = parser_.TakeValues();
  const size_t width = static_cast<size_t>(parser_.columns());
  for (size_t row = 0; row < values.size(); row += width) {
    for (const int64_t column : columns_) samples_.push_back(values[row + static_cast<size_t>(column)]);
  }
}

}  // namespace stillwave::client
