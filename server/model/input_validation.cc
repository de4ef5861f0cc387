#include "server/model/input_validation.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/quoted.h"
#include "server/base/status_macros.h"
#include "server/model/not_finite.h"

namespace stillwave::model {
namespace {

using base::Quoted;
using tensor::Name;
using tensor::Shape;

std::string NamesOf(const std::vector<TensorSpec>& specs) {
  return absl::StrJoin(specs, ", ", [](std::string* out, const TensorSpec& spec) { out->append(spec.name); });
}

int FindSpec(const std::vector<TensorSpec>& specs, absl::string_view name) {
  for (size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

absl::Status CheckShape(const TensorSpec& spec, int64_t max_batch_size, const Shape& shape) {
  const auto refuse = [&](absl::string_view rule) {
    return absl::InvalidArgumentError(absl::StrCat("input '", spec.name, "': ", rule, "; was ", shape.ToString()));
  };
  if (shape.rank() != spec.shape.rank()) {
    return refuse(absl::StrCat("shape must be ", spec.shape.ToString(), " with ", spec.shape.rank(), " dimensions"));
  }
  if (shape[0] < 1 || shape[0] > max_batch_size) {
    return refuse(absl::StrCat("batch size (dimension 0) must be between 1 and ", max_batch_size));
  }
  for (int axis = 1; axis < shape.rank(); ++axis) {
    const int64_t wanted = spec.shape[axis];
    if (wanted == tensor::kDynamicDim ? shape[axis] < 1 : shape[axis] != wanted) {
      return refuse(absl::StrCat("shape must be ", spec.shape.ToString(), ": dimension ", axis, " must be ",
                                 wanted == tensor::kDynamicDim ? "positive" : absl::StrCat(wanted)));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckInput(const TensorSpec& spec, int64_t max_batch_size, const ReceivedInput& input) {
  if (input.data_type != spec.data_type) {
    return absl::InvalidArgumentError(absl::StrCat("input '", spec.name, "': datatype must be ", Name(spec.data_type),
                                                   "; was ", Name(input.data_type)));
  }
  RETURN_IF_ERROR(CheckShape(spec, max_batch_size, input.shape));
  const absl::StatusOr<int64_t> elements = input.shape.ElementCount();
  if (!elements.ok() || *elements > tensor::kMaxTensorBytes / static_cast<int64_t>(tensor::SizeOf(spec.data_type))) {
    return absl::InvalidArgumentError(absl::StrCat("input '", spec.name, "': a tensor must not have more than ",
                                                   tensor::kMaxTensorBytes, " bytes; shape was ",
                                                   input.shape.ToString()));
  }
  const size_t wanted = static_cast<size_t>(*elements) * tensor::SizeOf(spec.data_type);
  if (input.byte_size != wanted) {
    return absl::InvalidArgumentError(absl::StrCat("input '", spec.name, "': ", Name(spec.data_type), " of shape ",
                                                   input.shape.ToString(), " must have ", wanted, " bytes; had ",
                                                   input.byte_size));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ValidInputs> ValidateInputs(const ModelSignature& signature, int64_t max_batch_size,
                                           absl::Span<const ReceivedInput> inputs) {
  const std::vector<TensorSpec>& specs = signature.inputs;
  std::vector<const ReceivedInput*> by_spec(specs.size(), nullptr);
  for (const ReceivedInput& input : inputs) {
    const int index = FindSpec(specs, input.name);
    if (index < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("input names must be of the model (", NamesOf(specs), "); was ", Quoted(input.name)));
    }
    if (by_spec[static_cast<size_t>(index)] != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("input '", input.name, "' must be given once; was given again"));
    }
    by_spec[static_cast<size_t>(index)] = &input;
  }
  ValidInputs valid;
  for (size_t i = 0; i < specs.size(); ++i) {
    if (by_spec[i] == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("input '", specs[i].name, "' must be given; the request has ",
                                                     inputs.size(), " of ", specs.size(), " inputs"));
    }
    RETURN_IF_ERROR(CheckInput(specs[i], max_batch_size, *by_spec[i]));
    const Shape& shape = by_spec[i]->shape;
    if (i == 0) valid.samples = shape[0];
    if (shape[0] != valid.samples) {
      return absl::InvalidArgumentError(absl::StrCat("input '", specs[i].name, "': batch size must be ", valid.samples,
                                                     " as that of input '", specs[0].name, "'; was ", shape[0]));
    }
    valid.views.push_back({specs[i].data_type, shape, by_spec[i]->data});
    FindNotFiniteSamples(valid.views.back(), valid.not_finite);
  }
  if (specs.size() > 1) {
    std::sort(valid.not_finite.begin(), valid.not_finite.end());
    valid.not_finite.erase(std::unique(valid.not_finite.begin(), valid.not_finite.end()), valid.not_finite.end());
  }
  return valid;
}

absl::StatusOr<std::vector<size_t>> SelectOutputs(const ModelSignature& signature,
                                                  absl::Span<const std::string* const> names) {
  std::vector<size_t> selected;
  if (names.empty()) {
    for (size_t i = 0; i < signature.outputs.size(); ++i) selected.push_back(i);
    return selected;
  }
  for (const std::string* name : names) {
    const int index = FindSpec(signature.outputs, *name);
    if (index < 0) {
      return absl::InvalidArgumentError(absl::StrCat("requested outputs must be of the model (",
                                                     NamesOf(signature.outputs), "); was ", Quoted(*name)));
    }
    if (std::find(selected.begin(), selected.end(), static_cast<size_t>(index)) != selected.end()) {
      return absl::InvalidArgumentError(absl::StrCat("output '", *name, "' must be requested once; was given again"));
    }
    selected.push_back(static_cast<size_t>(index));
  }
  return selected;
}

}  // namespace stillwave::model
