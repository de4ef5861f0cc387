#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/kernels/families.h"

namespace stillwave::kernels {

// {outer, axis, inner} gathered by K indices gives {outer, K, inner}. Indices must be known, so that a bad one is a
// refusal when the plan is compiled and not a read out of bounds later.
absl::StatusOr<Kernel> MakeGather(const graph::Gather& op, Inputs inputs, const Output& output) {
  const tensor::Shape& x = inputs[0].shape;
  ASSIGN_OR_RETURN(const int axis, graph::NormalizeAxis(op.axis, x.rank()));
  graph::InputType flat = inputs[1];
  tensor::Tensor list;
  if (flat.constant != nullptr && flat.shape.rank() > 1) {
    list = flat.constant->Clone();
    list.Reshape({list.num_elements()});
    flat.constant = &list;
  }
  ASSIGN_OR_RETURN(std::vector<int64_t> indices, graph::IntegerValues(flat, "indices"));
  for (int64_t& index : indices) {
    if (index < -x[axis] || index >= x[axis]) {
      return absl::InvalidArgumentError(absl::StrCat("indices must be between ", -x[axis], " and ", x[axis] - 1,
                                                     " for axis ", axis, " of ", x.ToString(), "; one is ", index));
    }
    if (index < 0) index += x[axis];
  }
  int64_t outer = 1;
  for (int i = 0; i < axis; ++i) outer *= x[i];
  auto inner_bytes = static_cast<size_t>(tensor::SizeOf(output.data_type));
  for (int i = axis + 1; i < x.rank(); ++i) inner_bytes *= static_cast<size_t>(x[i]);
  const size_t slab = inner_bytes * static_cast<size_t>(x[axis]);
  return Kernel([=, indices = std::move(indices)](absl::Span<const void* const> sources, void* dst) {
    const char* from = static_cast<const char*>(sources[0]);
    char* to = static_cast<char*>(dst);
    for (int64_t o = 0; o < outer; ++o, from += slab) {
      for (const int64_t index : indices) {
        if (inner_bytes > 0) std::memcpy(to, from + static_cast<size_t>(index) * inner_bytes, inner_bytes);
        to += inner_bytes;
      }
    }
  });
}

}  // namespace stillwave::kernels
