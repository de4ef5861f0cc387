// Which input elements an output element of a Resize is made of, along one axis.
#pragma once

#include <cstdint>
#include <vector>

#include "server/graph/op.h"
#include "server/graph/resize_geometry.h"

namespace stillwave::kernels {

// output[i] = sum over t of weight[t * output + i] * input[index[t * output + i]]: all first taps, then all second
// ones.
struct ResizeTaps {
  int64_t input = 1;
  int64_t output = 1;
  int64_t taps = 1;
  std::vector<int64_t> index;    // {taps, output}, each inside the input
  std::vector<float> weight;     // {taps, output}
  std::vector<uint8_t> outside;  // {output}: 1 where tf_crop_and_resize looks beyond the input

  // The output is the input.
  bool IsIdentity() const;
  // Every output element is one input element.
  bool IsCopy() const;
};

ResizeTaps MakeResizeTaps(const graph::Resize& op, const graph::ResizedAxis& axis);

}  // namespace stillwave::kernels
