// A sample's bits do not depend on the batch it stands in: the promise that lets requests be batched at all.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "server/passes/pass_pipeline.h"
#include "tests/server/execution/run_plan.h"
#include "tests/support/network_builder.h"
#include "tests/support/random_graph.h"
#include "tests/support/status_matchers.h"

namespace stillwave::execution {
namespace {

using tensor::Shape;
using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::RandomNetwork;
using test_support::RefTensor;
using test_support::UniformWindow;

// Rows `first`, `first` + 1, … of `batch`.
RefTensor Rows(const RefTensor& batch, const std::vector<size_t>& rows) {
  const size_t size = batch.reals.size() / static_cast<size_t>(batch.shape[0]);
  RefTensor result = batch;
  result.shape[0] = static_cast<int64_t>(rows.size());
  result.reals.clear();
  for (const size_t row : rows) {
    const auto begin = batch.reals.begin() + static_cast<ptrdiff_t>(row * size);
    result.reals.insert(result.reals.end(), begin, begin + static_cast<ptrdiff_t>(size));
  }
  return result;
}

// Runs `graph` on every row of `batch` alone and on batches of the given sizes, and expects equal bits.
void ExpectBatchInvariant(const graph::Graph& graph, const RefTensor& batch, const std::vector<size_t>& sizes) {
  std::vector<std::vector<RefTensor>> alone;
  for (size_t row = 0; row < static_cast<size_t>(batch.shape[0]); ++row) {
    auto outputs = CompileAndRun(graph, {Rows(batch, {row})});
    ASSERT_THAT(outputs, IsOk());
    alone.push_back(*std::move(outputs));
  }
  for (const size_t size : sizes) {
    // In another order than the rows were made, so that a row's place changes too.
    std::vector<size_t> rows(size);
    for (size_t i = 0; i < size; ++i) rows[i] = (i * 5 + size) % alone.size();
    const auto together = CompileAndRun(graph, {Rows(batch, rows)});
    ASSERT_THAT(together, IsOk());
    for (size_t j = 0; j < together->size(); ++j) {
      for (size_t i = 0; i < size; ++i) {
        const RefTensor& want = alone[rows[i]][j];
        const size_t count = want.reals.size();
        ASSERT_EQ(std::memcmp(&(*together)[j].reals[i * count], want.reals.data(), count * sizeof(double)), 0)
            << "output " << j << ", row " << i << " of a batch of " << size << "\n"
            << graph::ToText(graph);
      }
    }
  }
}

TEST(BatchInvarianceTest, HoldsForConvolutionBlocksInBatchesOfTwoToSixtyFour) {
  std::vector<size_t> sizes(63);
  std::iota(sizes.begin(), sizes.end(), 2);
  for (const bool fold : {false, true}) {
    NetworkBuilder build(1);
    const Shape shape({tensor::kDynamicDim, 3, 50});
    graph::ValueId h = build.Input("x", shape);
    int64_t channels = 3;
    for (const int64_t out_channels : {16, 19, 8}) {
      h = build.Conv(h, channels, out_channels, UniformWindow(1, 3, 1, 1, 1, 1), 1, false);
      h = build.Relu(build.BatchNorm(h, out_channels));
      channels = out_channels;
    }
    h = build.Node(graph::Flatten{1}, {build.Node(graph::GlobalPool{}, {h})});
    build.Output(build.Node(graph::Softmax{}, {build.Linear(h, channels, 5)}));
    graph::Graph graph = build.graph();
    ASSERT_THAT(passes::OptimizeGraph(graph, {.fold_batch_norm = fold}), IsOk());
    ExpectBatchInvariant(graph, test_support::RandomTensor({8, 3, 50}, 1), sizes);
  }
}

TEST(BatchInvarianceTest, HoldsForRandomNetworks) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const RandomNetwork network = test_support::MakeRandomNetwork(seed);
    graph::Graph graph = network.graph;
    ASSERT_THAT(passes::SimplifyGraph(graph), IsOk());
    ASSERT_THAT(passes::OptimizeGraph(graph, {}), IsOk());
    ExpectBatchInvariant(graph, test_support::RandomBatch(network, 4, seed), {2, 3, 4, 7, 8, 16, 33, 64});
  }
}

TEST(BatchInvarianceTest, HoldsForLinearLayersOfManySizes) {
  for (const int64_t inputs : {1, 7, 64, 300}) {
    for (const int64_t outputs : {1, 5, 16, 100}) {
      NetworkBuilder build(static_cast<uint64_t>(inputs * 1000 + outputs));
      const Shape shape({tensor::kDynamicDim, inputs});
      build.Output(build.Relu(build.BatchNorm(build.Linear(build.Input("x", shape), inputs, outputs), outputs)));
      ExpectBatchInvariant(build.graph(), test_support::RandomTensor({4, inputs}, 1), {2, 3, 4, 5, 8, 16, 32, 64});
    }
  }
}

}  // namespace
}  // namespace stillwave::execution
