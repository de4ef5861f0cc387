#include "client/json_output.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "client/prediction.h"

namespace stillwave::client {
namespace {

using Json = nlohmann::ordered_json;

// Text from files and servers may not be UTF-8: broken bytes become U+FFFD instead of an exception.
std::string Dump(const Json& json) {
  return json.dump(/*indent=*/-1, /*indent_char=*/' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

// The double whose shortest digits are those of the float: 0.1f prints as 0.1 and not as 0.10000000149011612.
double ShortestDecimal(float value) {
  if (!std::isfinite(value)) return static_cast<double>(value);
  char digits[32];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof(digits) - 1, value);
  *end.ptr = '\0';
  return std::strtod(digits, nullptr);
}

Json ValuesJson(const OutputValues& output) {
  Json values = Json::array();
  const bool integer = output.datatype.find("INT") != std::string::npos;
  for (const double value : output.values) {
    if (integer) {
      values.push_back(static_cast<int64_t>(value));
    } else if (output.datatype == "BOOL") {
      values.push_back(value != 0);
    } else {
      values.push_back(output.datatype == "FP32" ? ShortestDecimal(static_cast<float>(value)) : value);
    }
  }
  return values;
}

Json RowJson(const ResultRow& row, const ResultFormat& format) {
  Json json;
  json[row.samples.has_value() ? "window" : "row"] = row.index;
  if (row.samples.has_value()) {
    json["first_sample"] = row.samples->first;
    json["last_sample"] = row.samples->last;
    if (format.sample_rate_hz > 0) {
      json["start_seconds"] = static_cast<double>(row.samples->first) / format.sample_rate_hz;
      json["end_seconds"] = static_cast<double>(row.samples->last + 1) / format.sample_rate_hz;
    }
  }
  if (row.padded_samples > 0) json["padded_samples"] = row.padded_samples;
  if (const auto prediction = Predict(row, format.labels, format.softmax); prediction.has_value()) {
    json["class"] = prediction->class_index;
    if (!format.labels.empty()) json["label"] = prediction->label;
    if (prediction->probability.has_value()) json["probability"] = *prediction->probability;
  }
  json["outputs"] = Json::object();
  for (const OutputValues& output : row.outputs) {
    json["outputs"][output.name] = {
        {"datatype", output.datatype}, {"shape", output.shape}, {"values", ValuesJson(output)}};
  }
  return json;
}

Json TensorsJson(const std::vector<TensorInfo>& tensors) {
  Json json = Json::array();
  for (const TensorInfo& tensor : tensors) {
    json.push_back({{"name", tensor.name}, {"datatype", tensor.datatype}, {"shape", tensor.shape}});
  }
  return json;
}

Json EntryJson(const IndexEntry& entry) {
  Json json = {{"name", entry.name}, {"version", entry.version}, {"ready", entry.ready()}, {"state", entry.state}};
  if (!entry.reason.empty()) json["reason"] = entry.reason;
  return json;
}

}  // namespace

std::string InferJson(const std::string& model_name, const std::string& model_version,
                      const std::vector<ResultRow>& rows, const ResultFormat& format) {
  Json json = {{"model", model_name}, {"version", model_version}, {"rows", Json::array()}};
  for (const ResultRow& row : rows) json["rows"].push_back(RowJson(row, format));
  return Dump(json);
}

std::string OpenedJson(const SeriesOpened& opened) {
  Json json;
  json["opened"] = {{"model", opened.model_name},
                    {"version", opened.model_version},
                    {"window_length", opened.window_length},
                    {"hop", opened.hop},
                    {"channels", opened.channels}};
  return Dump(json);
}

std::string WindowJson(const ResultRow& row, const ResultFormat& format) { return Dump(RowJson(row, format)); }

std::string GapJson(const SeriesGap& gap) {
  Json json;
  json["gap"] = {{"expected_sample", gap.expected_sample},
                 {"received_sample", gap.received_sample},
                 {"discarded_samples", gap.discarded_samples}};
  return Dump(json);
}

std::string SummaryJson(const StreamSummary& summary) {
  Json json;
  json["summary"] = {{"windows", summary.windows},
                     {"gaps", summary.gaps},
                     {"samples_sent", summary.samples_sent},
                     {"bytes_sent", summary.bytes_sent},
                     {"partial_samples", summary.partial_samples},
                     {"seconds", absl::ToDoubleSeconds(summary.elapsed)},
                     {"windows_per_second", summary.windows_per_second()},
                     {"interrupted", summary.interrupted}};
  return Dump(json);
}

std::string ModelsJson(const std::vector<ListedModel>& models) {
  Json json = {{"models", Json::array()}};
  for (const ListedModel& model : models) {
    Json entry = EntryJson(model.entry);
    entry["platform"] = model.info.platform;
    entry["inputs"] = TensorsJson(model.info.inputs);
    entry["outputs"] = TensorsJson(model.info.outputs);
    json["models"].push_back(std::move(entry));
  }
  return Dump(json);
}

std::string HealthJson(const HealthReport& report) {
  Json json = {{"server", report.server}, {"name", report.info.name}, {"version", report.info.version},
               {"live", report.live},     {"ready", report.ready},    {"serving", report.serving},
               {"models", Json::array()}};
  for (const IndexEntry& model : report.models) json["models"].push_back(EntryJson(model));
  return Dump(json);
}

}  // namespace stillwave::client
