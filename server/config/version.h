// The version of this build, from CMakeLists.txt.
#pragma once

#include "absl/strings/string_view.h"

namespace stillwave::config {

absl::string_view Version();

}  // namespace stillwave::config
