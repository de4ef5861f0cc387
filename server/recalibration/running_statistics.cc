#include "server/recalibration/running_statistics.h"

#include <utility>

#include "server/base/check.h"

namespace stillwave::recalibration {

RunningStatistics::RunningStatistics(std::vector<float> mean, std::vector<float> variance,
                                     std::optional<double> momentum)
    : mean_(std::move(mean)), variance_(std::move(variance)), momentum_(momentum) {
  SW_CHECK(mean_.size() == variance_.size());
}

void RunningStatistics::Update(const BatchMoments& moments) {
  SW_CHECK(moments.values > 1 && moments.mean.size() == mean_.size() && moments.biased_variance.size() == mean_.size());
  ++updates_;
  const double share = momentum_.value_or(1.0 / static_cast<double>(updates_));
  const double unbiased = static_cast<double>(moments.values) / static_cast<double>(moments.values - 1);
  for (size_t channel = 0; channel < mean_.size(); ++channel) {
    const auto mix = [share](float running, double batch) {
      // With all of the share, a stored value that is not finite must not count either.
      return share == 1 ? static_cast<float>(batch)
                        : static_cast<float>((1 - share) * static_cast<double>(running) + share * batch);
    };
    mean_[channel] = mix(mean_[channel], static_cast<double>(moments.mean[channel]));
    variance_[channel] = mix(variance_[channel], static_cast<double>(moments.biased_variance[channel]) * unbiased);
  }
}

}  // namespace stillwave::recalibration
