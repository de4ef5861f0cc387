#include "server/recalibration/layer_choice.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/onnx/names.h"

namespace stillwave::recalibration {
namespace {

using Layer = onnx_import::StoredStatistics::Layer;

bool IsCalled(const Layer& layer, const std::string& name) {
  return layer.name == name ||
         std::find(layer.node_names.begin(), layer.node_names.end(), name) != layer.node_names.end();
}

absl::Status UnknownLayer(absl::Span<const Layer> layers, const std::string& name) {
  constexpr size_t kMostListed = 12;
  std::vector<absl::string_view> known;
  std::vector<absl::string_view> all;
  for (const Layer& layer : layers) {
    known.push_back(layer.name);
    all.push_back(layer.name);
    all.insert(all.end(), layer.node_names.begin(), layer.node_names.end());
  }
  const std::vector<std::string> near = onnx_import::NearNames(name, all);
  std::string help = absl::StrCat("near ones: ", absl::StrJoin(near, ", "));
  if (near.empty()) {
    const bool is_cut = known.size() > kMostListed;
    if (is_cut) known.resize(kMostListed);
    help = absl::StrCat("there are ", absl::StrJoin(known, ", "), is_cut ? ", …" : "");
  }
  return absl::OutOfRangeError(
      absl::StrCat("--layers: the model has no BatchNormalization layer ", onnx_import::Quoted(name), "; ", help));
}

}  // namespace

absl::StatusOr<std::vector<size_t>> ChooseLayers(absl::Span<const Layer> layers,
                                                 const std::vector<std::string>& names) {
  std::vector<size_t> chosen;
  for (const std::string& name : names) {
    const size_t before = chosen.size();
    for (size_t i = 0; i < layers.size(); ++i) {
      if (IsCalled(layers[i], name)) chosen.push_back(i);
    }
    if (chosen.size() == before) return UnknownLayer(layers, name);
  }
  if (names.empty()) {
    chosen.resize(layers.size());
    std::iota(chosen.begin(), chosen.end(), 0);
  }
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

}  // namespace stillwave::recalibration
