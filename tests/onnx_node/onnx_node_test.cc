// Every operator test of the ONNX project through the whole engine: import, passes, plan, run.
#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/status_macros.h"
#include "server/onnx/onnx_importer.h"
#include "server/passes/pass_pipeline.h"
#include "tests/onnx_node/node_tests.h"
#include "tests/onnx_node/out_of_scope.h"
#include "tests/server/execution/run_plan.h"
#include "tests/support/status_matchers.h"

namespace stillwave::onnx_node {
namespace {

using test_support::IsOk;
using test_support::RefTensor;

// ONNX's own runner allows a thousandth of the value; small ones are allowed float's rounding.
constexpr double kRelative = 1e-3;
constexpr double kAbsolute = 1e-5;

absl::StatusOr<std::vector<RefTensor>> LoadAndRun(const NodeTestData& data) {
  ASSIGN_OR_RETURN(graph::Graph graph, onnx_import::ImportBytes(data.model, /*data_folder=*/""));
  RETURN_IF_ERROR(passes::SimplifyGraph(graph));
  RETURN_IF_ERROR(passes::OptimizeGraph(graph, {}));
  return execution::CompileAndRun(graph, data.inputs);
}

const OutOfScope* FindOutOfScope(const std::string& name) {
  const auto* found = std::find_if(std::begin(kOutOfScope), std::end(kOutOfScope),
                                   [&](const OutOfScope& entry) { return entry.test == name; });
  return found == std::end(kOutOfScope) ? nullptr : found;
}

class OnnxNodeTest : public ::testing::TestWithParam<NodeTest> {};

TEST_P(OnnxNodeTest, GivesTheReferencesAnswerOrIsRefusedAsListed) {
  const absl::StatusOr<NodeTestData> data = LoadNodeTest(GetParam());
  ASSERT_THAT(data, IsOk());
  const absl::StatusOr<std::vector<RefTensor>> got = LoadAndRun(*data);
  if (const OutOfScope* entry = FindOutOfScope(GetParam().name); entry != nullptr) {
    const std::set<absl::StatusCode> refusals = {absl::StatusCode::kUnimplemented, absl::StatusCode::kInvalidArgument,
                                                 absl::StatusCode::kFailedPrecondition};
    EXPECT_EQ(refusals.count(got.status().code()), 1)
        << "is listed as out of scope (" << entry->reason << "), but gave " << got.status();
    return;
  }
  ASSERT_THAT(got, IsOk());
  ASSERT_EQ(got->size(), data->outputs.size());
  for (size_t i = 0; i < got->size(); ++i) {
    EXPECT_EQ(test_support::Difference((*got)[i], data->outputs[i], kAbsolute, kRelative), "") << "output " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, OnnxNodeTest, ::testing::ValuesIn(AllNodeTests()), TestSuffix);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(OnnxNodeTest);

TEST(OutOfScopeTest, NamesTestsThatExist) {
  const std::vector<NodeTest> tests = AllNodeTests();
  if (tests.empty()) GTEST_SKIP() << "there is no folder shared/onnx_node_tests beside the repository";
  for (const OutOfScope& entry : kOutOfScope) {
    EXPECT_TRUE(std::any_of(tests.begin(), tests.end(), [&](const NodeTest& test) { return test.name == entry.test; }))
        << entry.test;
    EXPECT_FALSE(entry.reason.empty()) << entry.test;
  }
}

}  // namespace
}  // namespace stillwave::onnx_node
