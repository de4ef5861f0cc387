#include "server/execution/channels_last.h"

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/execution/run_plan.h"
#include "tests/support/network_builder.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/status_matchers.h"

namespace stillwave::execution {
namespace {

using graph::ValueId;
using tensor::Shape;
using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::RandomTensor;
using test_support::RefTensor;
using test_support::UniformWindow;
using ::testing::ElementsAre;

TEST(ChannelsLastTest, MovesTheChannelsBehindTheSpatialAxes) {
  EXPECT_EQ(ChannelsLastShape({2, 3, 5}), Shape({2, 5, 3}));
  EXPECT_EQ(ChannelsLastShape({2, 3, 5, 7}), Shape({2, 5, 7, 3}));
  std::vector<int> axes;
  for (int axis = 0; axis < 4; ++axis) axes.push_back(ChannelsLastAxis(axis, 4));
  EXPECT_THAT(axes, ElementsAre(0, 3, 1, 2));
}

TEST(ChannelsLastTest, SharesConstantsWhoseElementsStayInOrder) {
  const auto slope = std::make_shared<const tensor::Tensor>(tensor::Tensor::FromValues<float>({3, 1}, {1, 2, 3}));
  const auto moved = ToChannelsLast(slope, 3);
  ASSERT_THAT(moved, IsOk());
  EXPECT_EQ(moved->tensor, slope);
  EXPECT_EQ(moved->shape, Shape({1, 1, 3}));
}

TEST(ChannelsLastTest, ReordersConstantsThatHaveChannelsAndTime) {
  const auto table =
      std::make_shared<const tensor::Tensor>(tensor::Tensor::FromValues<float>({2, 3}, {1, 2, 3, 4, 5, 6}));  // {C,T}
  const auto moved = ToChannelsLast(table, 3);
  ASSERT_THAT(moved, IsOk());
  EXPECT_EQ(moved->shape, Shape({1, 3, 2}));
  EXPECT_THAT(moved->tensor->values<float>(), ElementsAre(1, 4, 2, 5, 3, 6));
}

// An operator between two convolutions, which both want channels last.
struct Between {
  std::string name;
  std::function<ValueId(NetworkBuilder&, ValueId x)> add;  // x is {N,6,10}
  int64_t channels = 6;                                    // of what it gives
};

void PrintTo(const Between& between, std::ostream* out) { *out << between.name; }

class BetweenConvolutionsTest : public ::testing::TestWithParam<Between> {};

TEST_P(BetweenConvolutionsTest, WorksInPlaceOfTheConvolutionsLayout) {
  NetworkBuilder build(7);
  const ValueId x = build.Conv(build.Input("x", {2, 1, 10}), 1, 6, UniformWindow(1, 3, 1, 1, 1, 1));
  const ValueId y = GetParam().add(build, x);
  build.Output(build.Conv(y, GetParam().channels, 1, UniformWindow(1, 1)));
  const RefTensor input = RandomTensor({2, 1, 10}, 3);
  const auto want = test_support::Interpret(build.graph(), {input});
  ASSERT_THAT(want, IsOk());
  const auto got = CompileAndRun(build.graph(), {input});
  ASSERT_THAT(got, IsOk());
  EXPECT_EQ(test_support::Difference((*got)[0], (*want)[0], 1e-5, 1e-5), "");
  const auto plan = Compile(build.graph(), {Shape({2, 1, 10})});
  ASSERT_THAT(plan, IsOk());
  for (const Step& step : (*plan)->steps()) EXPECT_NE(step.info.op, "Reorder") << StepsText(**plan);
}

graph::Resize Doubled() {
  return {.mode = graph::ResizeMode::kNearest, .coordinates = graph::CoordinateMode::kAsymmetric};
}

INSTANTIATE_TEST_SUITE_P(
    Operators, BetweenConvolutionsTest,
    ::testing::Values(
        Between{"ConcatOfChannels",
                [](NetworkBuilder& b, ValueId x) {
                  return b.Node(graph::Concat{1}, {x, x});
                },
                12},
        Between{"ConcatOfTime",
                [](NetworkBuilder& b, ValueId x) {
                  return b.Node(graph::Concat{-1}, {x, x});
                }},
        Between{"SplitOfChannels",
                [](NetworkBuilder& b, ValueId x) {
                  return b.Node(graph::SplitPart{1, 1, 2}, {x});
                },
                3},
        Between{"SliceOfTime",
                [](NetworkBuilder& b, ValueId x) {
                  return b.Node(graph::Slice{}, {x, b.Integers({1}), b.Integers({-2}), b.Integers({2})});
                }},
        Between{"SliceOfAllAxes",
                [](NetworkBuilder& b, ValueId x) {
                  return b.Node(graph::Slice{}, {x, b.Integers({0, 2, 1}), b.Integers({2, 5, 9})});
                },
                3},
        Between{"PadOfTime",
                [](NetworkBuilder& b, ValueId x) {
                  return b.Node(graph::Pad{}, {x, b.Integers({0, 1, 2, 0, 0, 3})});
                },
                7},
        Between{"PadByAxes",
                [](NetworkBuilder& b, ValueId x) {
                  return b.Node(graph::Pad{graph::PadMode::kReflect},
                                {x, b.Integers({2, 1}), graph::kNoValue, b.Integers({-1})});
                }},
        Between{"AddOfAChannelsConstant",
                [](NetworkBuilder& b, ValueId x) {
                  return b.Node(graph::Binary{graph::BinaryKind::kAdd}, {x, b.RandomConstant({6, 1}, 1)});
                }},
        Between{"ProductOfATable",
                [](NetworkBuilder& b, ValueId x) {
                  return b.Node(graph::Binary{graph::BinaryKind::kMul}, {b.RandomConstant({6, 10}, 1), x});
                }},
        Between{"PReluOfChannels",
                [](NetworkBuilder& b, ValueId x) {
                  return b.Node(graph::Binary{graph::BinaryKind::kPRelu}, {x, b.RandomConstant({6, 1}, 1)});
                }},
        Between{"GateByAPooledValue",
                [](NetworkBuilder& b, ValueId x) {
                  const ValueId pooled = b.Node(graph::GlobalPool{}, {x});
                  return b.Node(graph::Binary{graph::BinaryKind::kMul}, {x, pooled});
                }},
        Between{"MeanOverChannels",
                [](NetworkBuilder& b, ValueId x) {
                  return b.Node(graph::Reduce{}, {x, b.Integers({1})});
                },
                1},
        Between{"SumOverTime",
                [](NetworkBuilder& b, ValueId x) {
                  return b.Node(graph::Reduce{graph::ReduceKind::kSum}, {x, b.Integers({2})});
                }},
        Between{"SoftmaxOverChannels",
                [](NetworkBuilder& b, ValueId x) { return b.Node(graph::Softmax{.axis = 1}, {x}); }},
        Between{"SoftmaxOverTime",
                [](NetworkBuilder& b, ValueId x) { return b.Node(graph::Softmax{.axis = -1}, {x}); }},
        Between{"ThereAndBackAgain",
                [](NetworkBuilder& b, ValueId x) {
                  const ValueId moved = b.Node(graph::Transpose{{0, 2, 1}}, {x});
                  return b.Node(graph::Transpose{{0, 2, 1}}, {b.Node(graph::Softmax{.axis = 2}, {moved})});
                }},
        Between{"ResizeByScales",
                [](NetworkBuilder& b, ValueId x) {
                  const ValueId scales = b.Constant(test_support::RealTensor({3}, {1, 1, 2}));
                  return b.Node(Doubled(), {x, graph::kNoValue, scales});
                }},
        Between{"ErfOfEach",
                [](NetworkBuilder& b, ValueId x) { return b.Node(graph::Unary{graph::UnaryKind::kErf}, {x}); }}),
    [](const ::testing::TestParamInfo<Between>& between) { return between.param.name; });

TEST(ChannelsLastTest, FallsBackToRowMajorWhereTheOrderOfAxesMatters) {
  NetworkBuilder build(7);
  const ValueId x = build.Conv(build.Input("x", {2, 1, 10}), 1, 6, UniformWindow(1, 1));
  const ValueId flat = build.Node(graph::Reshape{}, {x, build.Integers({2, 10, 6})});
  build.Output(build.Node(graph::Reduce{graph::ReduceKind::kSum, /*keep_dims=*/false}, {flat, build.Integers({1})}));
  const RefTensor input = RandomTensor({2, 1, 10}, 3);
  const auto want = test_support::Interpret(build.graph(), {input});
  const auto got = CompileAndRun(build.graph(), {input});
  ASSERT_THAT(want, IsOk());
  ASSERT_THAT(got, IsOk());
  EXPECT_EQ(test_support::Difference((*got)[0], (*want)[0], 1e-5, 1e-5), "");
}

TEST(ConvolutionBordersTest, LongAndDilatedKernelsRunVectorizedAndRight) {
  for (const auto& [kernel, dilation, group] :
       std::vector<std::tuple<int64_t, int64_t, int64_t>>{{39, 1, 1}, {9, 1, 1}, {3, 8, 1}, {39, 1, 32}}) {
    SCOPED_TRACE(std::to_string(kernel) + " " + std::to_string(dilation) + " " + std::to_string(group));
    NetworkBuilder build(5);
    const int64_t reach = (kernel - 1) * dilation;
    const ValueId x = build.Input("x", {2, 32, 50});
    build.Output(build.Conv(x, 32, 32, UniformWindow(1, kernel, 1, dilation, reach / 2, reach - reach / 2), group));
    const RefTensor input = RandomTensor({2, 32, 50}, 3);
    const auto want = test_support::Interpret(build.graph(), {input});
    const auto got = CompileAndRun(build.graph(), {input});
    ASSERT_THAT(want, IsOk());
    ASSERT_THAT(got, IsOk());
    EXPECT_EQ(test_support::Difference((*got)[0], (*want)[0], 2e-4, 1e-6), "");
    const auto plan = Compile(build.graph(), {Shape({2, 32, 50})});
    ASSERT_THAT(plan, IsOk());
    for (const Step& step : (*plan)->steps()) {
      if (step.info.op != "Conv") continue;
      EXPECT_EQ(step.info.implementation.find("gemm:"), std::string::npos) << StepsText(**plan);
    }
  }
}

}  // namespace
}  // namespace stillwave::execution
