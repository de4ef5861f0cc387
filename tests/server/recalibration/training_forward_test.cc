#include "server/recalibration/training_forward.h"

#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/graph/op.h"
#include "tests/support/network_builder.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/status_matchers.h"

namespace stillwave::recalibration {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;
using ::stillwave::test_support::StatusIs;
using tensor::Shape;
using tensor::Tensor;
using test_support::NetworkBuilder;
using test_support::RefTensor;
using ::testing::AllOf;
using ::testing::HasSubstr;

graph::Window SameWindow(int64_t kernel) {
  return {{kernel}, {1}, {1}, {kernel / 2}, {kernel / 2}, graph::AutoPad::kNotSet};
}

struct Moments {
  std::vector<double> mean;
  std::vector<double> variance;
  int64_t values = 0;
};

Moments MomentsOf(const RefTensor& x) {
  const auto channels = static_cast<size_t>(x.shape[1]);
  const size_t count = x.reals.size();
  const size_t inner = count / channels / static_cast<size_t>(x.shape[0]);
  Moments result{std::vector<double>(channels, 0), std::vector<double>(channels, 0),
                 static_cast<int64_t>(count / channels)};
  for (size_t i = 0; i < count; ++i) result.mean[i / inner % channels] += x.reals[i];
  for (double& value : result.mean) value /= static_cast<double>(result.values);
  for (size_t i = 0; i < count; ++i) {
    result.variance[i / inner % channels] += std::pow(x.reals[i] - result.mean[i / inner % channels], 2);
  }
  for (double& value : result.variance) value /= static_cast<double>(result.values);
  return result;
}

// What each trained layer sees, by the interpreter: layer for layer, those before it get the batch's statistics as
// their stored ones.
std::map<ValueId, Moments> Reference(Graph graph, const TrainedOutputs& trained, const RefTensor& batch) {
  std::map<ValueId, Moments> result;
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const ValueId output = graph.nodes()[i].outputs[0];
    if (!trained.contains(output)) continue;
    graph.mutable_outputs() = {graph.nodes()[i].inputs[0]};
    const auto seen = test_support::Interpret(graph, {batch});
    EXPECT_TRUE(seen.ok()) << seen.status();
    const Moments moments = MomentsOf((*seen)[0]);
    const Shape channels = {static_cast<int64_t>(moments.mean.size())};
    const auto constant = [&](const std::vector<double>& values) {
      return graph.AddConstant("", test_support::ToTensor(test_support::RealTensor(channels, values)));
    };
    const ValueId mean = constant(moments.mean);
    const ValueId variance = constant(moments.variance);
    graph.mutable_nodes()[i].inputs[3] = mean;
    graph.mutable_nodes()[i].inputs[4] = variance;
    result[output] = moments;
  }
  return result;
}

void ExpectReferenceStatistics(const Graph& network, const TrainedOutputs& trained, const Shape& batch_shape) {
  const RefTensor batch = test_support::RandomTensor(batch_shape, 11);
  const std::map<ValueId, Moments> want = Reference(network, trained, batch);
  ASSERT_EQ(want.size(), trained.size());
  TrainingForward forward(network, trained);
  std::map<ValueId, Moments> got;
  const absl::Status status =
      forward.Run(test_support::ToTensor(batch), [&](ValueId output, const BatchMoments& moments) {
        got[output] = {{moments.mean.begin(), moments.mean.end()},
                       {moments.biased_variance.begin(), moments.biased_variance.end()},
                       moments.values};
        return absl::OkStatus();
      });
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_EQ(got.size(), want.size());
  for (const auto& [output, moments] : want) {
    const Moments& seen = got.at(output);
    EXPECT_EQ(seen.values, moments.values);
    ASSERT_EQ(seen.mean.size(), moments.mean.size());
    for (size_t c = 0; c < moments.mean.size(); ++c) {
      const double deviation = std::sqrt(moments.variance[c]);
      EXPECT_NEAR(seen.mean[c], moments.mean[c], 1e-5 * deviation + 1e-6) << network.value(output).name << " " << c;
      EXPECT_NEAR(seen.variance[c], moments.variance[c], 1e-5 * moments.variance[c] + 1e-6)
          << network.value(output).name << " " << c;
    }
  }
}

// x -> conv, bn, relu -> two branches, one with a bn -> add -> bn -> mean over time, linear, bn of N×C.
struct Branches {
  NetworkBuilder builder{3};
  std::vector<ValueId> norms;

  Branches() {
    const ValueId x = builder.Input("x", {-1, 3, -1});
    norms.push_back(builder.BatchNorm(builder.Conv(x, 3, 8, SameWindow(3)), 8));
    const ValueId trunk = builder.Relu(norms[0]);
    norms.push_back(builder.BatchNorm(builder.Conv(trunk, 8, 8, SameWindow(5)), 8));
    norms.push_back(builder.BatchNorm(builder.Add(trunk, norms[1]), 8));
    const ValueId pooled = builder.Node(graph::GlobalPool{}, {norms[2]});
    const ValueId flat = builder.Node(graph::Flatten{}, {pooled});
    norms.push_back(builder.BatchNorm(builder.Linear(flat, 8, 6), 6));
    builder.Output(builder.Linear(norms[3], 6, 2));
  }
};

TEST(TrainingForward, SeesWhatTheReferenceSeesAcrossBranches) {
  const Branches branches;
  const TrainedOutputs all(branches.norms.begin(), branches.norms.end());
  ExpectReferenceStatistics(branches.builder.graph(), all, {6, 3, 40});
  ExpectReferenceStatistics(branches.builder.graph(), all, {2, 3, 7});
}

TEST(TrainingForward, LeavesTheOtherLayersAtTheirStoredStatistics) {
  const Branches branches;
  for (size_t first = 0; first < branches.norms.size(); ++first) {
    SCOPED_TRACE(first);
    ExpectReferenceStatistics(branches.builder.graph(), {branches.norms[first]}, {5, 3, 16});
  }
  ExpectReferenceStatistics(branches.builder.graph(), {branches.norms[1], branches.norms[3]}, {5, 3, 16});
}

TEST(TrainingForward, TakesALayerOnTheInputItself) {
  NetworkBuilder builder(5);
  const ValueId x = builder.Input("x", {-1, 4, -1});
  const ValueId norm = builder.BatchNorm(x, 4);
  builder.Output(builder.Relu(norm));
  ExpectReferenceStatistics(builder.graph(), {norm}, {3, 4, 9});
}

TEST(TrainingForward, RunsBatchesOfChangingShapes) {
  const Branches branches;
  TrainingForward forward(branches.builder.graph(), {branches.norms[0]});
  for (const Shape& shape : {Shape{4, 3, 16}, Shape{1, 3, 16}, Shape{1, 3, 5}, Shape{4, 3, 16}}) {
    int64_t values = 0;
    const absl::Status status = forward.Run(test_support::ToTensor(test_support::RandomTensor(shape, 1)),
                                            [&](ValueId, const BatchMoments& moments) {
                                              values = moments.values;
                                              return absl::OkStatus();
                                            });
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(values, shape[0] * shape[2]);
  }
}

TEST(TrainingForward, RefusesABatchWithoutAVariance) {
  const Branches branches;
  const TrainedOutputs all(branches.norms.begin(), branches.norms.end());
  const auto undefined =
      StatusIs(absl::StatusCode::kOutOfRange, AllOf(HasSubstr("sees one value for each channel in a batch of [1,"),
                                                    HasSubstr("a variance needs at least two")));
  EXPECT_THAT(CheckTraining(branches.builder.graph(), {branches.norms[0]}, {1, 3, 1}), undefined);
  // Of the last layer a batch of one is one value, whatever its length.
  EXPECT_THAT(CheckTraining(branches.builder.graph(), all, {1, 3, 40}), undefined);
  EXPECT_TRUE(CheckTraining(branches.builder.graph(), all, {2, 3, 1}).ok());
}

TEST(TrainingForward, StopsWhereTheObserverSaysSo) {
  const Branches branches;
  const TrainedOutputs all(branches.norms.begin(), branches.norms.end());
  TrainingForward forward(branches.builder.graph(), all);
  int calls = 0;
  const Tensor batch = test_support::ToTensor(test_support::RandomTensor({2, 3, 8}, 1));
  EXPECT_THAT(forward.Run(batch,
                          [&](ValueId, const BatchMoments&) {
                            return ++calls == 2 ? absl::InvalidArgumentError("enough") : absl::OkStatus();
                          }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("enough")));
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace stillwave::recalibration
