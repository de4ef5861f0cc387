#include "server/graph/shape_rules.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace stillwave::graph::rules {

using tensor::DataType;

absl::Status RequireFloat(Inputs inputs) {
  for (const InputType& input : inputs) {
    if (input.present && input.data_type != DataType::kFloat32) {
      return absl::UnimplementedError(
          absl::StrCat("computes on FP32 only; an input is ", tensor::Name(input.data_type)));
    }
  }
  return absl::OkStatus();
}

absl::Status RequireOneOf(std::initializer_list<DataType> types, const InputType& input) {
  if (std::find(types.begin(), types.end(), input.data_type) != types.end()) return absl::OkStatus();
  const auto name = [](std::string* out, DataType type) { absl::StrAppend(out, tensor::Name(type)); };
  return absl::UnimplementedError(
      absl::StrCat("computes on ", absl::StrJoin(types, ", ", name), "; an input is ", tensor::Name(input.data_type)));
}

absl::Status RequireLength(const InputType& input, absl::string_view what, int64_t length) {
  if (input.shape != tensor::Shape({length})) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " must have shape [", length, "]; was ", input.shape.ToString()));
  }
  return absl::OkStatus();
}

}  // namespace stillwave::graph::rules
