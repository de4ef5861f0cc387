// What the tests of the converters have in common: one node is imported, and its operator or the refusal looked at.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/onnx/onnx_test_util.h"
#include "tests/support/status_matchers.h"

namespace stillwave::onnx_import {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using testing::Attr;
using ::testing::ElementsAre;
using testing::FloatTensor;
using ::testing::HasSubstr;
using testing::ImportOneNode;
using testing::Int64Input;
using testing::Int64Tensor;
using testing::Iota;
using testing::LastOp;
using testing::ModelBuilder;
using ::testing::SizeIs;
using Ints = std::vector<int64_t>;

inline constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
inline constexpr auto kNotFrozen = absl::StatusCode::kFailedPrecondition;
inline constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

}  // namespace stillwave::onnx_import
