// The name under which a single model file is served.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace stillwave::config {

// The file's own name without extension; for a file that is called model.onnx its folder's name, or the one above that
// when the folder is a version number: models/ecg/1/model.onnx and ecg.onnx are both "ecg".
std::string ModelNameFor(absl::string_view model_file);

}  // namespace stillwave::config
