// ApplyToSignature of model_config.h.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/status_macros.h"
#include "server/model/model_config.h"

namespace stillwave::model {
namespace {

using tensor::kDynamicDim;
using tensor::Shape;

std::string Names(const std::vector<TensorSpec>& specs) {
  return absl::StrJoin(specs, ", ", [](std::string* out, const TensorSpec& spec) { absl::StrAppend(out, spec.name); });
}

// The dims as the file should have them.
Shape ExpectedDims(const TensorSpec& spec, bool without_batch) {
  return without_batch && spec.shape.rank() > 0 ? Shape(spec.shape.dims().subspan(1)) : spec.shape;
}

absl::Status Narrow(absl::string_view kind, const ConfiguredTensor& configured, bool dims_without_batch,
                    std::vector<TensorSpec>* specs) {
  const auto it =
      std::find_if(specs->begin(), specs->end(), [&](const TensorSpec& spec) { return spec.name == configured.name; });
  if (it == specs->end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(kind, " '", configured.name, "' must be one that the model has (", Names(*specs), ")"));
  }
  const std::string where = absl::StrCat(kind, " '", configured.name, "'");
  if (configured.data_type != it->data_type) {
    return absl::InvalidArgumentError(absl::StrCat(where, ".data_type must be TYPE_", Name(it->data_type),
                                                   ", as in the model; was TYPE_", Name(configured.data_type)));
  }
  const Shape expected = ExpectedDims(*it, dims_without_batch);
  const auto mismatch = [&] {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ".dims must fit the model's ", expected.ToString(),
                     dims_without_batch ? " (without the batch axis, as max_batch_size is set)" : "", "; was ",
                     configured.dims.ToString()));
  };
  if (configured.dims.rank() != expected.rank()) return mismatch();
  const int offset = it->shape.rank() - expected.rank();
  for (int axis = 0; axis < expected.rank(); ++axis) {
    const int64_t dim = configured.dims[axis];
    if (expected[axis] != kDynamicDim && dim != expected[axis]) return mismatch();
    // The batch axis keeps its freedom: max_batch_size limits it.
    if (axis + offset > 0) it->shape[axis + offset] = dim;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelSignature> ApplyToSignature(const ModelConfig& config, const ModelSignature& signature) {
  ModelSignature served = signature;
  for (const ConfiguredTensor& input : config.inputs) {
    RETURN_IF_ERROR(Narrow("input", input, config.dims_without_batch, &served.inputs));
  }
  for (const ConfiguredTensor& output : config.outputs) {
    RETURN_IF_ERROR(Narrow("output", output, config.dims_without_batch, &served.outputs));
  }
  return served;
}

}  // namespace stillwave::model
