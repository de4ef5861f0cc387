#include "server/kernels/spatial.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace stillwave::kernels {

absl::StatusOr<SpatialAxes> MakeSpatialAxes(const graph::Window& window, const graph::ResolvedWindow& resolved,
                                            const tensor::Shape& small, const tensor::Shape& large) {
  const size_t count = window.kernel.size();
  SpatialAxes axes;
  if (count > axes.size()) {
    return absl::UnimplementedError(
        absl::StrCat("works on one to three spatial axes; the input is ", large.ToString()));
  }
  for (size_t i = 0; i < count; ++i) {
    const int axis = static_cast<int>(i) + 2;
    axes[i + axes.size() - count] = {small[axis],       large[axis],         window.kernel[i],
                                     window.strides[i], window.dilations[i], resolved.pads_begin[i]};
  }
  return axes;
}

}  // namespace stillwave::kernels
