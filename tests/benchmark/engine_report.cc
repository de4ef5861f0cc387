#include "tests/benchmark/engine_report.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tests/support/allocation_counter.h"

namespace stillwave::benchmark {
namespace {

using nlohmann::ordered_json;

std::string ShapesText(const std::vector<tensor::Shape>& shapes) {
  return absl::StrJoin(shapes, " ",
                       [](std::string* out, const tensor::Shape& shape) { out->append(shape.ToString()); });
}

std::string TimeText(const Statistics& time) {
  return absl::StrFormat("median %.1f, p10 %.1f, minimum %.1f µs", time.median, time.p10, time.minimum);
}

struct Column {
  std::string title;
  bool is_number = false;
};

std::string Table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::string> titles;
  std::vector<size_t> widths;
  for (const Column& column : columns) {
    titles.push_back(column.title);
    widths.push_back(column.title.size());
  }
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  const auto append = [&](const std::vector<std::string>& row) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - row[i].size(), ' ');
      absl::StrAppend(&line, columns[i].is_number ? blanks : "", row[i], columns[i].is_number ? "" : blanks, "  ");
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, "  ", line, "\n");
  };
  append(titles);
  for (const auto& row : rows) append(row);
  return text;
}

std::string LayerTable(const std::vector<LayerTime>& layers) {
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerTime& layer = layers[i];
    const execution::StepInfo& info = layer.info;
    const double speed = GigaflopsPerSecond(layer.multiply_adds, layer.median_us);
    rows.push_back({absl::StrCat(i + 1), info.op, info.output_shape, info.primitive, info.implementation,
                    absl::StrFormat("%.2f", layer.median_us), absl::StrFormat("%.1f", 100 * layer.share),
                    speed > 0 ? absl::StrFormat("%.1f", speed) : "",
                    absl::StrCat(info.attributes, info.in_place ? " in place" : "")});
  }
  return Table({{"#", true},
                {"operator"},
                {"output"},
                {"primitive"},
                {"implementation"},
                {"us", true},
                {"%", true},
                {"GFLOP/s", true},
                {"attributes"}},
               rows);
}

ordered_json LayerJson(const LayerTime& layer) {
  return {{"name", layer.info.name},
          {"op", layer.info.op},
          {"attributes", layer.info.attributes},
          {"output_shape", layer.info.output_shape},
          {"primitive", layer.info.primitive},
          {"implementation", layer.info.implementation},
          {"in_place", layer.info.in_place},
          {"median_us", layer.median_us},
          {"share", layer.share},
          {"multiply_adds", layer.multiply_adds},
          {"gflops_per_second", GigaflopsPerSecond(layer.multiply_adds, layer.median_us)}};
}

}  // namespace

std::string ToText(const EngineMeasurement& m) {
  std::string text = absl::StrCat("model       ", m.model, "\ninput       ", ShapesText(m.shapes), ", ", m.precision,
                                  ", BatchNormalization ", m.batch_norm, "\n");
  absl::StrAppend(&text, "inference   of ", m.batch, m.batch == 1 ? " sample" : " samples", ", ", m.timing.runs,
                  " times\n  CPU time  ", TimeText(m.timing.cpu), "\n  wall time ", TimeText(m.timing.wall), "\n");
  absl::StrAppendFormat(&text, "arithmetic  %.3f million multiply-adds, %.1f GFLOP/s at the median of CPU time\n",
                        static_cast<double>(m.multiply_adds) / 1e6, m.gigaflops_per_second());
  if (test_support::CountsAllocations()) {
    absl::StrAppendFormat(&text, "memory      %g allocations of %g bytes per inference, arena %d bytes\n",
                          m.allocations, m.allocated_bytes, m.arena_bytes);
  } else {
    absl::StrAppendFormat(&text, "memory      allocations are not counted in this build, arena %d bytes\n",
                          m.arena_bytes);
  }
  absl::StrAppendFormat(&text, "loading     %.1f ms; a plan for a further shape %.2f ms\n", m.load_ms, m.compile_ms);
  if (m.layers.empty()) return text;
  absl::StrAppend(&text, "\nlayers of ",
                  m.chunk == m.batch ? "this batch" : "a part of this batch, which is run in parts", " of ", m.chunk,
                  m.chunk == 1 ? " sample" : " samples", ", wall time, median\n");
  return absl::StrCat(text, LayerTable(m.layers));
}

ordered_json ToJson(const Statistics& statistics) {
  return {{"median", statistics.median}, {"p10", statistics.p10}, {"minimum", statistics.minimum}};
}

ordered_json ToJson(const EngineMeasurement& m) {
  ordered_json shapes = ordered_json::array();
  for (const tensor::Shape& shape : m.shapes) {
    shapes.push_back(std::vector<int64_t>(shape.dims().begin(), shape.dims().end()));
  }
  ordered_json json = {{"model", m.model},
                       {"batch", m.batch},
                       {"input_shapes", std::move(shapes)},
                       {"batchnorm", m.batch_norm},
                       {"precision", m.precision},
                       {"runs", m.timing.runs},
                       {"cpu_us", ToJson(m.timing.cpu)},
                       {"wall_us", ToJson(m.timing.wall)},
                       {"multiply_adds", m.multiply_adds},
                       {"gflops_per_second", m.gigaflops_per_second()},
                       {"allocations", m.allocations},
                       {"allocated_bytes", m.allocated_bytes},
                       {"arena_bytes", m.arena_bytes},
                       {"load_ms", m.load_ms},
                       {"compile_ms", m.compile_ms},
                       {"chunk", m.chunk}};
  if (!test_support::CountsAllocations()) json["allocations"] = json["allocated_bytes"] = nullptr;
  if (m.layers.empty()) return json;
  ordered_json& layers = json["layers"] = ordered_json::array();
  for (const LayerTime& layer : m.layers) layers.push_back(LayerJson(layer));
  return json;
}

std::string OneLine(const ordered_json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, ordered_json::error_handler_t::replace);
}

}  // namespace stillwave::benchmark
