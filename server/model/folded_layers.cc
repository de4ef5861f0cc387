#include "server/model/folded_layers.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/log.h"
#include "server/base/quoted.h"
#include "server/base/status_macros.h"

namespace stillwave::model {
namespace {

using nlohmann::json;

constexpr int64_t kMostFoldedChannels = int64_t{1} << 24;
constexpr size_t kMaxLayerName = 1024;

absl::Status WrongField(absl::string_view field, absl::string_view rule) {
  return absl::InvalidArgumentError(absl::StrCat("'", field, "' must be ", rule));
}

absl::StatusOr<std::vector<float>> ReadFloats(const json& entry, const char* field, size_t channels) {
  const auto found = entry.find(field);
  std::string bytes;
  const bool is_base64 =
      found != entry.end() && found->is_string() && absl::Base64Unescape(found->get_ref<const std::string&>(), &bytes);
  if (!is_base64) return WrongField(field, "a string in base64");
  if (bytes.size() != channels * sizeof(float)) {
    return WrongField(field, absl::StrCat(channels, " floats, as 'channels' says; has ", bytes.size(), " bytes"));
  }
  std::vector<float> values(channels);
  std::memcpy(values.data(), bytes.data(), bytes.size());
  if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
    return WrongField(field, "finite");
  }
  return values;
}

}  // namespace

absl::StatusOr<FoldedLayer> ParseFoldedLayer(absl::string_view text) {
  const json entry = json::parse(text.begin(), text.end(), /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!entry.is_object()) return absl::InvalidArgumentError("it must be a JSON object");
  FoldedLayer layer;
  const auto name = entry.find("layer");
  if (name == entry.end() || !name->is_string()) return WrongField("layer", "a string");
  layer.name = name->get<std::string>();
  if (layer.name.empty() || layer.name.size() > kMaxLayerName) {
    return WrongField("layer", absl::StrCat("1 to ", kMaxLayerName, " bytes; was ", layer.name.size()));
  }
  const auto channels = entry.find("channels");
  if (channels == entry.end() || !channels->is_number_integer() || channels->get<int64_t>() < 1 ||
      channels->get<int64_t>() > kMostFoldedChannels) {
    return WrongField("channels", absl::StrCat("an integer from 1 to ", kMostFoldedChannels));
  }
  const auto count = channels->get<size_t>();
  const auto epsilon = entry.find("epsilon");
  if (epsilon == entry.end() || !epsilon->is_number() || !(epsilon->get<double>() >= 0) ||
      !std::isfinite(epsilon->get<double>())) {
    return WrongField("epsilon", "a finite number that is not negative");
  }
  layer.epsilon = epsilon->get<double>();
  ASSIGN_OR_RETURN(layer.mean, ReadFloats(entry, "mean", count));
  ASSIGN_OR_RETURN(layer.variance, ReadFloats(entry, "variance", count));
  ASSIGN_OR_RETURN(layer.scale, ReadFloats(entry, "scale", count));
  ASSIGN_OR_RETURN(layer.shift, ReadFloats(entry, "shift", count));
  if (std::any_of(layer.variance.begin(), layer.variance.end(), [](float value) { return value < 0; })) {
    return WrongField("variance", "free of negative numbers");
  }
  return layer;
}

std::vector<FoldedLayer> ReadFoldedLayers(const onnx_import::Metadata& metadata, const graph::Graph& network) {
  absl::flat_hash_map<absl::string_view, absl::string_view> entries;
  for (const auto& [key, value] : metadata) {
    absl::string_view name = key;
    if (absl::ConsumePrefix(&name, kFoldedLayerKey)) entries.emplace(name, value);
  }
  std::vector<FoldedLayer> layers;
  const auto pass_over = [](absl::string_view value, absl::string_view reason) {
    base::Log(base::LogLevel::kWarning, "statistics of a folded layer are passed over",
              {{"value", base::Quoted(value)}, {"reason", reason}});
  };
  for (const graph::Node& node : network.nodes()) {
    for (const graph::ValueId output : node.outputs) {
      if (output == graph::kNoValue) continue;
      const auto entry = entries.find(network.value(output).name);
      if (entry == entries.end()) continue;
      absl::StatusOr<FoldedLayer> layer = ParseFoldedLayer(entry->second);
      if (layer.ok()) {
        layer->output = output;
        layers.push_back(*std::move(layer));
      } else {
        pass_over(entry->first, layer.status().message());
      }
      entries.erase(entry);
    }
  }
  for (const auto& [value, text] : entries) pass_over(value, "no node of the network gives a value of this name");
  return layers;
}

}  // namespace stillwave::model
