// Real networks are imported. Files that are broken on purpose: tests/server/model/bad_models_test.cc.
#include <vector>

#include "gtest/gtest.h"
#include "server/graph/graph_verifier.h"
#include "server/onnx/onnx_importer.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::onnx_import {
namespace {

using ::stillwave::test_support::IsOk;

TEST(ModelFiles, EveryPromisedNetworkIsImportedAndFrozen) {
  const std::vector<test_support::TestModel> models = test_support::PromisedModels();
  if (models.empty()) GTEST_SKIP() << "there are no models in tests/data/models, nor beside the repository";
  for (const test_support::TestModel& model : models) {
    SCOPED_TRACE(model.name);
    const absl::StatusOr<graph::Graph> graph = ImportFile(model.model_file);
    ASSERT_THAT(graph, IsOk());
    EXPECT_THAT(graph::VerifyGraph(*graph), IsOk());
    EXPECT_FALSE(graph->inputs().empty());
    EXPECT_FALSE(graph->outputs().empty());
  }
}

}  // namespace
}  // namespace stillwave::onnx_import
