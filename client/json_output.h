// What --json prints. The only place that knows the JSON library; every function gives one line without its '\n'.
#pragma once

#include <string>
#include <vector>

#include "client/bench/bench_report.h"
#include "client/drift_info.h"
#include "client/model_info.h"
#include "client/result_row.h"
#include "client/result_table.h"
#include "client/stream_summary.h"
#include "client/window_stream.h"

namespace stillwave::client {

// NaN and infinities are null: JSON has no words for them. FP32 values have the digits that give back the same FP32.

// {"model":…,"version":…,"rows":[…]}
std::string InferJson(const std::string& model_name, const std::string& model_version,
                      const std::vector<ResultRow>& rows, const ResultFormat& format);

// Lines of a stream, told apart by their first key: "opened", "window", "gap", "summary".
std::string OpenedJson(const SeriesOpened& opened);
std::string WindowJson(const ResultRow& row, const ResultFormat& format);
std::string GapJson(const SeriesGap& gap);
std::string SummaryJson(const StreamSummary& summary);

std::string ModelsJson(const std::vector<ListedModel>& models);
std::string HealthJson(const HealthReport& report);

// Channels as one array for each quantity.
std::string DriftJson(const DriftInfo& info);
std::string DriftResetJson(const DriftReset& reset);

// Rates are per second, latencies in milliseconds.
std::string BenchJson(const bench::BenchSetup& setup, const std::vector<bench::BenchStep>& steps);

}  // namespace stillwave::client
