#include "server/recalibration/report_text.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

namespace stillwave::recalibration {
namespace {

std::string ModeText(const RecalibrationOptions& options) {
  return options.momentum.has_value() ? absl::StrCat("momentum ", *options.momentum) : "cumulative average";
}

std::string DriftCells(const LayerDrift& drift) {
  return absl::StrFormat("%10.4g %10.4g   %8.4g to %-8.4g %10.4g", drift.mean_shift, drift.max_shift, drift.min_ratio,
                         drift.max_ratio, drift.mean_divergence);
}

// How much of the divergence is gone, in percent; 100 where there was none.
double RemovedPercent(const LayerReport& layer) {
  // A float's rounding of a statistic shows as this much.
  constexpr double kNothing = 1e-12;
  if (layer.before.mean_divergence < kNothing) return 100;
  return 100 * (1 - layer.after.mean_divergence / layer.before.mean_divergence);
}

nlohmann::ordered_json DriftJson(const LayerDrift& drift) {
  return {{"shift_mean", drift.mean_shift},           {"shift_max", drift.max_shift},
          {"variance_ratio_min", drift.min_ratio},    {"variance_ratio_max", drift.max_ratio},
          {"divergence_mean", drift.mean_divergence}, {"divergence_max", drift.max_divergence}};
}

}  // namespace

std::string ReportText(const RecalibrationOptions& options, const RecalibrationReport& report) {
  size_t width = 5;
  for (const LayerReport& layer : report.layers) width = std::max(width, absl::CHexEscape(layer.name).size());
  std::string text =
      absl::StrFormat("%s over %d batches of %d samples in all\n\n", ModeText(options), report.batches, report.samples);
  absl::StrAppendFormat(&text, "%-*s %8s         %10s %10s   %-20s %10s\n", static_cast<int>(width), "layer",
                        "channels", "mean shift", "max shift", "variance ratio", "divergence");
  for (const LayerReport& layer : report.layers) {
    absl::StrAppendFormat(&text, "%-*s %8d  before %s\n", static_cast<int>(width), absl::CHexEscape(layer.name),
                          layer.channels, DriftCells(layer.before));
    absl::StrAppendFormat(&text, "%*s  after  %s  %.1f %% removed\n", static_cast<int>(width) + 9, "",
                          DriftCells(layer.after), RemovedPercent(layer));
  }
  text += '\n';
  for (const LayerReport& layer : report.layers) {
    if (!layer.was_shared) continue;
    absl::StrAppend(&text, absl::CHexEscape(layer.name),
                    " shared its statistics with other tensors of the file; it has its own now\n");
  }
  absl::StrAppend(&text, "written to ", options.output, "\n");
  return text;
}

std::string ReportJson(const RecalibrationOptions& options, const RecalibrationReport& report) {
  nlohmann::ordered_json json;
  json["model"] = options.model;
  json["output"] = options.output;
  json["mode"] = options.momentum.has_value() ? "momentum" : "cumulative";
  if (options.momentum.has_value()) json["momentum"] = *options.momentum;
  json["batches"] = report.batches;
  json["samples"] = report.samples;
  json["layers"] = nlohmann::ordered_json::array();
  for (const LayerReport& layer : report.layers) {
    json["layers"].push_back({{"name", layer.name},
                              {"nodes", layer.node_names},
                              {"channels", layer.channels},
                              {"was_shared", layer.was_shared},
                              {"before", DriftJson(layer.before)},
                              {"after", DriftJson(layer.after)},
                              {"divergence_removed_percent", RemovedPercent(layer)}});
  }
  // File names need not be UTF-8.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace stillwave::recalibration
