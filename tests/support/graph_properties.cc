#include "tests/support/graph_properties.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "server/graph/graph_verifier.h"
#include "tests/support/magnitude.h"
#include "tests/support/random_graph.h"
#include "tests/support/reference_interpreter.h"

namespace stillwave::test_support {
namespace {

void ExpectSameOutputs(const graph::Graph& before, const graph::Graph& after, const RefTensor& batch, double rtol) {
  const auto want = Interpret(before, {batch});
  const auto got = Interpret(after, {batch});
  ASSERT_TRUE(want.ok()) << want.status();
  ASSERT_TRUE(got.ok()) << got.status();
  ASSERT_EQ(got->size(), want->size());
  for (size_t j = 0; j < want->size(); ++j) {
    EXPECT_EQ(Difference((*got)[j], (*want)[j], rtol * LargestMagnitude((*want)[j]), 0), "") << "output " << j;
  }
}

void ExpectUnchangedForSeed(const Rewrite& rewrite, uint64_t seed, double rtol, RewriteCounts& counts) {
  const RandomNetwork network = MakeRandomNetwork(seed);
  graph::Graph rewritten = network.graph;
  const absl::StatusOr<bool> changed = rewrite(rewritten);
  ASSERT_TRUE(changed.ok()) << changed.status();
  const std::string before = graph::ToText(network.graph);
  const std::string after = graph::ToText(rewritten);
  SCOPED_TRACE("seed " + std::to_string(seed) + "\nbefore:\n" + before + "after:\n" + after);
  EXPECT_EQ(*changed, before != after);
  ASSERT_TRUE(graph::VerifyGraph(rewritten).ok()) << graph::VerifyGraph(rewritten);
  ExpectSameOutputs(network.graph, rewritten, RandomBatch(network, 2, seed), rtol);

  const absl::StatusOr<bool> again = rewrite(rewritten);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(*again) << "a second application: " << graph::ToText(rewritten);
  ++counts.networks;
  if (*changed) ++counts.changed;
}

}  // namespace

RewriteCounts ExpectOutputsUnchanged(const Rewrite& rewrite, int networks, double rtol) {
  RewriteCounts counts;
  for (int seed = 0; seed < networks; ++seed) {
    ExpectUnchangedForSeed(rewrite, static_cast<uint64_t>(seed), rtol, counts);
  }
  return counts;
}

int CountNodes(const graph::Graph& graph, absl::string_view op_name) {
  return static_cast<int>(std::count_if(graph.nodes().begin(), graph.nodes().end(),
                                        [&](const graph::Node& node) { return graph::OpName(node.op) == op_name; }));
}

}  // namespace stillwave::test_support
