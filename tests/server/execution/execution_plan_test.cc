#include "server/execution/execution_plan.h"

#include <cstring>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "server/passes/pass_pipeline.h"
#include "tests/server/execution/run_plan.h"
#include "tests/support/magnitude.h"
#include "tests/support/network_builder.h"
#include "tests/support/random_graph.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/status_matchers.h"

namespace stillwave::execution {
namespace {

using tensor::DataType;
using tensor::Shape;
using tensor::Tensor;
using test_support::Difference;
using test_support::IsOk;
using test_support::LargestMagnitude;
using test_support::NetworkBuilder;
using test_support::RandomNetwork;
using test_support::RefTensor;
using test_support::UniformWindow;

void ExpectAgreesWithReference(const graph::Graph& graph, const RefTensor& input, double bound) {
  const auto want = test_support::Interpret(graph, {input});
  ASSERT_THAT(want, IsOk());
  const auto got = CompileAndRun(graph, {input});
  ASSERT_THAT(got, IsOk()) << graph::ToText(graph);
  for (size_t j = 0; j < want->size(); ++j) {
    EXPECT_EQ(Difference((*got)[j], (*want)[j], bound * LargestMagnitude((*want)[j]), 0), "") << "output " << j << "\n"
                                                                                              << graph::ToText(graph);
  }
}

TEST(ExecutionPlanTest, AgreesWithTheReferenceOnRandomNetworksWithAndWithoutPasses) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const RandomNetwork network = test_support::MakeRandomNetwork(seed);
    const RefTensor batch = test_support::RandomBatch(network, 1 + static_cast<int64_t>(seed % 7), seed);
    ExpectAgreesWithReference(network.graph, batch, 2e-5);
    graph::Graph optimized = network.graph;
    ASSERT_THAT(passes::SimplifyGraph(optimized), IsOk());
    ASSERT_THAT(passes::OptimizeGraph(optimized, {.fold_batch_norm = seed % 2 == 0}), IsOk());
    ExpectAgreesWithReference(optimized, batch, 2e-5);
  }
}

TEST(ExecutionPlanTest, GivesEveryKindOfOutputItsOwnMemory) {
  NetworkBuilder build(1);
  const Shape shape({2, 3, 5});
  const graph::ValueId x = build.Input("x", shape);
  const graph::ValueId h = build.Relu(x);
  const graph::ValueId view = build.Node(graph::Flatten{1}, {h});
  const graph::ValueId conv = build.Conv(h, 3, 4, UniformWindow(1, 1));
  for (const graph::ValueId output :
       {h, view, h, conv, build.Node(graph::Flatten{1}, {conv}), x, build.Node(graph::Flatten{2}, {x}),
        build.RandomConstant({4}, 1), build.Node(graph::Flatten{0}, {view})}) {
    build.Output(output);
  }
  ExpectAgreesWithReference(build.graph(), test_support::RandomTensor(shape, 1), 1e-6);
}

TEST(ExecutionPlanTest, AddsAndSubtractsValuesWithThemselvesAndTheirViews) {
  NetworkBuilder build(1);
  const Shape shape({2, 3, 5});
  const graph::ValueId h = build.Conv(build.Input("x", shape), 3, 4, UniformWindow(1, 1));
  const graph::ValueId doubled = build.Add(h, h);
  const graph::ValueId view = build.Node(graph::Reshape{}, {doubled, build.Integers({2, 4, 5})});
  const graph::ValueId difference = build.Node(graph::Binary{graph::BinaryKind::kSub}, {view, doubled});
  build.Output(build.Add(difference, build.Relu(doubled)));
  ExpectAgreesWithReference(build.graph(), test_support::RandomTensor(shape, 1), 1e-6);
}

TEST(ExecutionPlanTest, RunsAgainWithOtherMemoryAndAfterOtherPlans) {
  const RandomNetwork network = test_support::MakeRandomNetwork(5);
  const RefTensor first = test_support::RandomBatch(network, 2, 1);
  const RefTensor second = test_support::RandomBatch(network, 2, 2);
  const RefTensor wide = test_support::RandomBatch(network, 9, 3);
  const auto plan = Compile(network.graph, {first.shape});
  const auto wide_plan = Compile(network.graph, {wide.shape});
  ASSERT_THAT(plan, IsOk());
  ASSERT_THAT(wide_plan, IsOk());
  const std::vector<DataType> types(network.graph.outputs().size(), DataType::kFloat32);
  ExecutionContext context;
  for (const RefTensor* input : {&first, &second, &wide, &first, &second}) {
    const ExecutionPlan& used = input == &wide ? **wide_plan : **plan;
    std::vector<Tensor> tensors;
    tensors.push_back(test_support::ToTensor(*input));
    const auto outputs = RunPlan(used, context, tensors, types);
    ASSERT_THAT(outputs, IsOk());
    const auto want = test_support::Interpret(network.graph, {*input});
    ASSERT_THAT(want, IsOk());
    for (size_t j = 0; j < want->size(); ++j) {
      EXPECT_EQ(Difference(test_support::ToRefTensor((*outputs)[j].view()), (*want)[j],
                           2e-5 * LargestMagnitude((*want)[j]), 0),
                "");
    }
  }
}

TEST(ExecutionPlanTest, TellsAnObserverBeforeEachStepAndComputesTheSame) {
  const RandomNetwork network = test_support::MakeRandomNetwork(7);
  const Tensor input = test_support::ToTensor(test_support::RandomBatch(network, 3, 1));
  const auto plan = Compile(network.graph, {input.shape()});
  ASSERT_THAT(plan, IsOk());
  std::vector<Tensor> outputs[2];
  std::vector<void*> targets[2];
  for (size_t run = 0; run < 2; ++run) {
    for (const Shape& shape : (*plan)->output_shapes()) {
      outputs[run].push_back(*Tensor::Create(DataType::kFloat32, shape));
      targets[run].push_back(outputs[run].back().mutable_data());
    }
  }
  const std::vector<const void*> sources = {input.data()};
  ExecutionContext context;
  std::vector<size_t> seen;
  ASSERT_THAT((*plan)->Run(context, sources, absl::MakeSpan(targets[0])), IsOk());
  ASSERT_THAT((*plan)->RunObserved(context, sources, absl::MakeSpan(targets[1]), [&](size_t i) { seen.push_back(i); }),
              IsOk());
  ASSERT_EQ(seen.size(), (*plan)->steps().size() + 1);
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i);
  for (size_t j = 0; j < outputs[0].size(); ++j) {
    EXPECT_EQ(std::memcmp(outputs[0][j].data(), outputs[1][j].data(), outputs[0][j].byte_size()), 0);
  }
}

TEST(ExecutionPlanTest, GivesTheSameBitsFromSeveralThreadsAtOnce) {
  const RandomNetwork network = test_support::MakeRandomNetwork(11);
  const RefTensor batch = test_support::RandomBatch(network, 4, 1);
  const auto plan = Compile(network.graph, {batch.shape});
  ASSERT_THAT(plan, IsOk());
  const std::vector<DataType> types(network.graph.outputs().size(), DataType::kFloat32);
  std::vector<Tensor> inputs;
  inputs.push_back(test_support::ToTensor(batch));
  ExecutionContext context;
  const auto want = RunPlan(**plan, context, inputs, types);
  ASSERT_THAT(want, IsOk());
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      ExecutionContext own;
      for (int round = 0; round < 25; ++round) {
        const auto got = RunPlan(**plan, own, inputs, types);
        for (size_t j = 0; j < want->size(); ++j) {
          if (!got.ok() || std::memcmp((*got)[j].data(), (*want)[j].data(), (*want)[j].byte_size()) != 0) ++wrong[t];
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ::testing::Each(0));
}

TEST(ExecutionPlanTest, DescribesEachStepForPeople) {
  NetworkBuilder build(1);
  const Shape shape({2, 3, 20});
  const graph::ValueId x = build.Input("x", shape);
  build.Output(build.Node(graph::Transpose{{2, 1, 0}}, {build.Conv(x, 3, 16, UniformWindow(1, 3))}));
  const auto plan = Compile(build.graph(), {shape});
  ASSERT_THAT(plan, IsOk());
  const std::string text = StepsText(**plan);
  EXPECT_THAT(text, ::testing::HasSubstr("Conv_0 Conv kernel=[3] [2,16,18] convolution "));
  EXPECT_THAT(text, ::testing::HasSubstr("Reorder to channels last"));
  EXPECT_THAT(text, ::testing::HasSubstr("Transpose_1 Transpose perm=[2,1,0] [18,16,2] kernel stillwave"));
}

}  // namespace
}  // namespace stillwave::execution
