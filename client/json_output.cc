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

Json FiguresJson(const DriftFigures& figures) {
  return {{"mean_shift", figures.mean_shift},
          {"variance_ratio", figures.variance_ratio},
          {"divergence", figures.divergence}};
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

double Millis(absl::Duration duration) { return absl::ToDoubleMilliseconds(duration); }

Json LatencyJson(const bench::LatencyHistogram& latency) {
  if (latency.count() == 0) return nullptr;
  return {{"min", Millis(latency.Min())},          {"mean", Millis(latency.Mean())},
          {"p50", Millis(latency.Percentile(50))}, {"p90", Millis(latency.Percentile(90))},
          {"p99", Millis(latency.Percentile(99))}, {"p99.9", Millis(latency.Percentile(99.9))},
          {"max", Millis(latency.Max())}};
}

Json LoadJson(const bench::LoadOptions& options, int64_t series) {
  Json json;
  if (options.paced()) {
    json["rate"] = options.rate;
    json["sample_rate"] = options.sample_rate;
    json["chunk_samples"] = options.chunk_samples;
  } else if (options.open_loop()) {
    json["rate"] = options.rate;
    json["arrivals"] = options.arrivals == bench::Arrivals::kPoisson ? "poisson" : "constant";
  } else {
    json["concurrency"] = options.concurrency;
  }
  if (series > 0) json["series"] = series;
  return json;
}

Json TimelineJson(const bench::LoadResult& result) {
  Json entries = Json::array();
  for (const bench::TimelineEntry& entry : result.timeline) {
    entries.push_back({{"ok", entry.ok}, {"errors", entry.errors}, {"max_ms", Millis(entry.longest)}});
  }
  return {{"step_seconds", absl::ToDoubleSeconds(result.timeline_step)}, {"entries", std::move(entries)}};
}

Json StepJson(const bench::BenchStep& step) {
  const bench::LoadResult& result = step.result;
  Json json = LoadJson(step.options, step.series);
  json["seconds"] = absl::ToDoubleSeconds(result.measured);
  json["sent"] = result.sent;
  json["ok"] = result.ok();
  json["errors"] = result.errors();
  json["unsent"] = result.unsent;
  json["abandoned"] = result.abandoned;
  json["goodput"] = result.goodput();
  json["throughput"] = result.throughput();
  json["sent_bytes_per_answer"] = step.sent_bytes_per_answer;
  json["latency_ms"] = LatencyJson(result.latency);
  if (step.options.deadline < absl::InfiniteDuration()) {
    json["deadline_ms"] = Millis(step.options.deadline);
    json["late"] = result.late;
  }
  json["codes"] = Json::object();
  for (const auto& [code, group] : result.groups) {
    json["codes"][absl::StatusCodeToString(code)] = {
        {"count", group.latency.count()}, {"message", group.message}, {"latency_ms", LatencyJson(group.latency)}};
  }
  json["refusal_latency_ms"] = LatencyJson(result.RefusalLatency());
  if (step.options.open_loop()) json["send_delay_ms"] = LatencyJson(result.send_delay);
  if (step.server.has_value()) {
    json["server"] = {{"compute_ms", Millis(step.server->Compute())},
                      {"queue_ms", Millis(step.server->Queue())},
                      {"batch_samples", step.server->BatchSamples()},
                      {"requests", step.server->computed}};
  }
  if (step.memory.has_value()) {
    json["server_memory"] = {{"before_bytes", step.memory->before_bytes}, {"open_bytes", step.memory->open_bytes}};
  }
  json["timeline"] = TimelineJson(result);
  json["interrupted"] = step.interrupted;
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
  json["opened"] = {
      {"model", opened.model_name}, {"version", opened.model_version}, {"window_length", opened.window_length},
      {"hop", opened.hop},          {"channels", opened.channels},     {"recomputed_share", opened.recomputed_share},
      {"overlap", opened.overlap}};
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
                     {"samples_per_second", summary.samples_per_second()}};
  if (summary.sample_rate_hz > 0) json["summary"]["real_time_factor"] = summary.real_time_factor();
  json["summary"]["resumed"] = summary.resumed;
  json["summary"]["interrupted"] = summary.interrupted;
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

std::string DriftJson(const DriftInfo& info) {
  Json json = {{"model", info.model_name},
               {"version", info.model_version},
               {"sample_rate", info.sample_rate},
               {"half_life_samples", info.half_life_samples},
               {"minimum_samples", info.minimum_samples},
               {"sufficient", info.sufficient},
               {"samples", info.samples},
               {"weight", info.weight},
               {"dropped_samples", info.dropped_samples},
               {"layers", Json::array()}};
  for (const DriftLayer& layer : info.layers) {
    Json channels;
    for (const DriftChannel& channel : layer.channels) {
      channels["live_mean"].push_back(channel.live_mean);
      channels["live_variance"].push_back(channel.live_variance);
      channels["stored_mean"].push_back(channel.stored_mean);
      channels["stored_variance"].push_back(channel.stored_variance);
      channels["mean_shift"].push_back(channel.figures.mean_shift);
      channels["variance_ratio"].push_back(channel.figures.variance_ratio);
      channels["divergence"].push_back(channel.figures.divergence);
    }
    json["layers"].push_back({{"name", layer.name},
                              {"mean", FiguresJson(layer.mean)},
                              {"max", FiguresJson(layer.max)},
                              {"epsilon", layer.epsilon},
                              {"channels", std::move(channels)}});
  }
  return Dump(json);
}

std::string DriftResetJson(const DriftReset& reset) {
  return Dump(
      {{"model", reset.model_name}, {"version", reset.model_version}, {"forgotten_samples", reset.forgotten_samples}});
}

std::string BenchJson(const bench::BenchSetup& setup, const std::vector<bench::BenchStep>& steps) {
  Json json = {{"server", setup.server}, {"model", setup.model},   {"version", setup.version},
               {"input", setup.input},   {"stream", setup.stream}, {"batch", setup.batch}};
  if (setup.stream) {
    json["series_per_call"] = setup.series_per_call;
    json["message_windows"] = setup.message_windows;
  }
  if (!steps.empty()) {
    json["connections"] = steps[0].options.connections;
    json["threads"] = steps[0].options.threads;
    json["warmup_seconds"] = absl::ToDoubleSeconds(steps[0].options.warmup);
  }
  json["steps"] = Json::array();
  for (const bench::BenchStep& step : steps) json["steps"].push_back(StepJson(step));
  return Dump(json);
}

}  // namespace stillwave::client
