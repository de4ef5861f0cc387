// Every broken, hostile and foreign file, each in a process of its own under limits: it is refused with a message about
// its fault, or it is served and answers right; never does it crash, hang or take the machine's memory.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "server/onnx/onnx_importer.h"
#include "tests/server/model/load_process.h"
#include "tests/support/bad_models.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/test_models.h"

namespace stillwave::model {
namespace {

using nlohmann::json;
using test_support::BadModel;
using test_support::BadModelOutcome;
using ::testing::AnyOf;
using ::testing::ContainsRegex;

std::vector<float> ValuesOf(const json& report) { return report["outputs"][0]["values"].get<std::vector<float>>(); }

class BadModelTest : public ::testing::TestWithParam<BadModel> {};

TEST_P(BadModelTest, IsRefusedForItsFaultOrServedWithinLimits) {
  const BadModel& model = GetParam();
  const json report = LoadAndRun(model.path, /*samples=*/1, model.time_steps);
  ASSERT_TRUE(report.is_object()) << report;
  const bool loaded = report["load"]["code"] == "OK";
  if (model.outcome == BadModelOutcome::kServed) {
    ASSERT_TRUE(loaded) << report;
    EXPECT_EQ(report["run"]["code"], "OK") << report;
    return;
  }
  if (model.outcome == BadModelOutcome::kRefused) {
    ASSERT_FALSE(loaded) << report;
  }
  const json& refusal = loaded ? report["run"] : report["load"];
  EXPECT_THAT(refusal["code"].get<std::string>(),
              AnyOf("INVALID_ARGUMENT", "FAILED_PRECONDITION", "UNIMPLEMENTED", "NOT_FOUND", "RESOURCE_EXHAUSTED"));
  EXPECT_THAT(refusal["message"].get<std::string>(), ContainsRegex(model.words));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(BadModelTest);
INSTANTIATE_TEST_SUITE_P(Files, BadModelTest, ::testing::ValuesIn(test_support::BadModels()),
                         test_support::BadModelSuffix);

class GoodControlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (BadModel& model : test_support::BadModels()) models_.emplace(model.name, std::move(model));
    if (models_.empty()) GTEST_SKIP() << "the folder of test data is not beside the repository";
  }

  json Run(const std::string& name) { return LoadAndRun(models_.at(name).path, /*samples=*/3, /*time_steps=*/16); }

  std::map<std::string, BadModel> models_;
};

// What load_one_model feeds.
test_support::RefTensor InputOf(const tensor::Shape& shape) {
  std::vector<double> values(static_cast<size_t>(shape.num_elements()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i * 37 % 17) / 4 - 2;
  return test_support::RealTensor(shape, std::move(values));
}

TEST_F(GoodControlTest, AnswersAsTheReferenceInterpreterDoesInEveryOddForm) {
  for (const char* name : {"good_control", "graph_unsorted", "dup_node_names", "init_float_data_good",
                           "input_dims_negative", "input_dims_zero", "shape_declared_wrong", "value_info_wrong"}) {
    SCOPED_TRACE(name);
    const absl::StatusOr<graph::Graph> graph = onnx_import::ImportFile(models_.at(name).path);
    ASSERT_TRUE(graph.ok()) << graph.status();
    const auto want = test_support::Interpret(*graph, {InputOf({3, 3, 16})});
    ASSERT_TRUE(want.ok()) << want.status();
    const std::vector<float> got = ValuesOf(Run(name));
    ASSERT_EQ(got.size(), (*want)[0].reals.size());
    for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], (*want)[0].reals[i], 1e-5);
  }
}

TEST_F(GoodControlTest, AnswersRightWhereTheNetworkIsAFormula) {
  const std::vector<double> x = InputOf({3, 3, 16}).reals;
  const auto expect = [&](const std::string& name, double (*formula)(double)) {
    const std::vector<float> got = ValuesOf(Run(name));
    ASSERT_GE(got.size(), 64U) << name;
    for (size_t i = 0; i < got.size(); ++i) EXPECT_EQ(static_cast<double>(got[i]), formula(x[i])) << name << " " << i;
  };
  const auto relu = [](double value) { return std::max(value, 0.0); };
  expect("nodes_100k_chain", relu);
  expect("nodes_100k_reversed", relu);
  expect("bomb_shared_dag", [](double value) { return std::ldexp(value, 60); });
  expect("graph_no_nodes", [](double value) { return value; });
}

}  // namespace
}  // namespace stillwave::model
