// What a run allocates once its plan was run before: nothing of ours.
//
// oneDNN itself keeps a primitive's arguments in a map that it fills on every execution. Those allocations are counted
// apart, step by step, and nothing may come on top of them.
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/execution/execution_context.h"
#include "server/model/loaded_model.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::model {
namespace {

using tensor::MutableTensorView;
using tensor::Shape;
using tensor::Tensor;
using tensor::TensorView;
using test_support::IsOk;
using test_support::ThreadAllocations;

int64_t Allocations() { return ThreadAllocations().allocations; }

struct Counts {
  int64_t in_primitives = 0;
  int64_t elsewhere = 0;
};

// Of one run of the plan.
Counts CountSteps(const execution::ExecutionPlan& plan, execution::ExecutionContext& context,
                  absl::Span<const void* const> inputs, absl::Span<void* const> outputs) {
  Counts counts;
  size_t running = plan.steps().size();
  int64_t last = Allocations();
  const absl::Status status = plan.RunObserved(context, inputs, outputs, [&](size_t step) {
    const int64_t now = Allocations();
    const bool in_primitive =
        running < plan.steps().size() && std::holds_alternative<execution::PrimitiveStep>(plan.steps()[running].work);
    (in_primitive ? counts.in_primitives : counts.elsewhere) += now - last;
    running = step;
    last = now;
  });
  counts.elsewhere += Allocations() - last;
  EXPECT_THAT(status, IsOk());
  return counts;
}

class SteadyStateTest : public ::testing::TestWithParam<test_support::TestModel> {};

TEST_P(SteadyStateTest, RunsWithoutAllocating) {
  if (!test_support::CountsAllocations()) GTEST_SKIP() << "a sanitizer's malloc stands in front of the counting one";
  const auto model = LoadedModel::Load(GetParam().model_file, {});
  ASSERT_THAT(model, IsOk());
  const std::vector<Shape>& shapes = (*model)->sample_shapes();
  const auto output_shapes = (*model)->OutputShapes(shapes);
  ASSERT_THAT(output_shapes, IsOk());
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  for (const Shape& shape : shapes) inputs.push_back(*Tensor::Create(tensor::DataType::kFloat32, shape));
  for (const Shape& shape : *output_shapes) outputs.push_back(*Tensor::Create(tensor::DataType::kFloat32, shape));
  std::vector<TensorView> sources;
  std::vector<MutableTensorView> targets;
  std::vector<const void*> from;
  std::vector<void*> to;
  for (Tensor& input : inputs) {
    for (float& value : input.mutable_values<float>()) value = 0.25F;
    sources.push_back(input.view());
    from.push_back(input.data());
  }
  for (Tensor& output : outputs) {
    targets.push_back(output.mutable_view());
    to.push_back(output.mutable_data());
  }
  execution::ExecutionContext context;
  for (int i = 0; i < 3; ++i) ASSERT_THAT((*model)->Run(context, sources, targets), IsOk());

  const auto plan = (*model)->Plan(shapes);
  ASSERT_THAT(plan, IsOk());
  const Counts counts = CountSteps(**plan, context, from, absl::MakeSpan(to));
  EXPECT_EQ(counts.elsewhere, 0);

  const int64_t before = Allocations();
  const absl::Status status = (*model)->Run(context, sources, targets);
  const int64_t after = Allocations();
  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(after - before, counts.in_primitives);
}

INSTANTIATE_TEST_SUITE_P(Models, SteadyStateTest, ::testing::ValuesIn(test_support::PromisedModels()),
                         test_support::TestSuffix);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SteadyStateTest);

}  // namespace
}  // namespace stillwave::model
