#include "client/drift_view.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/table.h"
#include "client/text_width.h"

namespace stillwave::client {
namespace {

constexpr size_t kMostCells = 64;

// A level begins at its divergence, about twice the one before: 0.02 nats is a shift by a fifth of a standard
// deviation, 0.5 by a whole one.
struct HeatLevel {
  double from;
  char ascii;
  int color;  // of the 256: from a cold blue over green and yellow to red
};
constexpr HeatLevel kLevels[] = {{0, '.', 17},    {0.02, ':', 19}, {0.05, '-', 26}, {0.1, '=', 37}, {0.2, '+', 71},
                                 {0.5, '*', 149}, {1, 'o', 220},   {2, 'O', 208},   {5, '#', 196},  {20, '@', 201}};

const HeatLevel& LevelOf(double divergence) {
  const auto above = std::find_if(std::begin(kLevels), std::end(kLevels),
                                  [divergence](const HeatLevel& level) { return level.from > divergence; });
  return above == std::begin(kLevels) ? kLevels[0] : *std::prev(above);
}

std::string Cell(const HeatLevel& level, HeatMapStyle style) {
  if (style == HeatMapStyle::kAscii) return std::string(1, level.ascii);
  return absl::StrCat("\x1b[38;5;", level.color, "m█\x1b[0m");
}

// The largest divergence of each cell's channels.
std::vector<double> HeatCells(const DriftLayer& layer) {
  const size_t channels = layer.channels.size();
  const size_t cells = std::min(channels, kMostCells);
  std::vector<double> largest(cells, 0);
  for (size_t c = 0; c < channels; ++c) {
    double& cell = largest[c * cells / channels];
    cell = std::max(cell, layer.channels[c].figures.divergence);
  }
  return largest;
}

std::string Legend(HeatMapStyle style) {
  std::string text = "divergence";
  for (const HeatLevel& level : kLevels) {
    absl::StrAppend(&text, "  ", Cell(level, style), level.from == 0 ? " below 0.02" : absl::StrCat(" ", level.from));
  }
  return text + "\n";
}

std::string Number(double value) { return absl::StrFormat("%.3g", value); }

}  // namespace

std::string DriftHeadline(const DriftInfo& info) {
  std::string text = absl::StrFormat(
      "%s version %s: %d samples observed (%g %% of all), half-life %d", EscapeControlCharacters(info.model_name),
      EscapeControlCharacters(info.model_version), info.samples, 100 * info.sample_rate, info.half_life_samples);
  if (info.dropped_samples > 0) absl::StrAppend(&text, ", ", info.dropped_samples, " dropped");
  text += "\n";
  if (!info.sufficient) {
    absl::StrAppend(&text, "fewer than ", info.minimum_samples, " samples: the figures say little yet\n");
  }
  return text;
}

std::string DriftTable(const DriftInfo& info) {
  std::vector<const DriftLayer*> layers;
  for (const DriftLayer& layer : info.layers) layers.push_back(&layer);
  std::stable_sort(layers.begin(), layers.end(),
                   [](const DriftLayer* a, const DriftLayer* b) { return a->mean.divergence > b->mean.divergence; });
  std::vector<std::vector<std::string>> rows;
  for (const DriftLayer* const layer : layers) {
    rows.push_back({layer->name, absl::StrCat(layer->channels.size()), Number(layer->mean.divergence),
                    Number(layer->max.divergence), Number(layer->mean.mean_shift), Number(layer->max.mean_shift),
                    Number(layer->mean.variance_ratio), Number(layer->max.variance_ratio)});
  }
  return RenderTable({{"layer"},
                      {"channels", Align::kRight},
                      {"divergence", Align::kRight},
                      {"max", Align::kRight},
                      {"mean shift", Align::kRight},
                      {"max", Align::kRight},
                      {"variance ratio", Align::kRight},
                      {"max", Align::kRight}},
                     rows);
}

std::string DriftHeatMap(const DriftInfo& info, HeatMapStyle style) {
  int width = 0;
  for (const DriftLayer& layer : info.layers) {
    width = std::max(width, TextWidth(EscapeControlCharacters(layer.name)));
  }
  std::string text;
  for (const DriftLayer& layer : info.layers) {
    const std::string name = EscapeControlCharacters(layer.name);
    absl::StrAppend(&text, name, std::string(static_cast<size_t>(width - TextWidth(name)) + 2, ' '));
    for (const double divergence : HeatCells(layer)) text += Cell(LevelOf(divergence), style);
    text += "\n";
  }
  return text + Legend(style);
}

}  // namespace stillwave::client
