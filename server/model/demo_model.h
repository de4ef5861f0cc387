// The demonstration model that is embedded in the server: it tells whether a beat of an electrocardiogram lies near the
// middle of a window, and of which kind. tests/data/ecg says how it was trained.
#pragma once

#include "absl/strings/string_view.h"

namespace stillwave::model {

inline constexpr char kDemoModelName[] = "ecg-beats";

// An ONNX file; valid for ever.
absl::string_view DemoModelBytes();

}  // namespace stillwave::model
