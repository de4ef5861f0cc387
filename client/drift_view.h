// The drift of a model for people: a table of its layers, or a map of all channels.
#pragma once

#include <string>

#include "client/drift_info.h"

namespace stillwave::client {

// One line on what was observed, and one more where that is too little to say anything.
std::string DriftHeadline(const DriftInfo& info);

// A row for each layer, the one that diverges most first.
std::string DriftTable(const DriftInfo& info);

// How the cells of a heat map are drawn.
enum class HeatMapStyle { kAscii, kColor };

// A row for each layer in the order in which they run, a cell for each channel; of layers with more than 64 channels a
// cell shows the largest divergence of several. kColor: blocks in the 256 colors of terminals.
std::string DriftHeatMap(const DriftInfo& info, HeatMapStyle style);

}  // namespace stillwave::client
