// The sliding window of Conv and the pools.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "server/graph/op.h"
#include "server/onnx/convert_context.h"

namespace stillwave::onnx_import {

// Reads strides, dilations, pads and auto_pad for `kernel` {one entry per spatial axis} and fills in ONNX's defaults.
// INVALID_ARGUMENT when a list has another length, an entry is out of range, or pads go with auto_pad; UNIMPLEMENTED
// for negative pads (cropping).
absl::StatusOr<graph::Window> ReadWindow(const ConvertContext& context, std::vector<int64_t> kernel);

// How far the dilated kernel reaches along an axis. REQUIRES: a window from ReadWindow.
int64_t EffectiveKernel(const graph::Window& window, size_t axis);

}  // namespace stillwave::onnx_import
