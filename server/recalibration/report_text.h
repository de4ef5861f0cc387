// What was done, for people and for programs.
#pragma once

#include <string>

#include "server/recalibration/recalibrate.h"

namespace stillwave::recalibration {

// A table of the layers, before and after, and a line about the output.
std::string ReportText(const RecalibrationOptions& options, const RecalibrationReport& report);

// One JSON object, indented, ending with a line's end; docs/recalibration.md has its fields.
std::string ReportJson(const RecalibrationOptions& options, const RecalibrationReport& report);

}  // namespace stillwave::recalibration
