// The ONNX project's operator tests that the server does not pass, with the reason that a user is given. Each must be
// refused when it is loaded, so that an entry that no longer holds is found.
#pragma once

#include "absl/strings/string_view.h"

namespace stillwave::onnx_node {

struct OutOfScope {
  absl::string_view test;
  absl::string_view reason;
};

inline constexpr absl::string_view kControlFlow =
    "control flow: a plan is a fixed list of steps, made before the first request";

inline constexpr OutOfScope kOutOfScope[] = {
    // Range itself is supported; its expansion counts with a Loop.
    {"test_range_float_type_positive_delta_expanded", kControlFlow},
    {"test_range_int32_type_negative_delta_expanded", kControlFlow},
};

}  // namespace stillwave::onnx_node
