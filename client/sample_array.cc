#include "client/sample_array.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/exit_code.h"
#include "server/base/status_macros.h"

namespace stillwave::client {

std::string ShapeText(const std::vector<int64_t>& shape) { return absl::StrCat("[", absl::StrJoin(shape, ","), "]"); }

absl::StatusOr<std::vector<int64_t>> FindColumns(const std::vector<std::string>& wanted, int64_t columns,
                                                 const std::vector<std::string>& names) {
  std::vector<int64_t> positions;
  for (const std::string& column : wanted) {
    const auto named = std::find(names.begin(), names.end(), column);
    int64_t number = 0;
    if (named != names.end()) {
      positions.push_back(named - names.begin());
    } else if (absl::SimpleAtoi(column, &number) && number >= 1 && number <= columns) {
      positions.push_back(number - 1);
    } else {
      const std::string known = names.empty() ? "" : absl::StrCat(" or a name of: ", absl::StrJoin(names, ", "));
      return UsageError(absl::StrCat("--columns must be a number from 1 to ", columns, known, "; was '", column, "'"));
    }
  }
  if (positions.empty()) {
    for (int64_t i = 0; i < columns; ++i) positions.push_back(i);
  }
  return positions;
}

absl::StatusOr<SampleArray> SelectColumns(SampleArray array, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return array;
  if (array.shape.size() != 2) {
    return UsageError(
        absl::StrCat("--columns needs samples of shape [S,C]; ", array.source, " has shape ", ShapeText(array.shape)));
  }
  const int64_t columns = array.shape[1];
  ASSIGN_OR_RETURN(const std::vector<int64_t> positions, FindColumns(wanted, columns, array.column_names));
  SampleArray selected;
  selected.source = std::move(array.source);
  selected.sample_rate_hz = array.sample_rate_hz;
  selected.shape = {array.shape[0], static_cast<int64_t>(positions.size())};
  selected.values.reserve(static_cast<size_t>(array.shape[0]) * positions.size());
  for (int64_t row = 0; row < array.shape[0]; ++row) {
    for (const int64_t position : positions) {
      const float value = array.values[static_cast<size_t>(row * columns + position)];
      if (!std::isfinite(value)) ++selected.not_finite;
      selected.values.push_back(value);
    }
  }
  for (const int64_t position : positions) {
    if (!array.column_names.empty()) {
      selected.column_names.push_back(array.column_names[static_cast<size_t>(position)]);
    }
  }
  return selected;
}

}  // namespace stillwave::client
