#include "client/window_cutter.h"

#include "absl/strings/str_cat.h"
#include "client/exit_code.h"
#include "client/sample_array.h"
#include "server/base/check.h"

namespace stillwave::client {

absl::Status CheckWindowCut(const WindowCut& cut, int64_t samples) {
  if (cut.length <= 0) return UsageError(absl::StrCat("--window must be positive; was ", cut.length));
  if (cut.hop <= 0) return UsageError(absl::StrCat("--hop must be positive; was ", cut.hop));
  if (cut.count <= 0) return UsageError(absl::StrCat("--batch must be positive; was ", cut.count));
  if (cut.first < 0) return UsageError(absl::StrCat("--start must not be negative; was ", cut.first));
  if (cut.length > samples) {
    return UsageError(absl::StrCat("a window of ", cut.length, " samples needs as many; the series has ", samples));
  }
  if (cut.first > samples - cut.length) {
    return UsageError(absl::StrCat("a window of ", cut.length, " samples must start at sample ", samples - cut.length,
                                   " or before; was ", cut.first));
  }
  const int64_t fitting = (samples - cut.length - cut.first) / cut.hop + 1;
  if (cut.count > fitting) {
    return UsageError(absl::StrCat("from sample ", cut.first, " on, ", fitting, " windows of ", cut.length,
                                   " samples with hop ", cut.hop, " fit into ", samples, " samples; --batch was ",
                                   cut.count));
  }
  return absl::OkStatus();
}

std::vector<float> CutWindows(absl::Span<const float> series, int64_t channels, const WindowCut& cut) {
  SW_CHECK(CheckWindowCut(cut, static_cast<int64_t>(series.size()) / channels).ok());
  std::vector<float> windows;
  windows.reserve(static_cast<size_t>(cut.count * channels * cut.length));
  for (int64_t window = 0; window < cut.count; ++window) {
    for (int64_t channel = 0; channel < channels; ++channel) {
      for (int64_t t = 0; t < cut.length; ++t) {
        windows.push_back(series[static_cast<size_t>((cut.start(window) + t) * channels + channel)]);
      }
    }
  }
  return windows;
}

}  // namespace stillwave::client
