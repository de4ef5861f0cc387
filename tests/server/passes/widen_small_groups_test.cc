#include "server/passes/widen_small_groups.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/network_builder.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/status_matchers.h"

namespace stillwave::passes {
namespace {

using graph::ValueId;
using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::UniformWindow;

struct Groups {
  int64_t inputs, outputs, group;
  bool widened;
};

TEST(WidenSmallGroupsTest, GivesTheSameSumsWhereItPays) {
  for (const Groups& groups : {Groups{6, 4, 2, true}, Groups{20, 10, 5, true}, Groups{8, 16, 8, true},
                               Groups{32, 32, 2, false},  // a group fills vectors
                               Groups{8, 8, 8, false},    // depthwise
                               Groups{18, 18, 9, false},  // too many
                               Groups{3, 5, 1, false}}) {
    SCOPED_TRACE(std::to_string(groups.inputs) + " to " + std::to_string(groups.outputs) + " in " +
                 std::to_string(groups.group));
    NetworkBuilder build(1);
    const ValueId x = build.Input("x", {2, groups.inputs, 9});
    build.Output(build.Conv(x, groups.inputs, groups.outputs, UniformWindow(1, 3, 1, 1, 1, 1), groups.group));
    graph::Graph graph = build.graph();
    const auto changed = WidenSmallGroups(graph);
    ASSERT_THAT(changed, IsOk());
    EXPECT_EQ(*changed, groups.widened);
    const auto input = test_support::RandomTensor({2, groups.inputs, 9}, 2);
    const auto before = test_support::Interpret(build.graph(), {input});
    const auto after = test_support::Interpret(graph, {input});
    ASSERT_THAT(before, IsOk());
    ASSERT_THAT(after, IsOk());
    EXPECT_EQ(test_support::Difference((*after)[0], (*before)[0], 0, 0), "");
    EXPECT_EQ(std::get<graph::Conv>(graph.nodes()[0].op).group, groups.widened ? 1 : groups.group);
  }
}

}  // namespace
}  // namespace stillwave::passes
