// How fast one core reads memory: the bound of layers that do little arithmetic on much data.
#pragma once

namespace stillwave::benchmark {

struct MemoryBandwidth {
  double median = 0;  // GB/s
  double best = 0;
};

// Reads 256 MiB, more than caches hold, again and again for `seconds` of CPU time.
MemoryBandwidth MeasureReadBandwidth(double seconds);

}  // namespace stillwave::benchmark
