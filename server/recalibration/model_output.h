// The file that a recalibrated model is written to.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace stillwave::recalibration {

// ALREADY_EXISTS when `output` is there and may not be replaced, or is the input or one of its data files, whatever it
// is called (those are never replaced); NOT_FOUND when its folder is not there. `data_files`: relative paths beside
// `input`.
absl::Status CheckOutput(const std::string& input, const std::set<std::string>& data_files, const std::string& output,
                         bool may_replace);

// Writes `bytes` under another name beside `output`, lets `check` look at that file, and renames it: `output` is whole
// and checked, or what it was before. `data_files` are copied where `output` lies in another folder; one that is there
// with other contents is replaced only when `may_replace`, else ALREADY_EXISTS. REQUIRES: CheckOutput was OK.
absl::Status WriteModelFile(absl::string_view bytes, const std::string& input, const std::string& output,
                            const std::set<std::string>& data_files, bool may_replace,
                            const std::function<absl::Status(const std::string& path)>& check);

}  // namespace stillwave::recalibration
