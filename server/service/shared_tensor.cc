#include "server/service/shared_tensor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/quoted.h"
#include "server/base/status_macros.h"

namespace stillwave::service {
namespace {

using base::Quoted;
using inference::InferParameter;

constexpr char kPrefix[] = "shared_memory_";
constexpr char kRegion[] = "shared_memory_region";
constexpr char kByteSize[] = "shared_memory_byte_size";
constexpr char kOffset[] = "shared_memory_offset";

// Both kinds of whole number, as clients differ. Null: 0.
absl::StatusOr<uint64_t> ReadWhole(absl::string_view name, const InferParameter* parameter) {
  if (parameter == nullptr) return 0;
  if (parameter->parameter_choice_case() == InferParameter::kUint64Param) return parameter->uint64_param();
  if (parameter->parameter_choice_case() == InferParameter::kInt64Param && parameter->int64_param() >= 0) {
    return static_cast<uint64_t>(parameter->int64_param());
  }
  return absl::InvalidArgumentError(absl::StrCat("parameter '", name, "' must be a whole number, 0 or more; was not"));
}

const InferParameter* ParameterOf(const TensorParameters& parameters, const char* name) {
  const auto it = parameters.find(name);
  return it == parameters.end() ? nullptr : &it->second;
}

}  // namespace

absl::StatusOr<std::optional<SharedTensor>> FindSharedTensor(const TensorParameters& parameters,
                                                             const shared_memory::RegionRegistry* regions) {
  const auto first = std::find_if(parameters.begin(), parameters.end(),
                                  [](const auto& entry) { return absl::StartsWith(entry.first, kPrefix); });
  if (first == parameters.end()) return std::nullopt;
  if (regions == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter ", Quoted(first->first),
                     " is not supported: shared memory is off (--shared_memory); send tensors in the message"));
  }
  const InferParameter* const name = ParameterOf(parameters, kRegion);
  if (name == nullptr || name->parameter_choice_case() != InferParameter::kStringParam) {
    return absl::InvalidArgumentError(absl::StrCat("parameter '", kRegion, "' must be a string; was not"));
  }
  SharedTensor tensor;
  ASSIGN_OR_RETURN(tensor.byte_size, ReadWhole(kByteSize, ParameterOf(parameters, kByteSize)));
  ASSIGN_OR_RETURN(tensor.offset, ReadWhole(kOffset, ParameterOf(parameters, kOffset)));
  if (tensor.byte_size == 0) {
    return absl::InvalidArgumentError(absl::StrCat("parameter '", kByteSize, "' must be positive; was 0"));
  }
  ASSIGN_OR_RETURN(tensor.region, regions->Find(name->string_param()));
  RETURN_IF_ERROR(tensor.region->CheckInside(tensor.offset, tensor.byte_size));
  return tensor;
}

absl::StatusOr<std::vector<std::optional<SharedTensor>>> FindSharedOutputs(
    const inference::ModelInferRequest& request, const shared_memory::RegionRegistry* regions) {
  std::vector<std::optional<SharedTensor>> places;
  for (int i = 0; i < request.outputs_size(); ++i) {
    const auto& output = request.outputs(i);
    if (output.parameters().empty()) continue;  // nearly always
    absl::StatusOr<std::optional<SharedTensor>> place = FindSharedTensor(output.parameters(), regions);
    if (!place.ok()) {
      return base::Annotate(place.status(), absl::StrCat("output ", Quoted(output.name())));
    }
    if (!place->has_value()) continue;
    places.resize(static_cast<size_t>(request.outputs_size()));
    places[static_cast<size_t>(i)] = *std::move(place);
  }
  return places;
}

}  // namespace stillwave::service
