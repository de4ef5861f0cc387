// The ONNX project's own operator tests, from the folder `shared/onnx_node_tests` beside the repository (or in
// $STILLWAVE_SHARED_DIR): each a folder with model.onnx, inputs and the answers that ONNX's reference gives.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/support/ref_tensor.h"

namespace stillwave::onnx_node {

struct NodeTest {
  std::string name;  // "test_abs", "extra_opset18plus/test_swish"
  std::string folder;
};

// Sorted; none when the folder is not there.
std::vector<NodeTest> AllNodeTests();

struct NodeTestData {
  // The model. Inputs whose values a plan is made of (everything but floating-point data) are initializers in it, as
  // they are in files that exporters write.
  std::string model;
  std::vector<test_support::RefTensor> inputs;   // the remaining ones, in the model's order
  std::vector<test_support::RefTensor> outputs;  // what must come out
};

// INVALID_ARGUMENT when the folder's files do not fit each other.
absl::StatusOr<NodeTestData> LoadNodeTest(const NodeTest& test);

// How GoogleTest names a test: TestSuffix for INSTANTIATE_TEST_SUITE_P.
std::string TestSuffix(const ::testing::TestParamInfo<NodeTest>& info);
void PrintTo(const NodeTest& test, std::ostream* out);

}  // namespace stillwave::onnx_node
