// What FindTimeLocality says, held against a plain interpreter on random networks and neighboring windows.
#include <numeric>
#include <vector>

#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "server/overlap/time_locality.h"
#include "server/passes/specialize.h"
#include "tests/server/overlap/series_windows.h"
#include "tests/support/network_builder.h"
#include "tests/support/random_graph.h"
#include "tests/support/reference_interpreter.h"

namespace stillwave::overlap {
namespace {

using test_support::RefTensor;

struct LocalValue {
  graph::ValueId id;
  Locality where;
};

// Every local value of the random network, as outputs of a graph.
struct Subject {
  graph::Graph graph;
  std::vector<LocalValue> values;
  int64_t alignment = 1;
};

Subject MakeSubject(const test_support::RandomNetwork& network) {
  Subject subject;
  tensor::Shape input = {1};
  for (const int64_t dim : network.sample_shape.dims()) input.Append(dim);
  absl::StatusOr<graph::Graph> whole = passes::Specialize(network.graph, {input});
  EXPECT_TRUE(whole.ok()) << whole.status();
  if (!whole.ok()) return subject;
  const TimeLocality found = FindTimeLocality(*whole);
  subject.graph = *std::move(whole);
  subject.graph.mutable_outputs().clear();
  for (const graph::Node& node : subject.graph.nodes()) {
    const auto& where = found.values[static_cast<size_t>(node.outputs[0])];
    if (!where.has_value()) continue;
    subject.values.push_back({node.outputs[0], *where});
    subject.alignment = std::lcm(subject.alignment, where->stride);
  }
  for (const LocalValue& value : subject.values) subject.graph.AddOutput(value.id);
  return subject;
}

// A series long enough for three windows `hop` apart.
RefTensor MakeSeries(const test_support::RandomNetwork& network, int64_t hop, uint64_t seed) {
  tensor::Shape shape = {1};
  for (const int64_t dim : network.sample_shape.dims()) shape.Append(dim);
  shape[shape.rank() - 1] += 2 * hop;
  return test_support::RandomTensor(shape, seed);
}

class RandomLocality : public testing::TestWithParam<int> {};

TEST_P(RandomLocality, InteriorPositionsOfNeighboringWindowsAreEqual) {
  const auto seed = static_cast<uint64_t>(GetParam());
  const test_support::RandomNetwork network = test_support::MakeRandomNetwork(seed);
  const Subject subject = MakeSubject(network);
  SCOPED_TRACE(graph::ToText(subject.graph));
  ASSERT_FALSE(subject.values.empty());
  const int64_t length = network.sample_shape[network.sample_shape.rank() - 1];
  const int64_t hop = subject.alignment;
  const RefTensor series = MakeSeries(network, hop, seed);
  const auto first = test_support::Interpret(subject.graph, {Samples(series, 0, length)});
  const auto second = test_support::Interpret(subject.graph, {Samples(series, hop, length)});
  ASSERT_TRUE(first.ok() && second.ok()) << first.status() << second.status();
  int64_t compared = 0;
  for (size_t i = 0; i < subject.values.size(); ++i) {
    const Locality& where = subject.values[i].where;
    const int64_t shift = hop / where.stride;
    ASSERT_EQ((*first)[i].shape[where.time_axis], where.positions);
    for (int64_t j = where.left; j + shift < where.positions - where.right; ++j) {
      ++compared;
      ASSERT_TRUE(SamePosition((*second)[i], j, (*first)[i], j + shift, where.time_axis))
          << subject.graph.value(subject.values[i].id).name << " position " << j;
    }
  }
  EXPECT_GT(compared, 0);
}

// Samples outside of what a position looks at change nothing: `first` and `last` are not too narrow.
TEST_P(RandomLocality, PositionsLookAtNothingElse) {
  const auto seed = static_cast<uint64_t>(GetParam());
  const test_support::RandomNetwork network = test_support::MakeRandomNetwork(seed);
  const Subject subject = MakeSubject(network);
  SCOPED_TRACE(graph::ToText(subject.graph));
  const int64_t length = network.sample_shape[network.sample_shape.rank() - 1];
  const RefTensor window = Samples(MakeSeries(network, 1, seed), 0, length);
  RefTensor changed = window;
  const int64_t at = length / 2;
  for (size_t i = static_cast<size_t>(at); i < changed.reals.size(); i += static_cast<size_t>(length)) {
    changed.reals[i] += 100;
  }
  const auto before = test_support::Interpret(subject.graph, {window});
  const auto after = test_support::Interpret(subject.graph, {changed});
  ASSERT_TRUE(before.ok() && after.ok()) << before.status() << after.status();
  for (size_t i = 0; i < subject.values.size(); ++i) {
    const Locality& where = subject.values[i].where;
    for (int64_t j = 0; j < where.positions; ++j) {
      const int64_t begin = where.stride * j + where.first;
      const int64_t end = where.stride * j + where.last;
      if (begin <= at && at <= end) continue;
      ASSERT_TRUE(SamePosition((*before)[i], j, (*after)[i], j, where.time_axis))
          << subject.graph.value(subject.values[i].id).name << " position " << j << " looks at " << begin << " to "
          << end << " but changed with sample " << at;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomLocality, testing::Range(0, 60));

}  // namespace
}  // namespace stillwave::overlap
