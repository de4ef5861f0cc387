#include "server/drift/channel_moments.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "server/base/check.h"
#include "server/kernels/moments.h"

namespace stillwave::drift {

bool ChannelMoments::IsFinite() const {
  const auto is_finite = [](double value) { return std::isfinite(value); };
  return std::all_of(mean.begin(), mean.end(), is_finite) && std::all_of(variance.begin(), variance.end(), is_finite);
}

ChannelMoments MomentsOf(const tensor::TensorView& x) {
  SW_CHECK(x.shape.rank() >= 2);
  const int64_t rows = x.shape[0];
  const auto channels = static_cast<size_t>(x.shape[1]);
  if (x.shape.num_elements() == 0) {
    const std::vector<double> none(channels, std::numeric_limits<double>::quiet_NaN());
    return {none, none};
  }
  const int64_t positions = x.shape.num_elements() / rows / x.shape[1];
  ChannelMoments moments{std::vector<double>(channels, 0), std::vector<double>(channels, 0)};
  const float* run = x.values<float>().data();
  for (int64_t row = 0; row < rows; ++row) {
    const auto before = static_cast<double>(row);
    for (size_t c = 0; c < channels; ++c, run += positions) {
      const kernels::Moments next = kernels::MomentsOf(run, positions);
      const double difference = next.mean - moments.mean[c];
      moments.mean[c] += difference / (before + 1);
      moments.variance[c] +=
          (next.variance - moments.variance[c] + difference * difference * before / (before + 1)) / (before + 1);
    }
  }
  return moments;
}

}  // namespace stillwave::drift
