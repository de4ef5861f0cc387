// What the server tells about the drift of a model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stillwave::client {

struct DriftFigures {
  double mean_shift = 0;      // in stored standard deviations
  double variance_ratio = 1;  // live to stored
  double divergence = 0;      // nats
};

struct DriftChannel {
  double live_mean = 0;
  double live_variance = 0;
  double stored_mean = 0;
  double stored_variance = 0;
  DriftFigures figures;
};

struct DriftLayer {
  std::string name;
  DriftFigures mean;  // over the channels
  DriftFigures max;
  double epsilon = 0;
  std::vector<DriftChannel> channels;
};

struct DriftInfo {
  std::string model_name;
  std::string model_version;
  double sample_rate = 0;
  int64_t half_life_samples = 0;
  int64_t minimum_samples = 0;
  bool sufficient = false;
  int64_t samples = 0;
  double weight = 0;
  int64_t dropped_samples = 0;
  std::vector<DriftLayer> layers;  // in the order in which they run
};

struct DriftReset {
  std::string model_name;
  std::string model_version;
  int64_t forgotten_samples = 0;
};

}  // namespace stillwave::client
