// Typed access to the attributes of one node.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/onnx/onnx_fwd.h"

namespace stillwave::onnx_import {

// Borrows the node. Every getter gives INVALID_ARGUMENT, naming the attribute, when it has another type.
class AttributeReader {
 public:
  // UNIMPLEMENTED for an attribute that is not `known`: to ignore it would change the answer. INVALID_ARGUMENT when
  // one is listed twice.
  static absl::StatusOr<AttributeReader> Create(const ::onnx::NodeProto& node,
                                                absl::Span<const absl::string_view> known);

  bool Has(absl::string_view name) const { return Find(name) != nullptr; }

  // The default stands for an attribute that is left out; lists are empty then.
  absl::StatusOr<int64_t> Int(absl::string_view name, int64_t default_value) const;
  // An integer that must be 0 or 1.
  absl::StatusOr<bool> Bool(absl::string_view name, bool default_value) const;
  // Finite.
  absl::StatusOr<float> Float(absl::string_view name, float default_value) const;
  // NaN and infinities too: data rather than a parameter.
  absl::StatusOr<float> AnyFloat(absl::string_view name, float default_value) const;
  absl::StatusOr<std::string> String(absl::string_view name, absl::string_view default_value) const;
  absl::StatusOr<std::vector<int64_t>> Ints(absl::string_view name) const;
  absl::StatusOr<std::vector<float>> Floats(absl::string_view name) const;
  // Borrowed from the node; null when left out.
  absl::StatusOr<const ::onnx::TensorProto*> Tensor(absl::string_view name) const;

 private:
  const ::onnx::AttributeProto* Find(absl::string_view name) const;

  absl::InlinedVector<const ::onnx::AttributeProto*, 8> attributes_;
};

}  // namespace stillwave::onnx_import
