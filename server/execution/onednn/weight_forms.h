// How many layouts of one layer's weights plans may hold.
#pragma once

#include "oneapi/dnnl/dnnl_version.h"

namespace stillwave::execution::onednn {

// From version 3 on, oneDNN's convolutions on AVX2 block the output channels by the image's width, and take no weights
// that are blocked otherwise (3.7.2: blocks of 32 for 16 columns, of 24 for 45). Batches of one width share a layout.
inline constexpr int kFormsOfConvolutionWeights = DNNL_VERSION_MAJOR >= 3 ? 2 : 1;

}  // namespace stillwave::execution::onednn
