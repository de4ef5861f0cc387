#include "server/kernels/kernel.h"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/network_builder.h"
#include "tests/support/op_cases.h"
#include "tests/support/status_matchers.h"

namespace stillwave::kernels {
namespace {

using graph::InputType;
using tensor::DataType;
using tensor::Tensor;
using test_support::Difference;
using test_support::IntegerTensor;
using test_support::IsOk;
using test_support::OpCase;
using test_support::RealTensor;
using test_support::RefTensor;
using test_support::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Runs the case's kernel on tensors of its inputs. Which inputs are constants is as in the case.
absl::StatusOr<RefTensor> RunKernel(const OpCase& op_case) {
  std::vector<Tensor> tensors;
  for (const auto& input : op_case.inputs)
    tensors.push_back(input.has_value() ? test_support::ToTensor(*input) : Tensor());
  std::vector<InputType> types;
  std::vector<const void*> data;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const bool present = op_case.inputs[i].has_value();
    const Tensor* constant = present && i >= op_case.data_inputs ? &tensors[i] : nullptr;
    types.push_back({present, tensors[i].data_type(), tensors[i].shape(), constant});
    data.push_back(present ? tensors[i].data() : nullptr);
  }
  const absl::StatusOr<graph::TensorType> type = graph::InferOutput(op_case.op, types);
  if (!type.ok()) return type.status();
  const absl::StatusOr<Kernel> kernel = MakeKernel(op_case.op, types, *type);
  if (!kernel.ok()) return kernel.status();
  absl::StatusOr<Tensor> output = Tensor::Create(type->data_type, type->shape);
  if (!output.ok()) return output.status();
  (*kernel)(data, output->mutable_data());
  return test_support::ToRefTensor(output->view());
}

// FP32 results may differ from double ones by rounding; moved elements and integers may not differ at all.
void ExpectAgreesWithReference(const std::vector<OpCase>& cases, double rtol) {
  int ran = 0;
  for (const OpCase& op_case : cases) {
    const absl::StatusOr<RefTensor> want = test_support::Interpret(op_case);
    ASSERT_THAT(want, IsOk()) << op_case.name;
    const absl::StatusOr<RefTensor> got = RunKernel(op_case);
    ASSERT_THAT(got, IsOk()) << op_case.name;
    EXPECT_EQ(Difference(*got, *want, rtol, rtol), "") << op_case.name;
    ++ran;
  }
  EXPECT_GT(ran, 0);
}

TEST(KernelTest, MovesElementsExactly) { ExpectAgreesWithReference(test_support::MovementCases(), 0); }

TEST(KernelTest, TakesApartRepeatsAndRegroupsExactly) { ExpectAgreesWithReference(test_support::RearrangeCases(), 0); }

TEST(KernelTest, Resizes) { ExpectAgreesWithReference(test_support::ResizeCases(), 1e-5); }

TEST(KernelTest, SlidesWindowsOverOneTwoAndThreeAxes) {
  ExpectAgreesWithReference(test_support::ConvCases(), 3e-5);
  ExpectAgreesWithReference(test_support::ConvTransposeCases(), 1e-5);
  ExpectAgreesWithReference(test_support::PoolCases(), 1e-6);
  ExpectAgreesWithReference(test_support::RarePoolCases(), 1e-6);
}

TEST(KernelTest, MultipliesMatrices) { ExpectAgreesWithReference(test_support::LinearCases(), 1e-5); }

TEST(KernelTest, NormalizesByStoredStatistics) {
  ExpectAgreesWithReference(test_support::BatchNormalizationCases(), 1e-5);
}

TEST(KernelTest, ReshapesCastsAndReadsShapesExactly) { ExpectAgreesWithReference(test_support::ShapeCases(), 0); }

TEST(KernelTest, ComputesBroadcastArithmetic) { ExpectAgreesWithReference(test_support::BinaryCases(), 1e-6); }

TEST(KernelTest, ReducesOverAnyAxes) { ExpectAgreesWithReference(test_support::ReduceCases(), 1e-6); }

TEST(KernelTest, ComputesElementByElement) {
  ExpectAgreesWithReference(test_support::UnaryCases(), 1e-6);
  ExpectAgreesWithReference(test_support::WhereCases(), 0);
}

TEST(KernelTest, CastsEachTypeToEachExactly) { ExpectAgreesWithReference(test_support::CastCases(), 0); }

TEST(KernelTest, RunsAlongAnAxis) { ExpectAgreesWithReference(test_support::AlongAxisCases(), 1e-6); }

TEST(KernelTest, NormalizesByASamplesOwnStatistics) {
  ExpectAgreesWithReference(test_support::SoftmaxCases(), 1e-6);
  ExpectAgreesWithReference(test_support::NormalizationCases(), 3e-6);
}

TEST(KernelTest, RefusesFourSpatialAxes) {
  const OpCase op_case{"",
                       graph::Pool{.window = test_support::UniformWindow(4, 1)},
                       {test_support::RandomTensor({1, 1, 2, 2, 2, 2}, 1)},
                       1};
  EXPECT_THAT(RunKernel(op_case), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("one to three spatial axes")));
}

TEST(GatherKernelTest, RefusesIndicesOutOfRangeAndUnknownOnes) {
  const OpCase out_of_range{"", graph::Gather{0}, {RealTensor({2}, {1, 2}), IntegerTensor({1}, {2})}, 1};
  EXPECT_THAT(RunKernel(out_of_range), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("one is 2")));
  const OpCase below{"", graph::Gather{0}, {RealTensor({2}, {1, 2}), IntegerTensor({1}, {-3})}, 1};
  EXPECT_THAT(RunKernel(below), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("one is -3")));
  const OpCase unknown{"", graph::Gather{0}, {RealTensor({2}, {1, 2}), IntegerTensor({1}, {0})}, 2};
  EXPECT_THAT(RunKernel(unknown), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("indices must be known")));
}

TEST(CastKernelTest, SaturatesWhatDoesNotFitInsteadOfBeingUndefined) {
  const OpCase op_case{"", graph::Cast{DataType::kInt32}, {RealTensor({4}, {3e9, -3e9, NAN, -1.9})}, 1};
  const auto cast = RunKernel(op_case);
  ASSERT_THAT(cast, IsOk());
  EXPECT_THAT(cast->integers,
              ElementsAre(std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min(), 0, -1));
}

TEST(ReduceKernelTest, LetsANanThrough) {
  for (const auto kind : {graph::ReduceKind::kMean, graph::ReduceKind::kSum, graph::ReduceKind::kMax,
                          graph::ReduceKind::kMin, graph::ReduceKind::kLogSumExp}) {
    const OpCase op_case{"", graph::Reduce{kind}, {RealTensor({3}, {1, NAN, 2})}, 1};
    const auto reduced = RunKernel(op_case);
    ASSERT_THAT(reduced, IsOk());
    EXPECT_TRUE(std::isnan(reduced->reals[0])) << static_cast<int>(kind);
  }
}

TEST(BinaryKernelTest, WrapsIntegersAndDividesByZeroWithoutTrapping) {
  const auto run = [](graph::BinaryKind kind, int64_t a, int64_t b) {
    const OpCase op_case{"", graph::Binary{kind}, {IntegerTensor({1}, {a}), IntegerTensor({1}, {b})}, 1};
    const auto result = RunKernel(op_case);
    EXPECT_THAT(result, IsOk());
    return result.ok() ? result->integers[0] : -12345;
  };
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(run(graph::BinaryKind::kAdd, std::numeric_limits<int64_t>::max(), 1), kMin);
  EXPECT_EQ(run(graph::BinaryKind::kDiv, kMin, -1), kMin);
  EXPECT_EQ(run(graph::BinaryKind::kDiv, 5, 0), 0);
}

// Of operators over {N, C, T} = {8, 5, 37}, each sample alone and all together.
TEST(KernelTest, GivesTheSameBitsForASampleWhateverStandsBesideIt) {
  constexpr size_t kBatch = 8;
  constexpr ptrdiff_t kSample = 5 * 37;
  const RefTensor batch = test_support::RandomTensor({kBatch, 5, 37}, 1);
  const RefTensor channel = test_support::RandomTensor({5}, 2);
  const RefTensor column = test_support::RandomTensor({5, 1}, 3);
  const RefTensor row = test_support::RandomTensor({37}, 4);
  const auto axes = [](int64_t axis) { return IntegerTensor({1}, {axis}); };
  const std::vector<std::pair<graph::Op, std::vector<RefTensor>>> cases = {
      {graph::Reduce{graph::ReduceKind::kMean}, {axes(2)}},
      {graph::Reduce{graph::ReduceKind::kMean}, {axes(1)}},
      {graph::Reduce{graph::ReduceKind::kLogSumExp}, {axes(1)}},
      {graph::Reduce{graph::ReduceKind::kL2}, {IntegerTensor({2}, {1, 2})}},
      {graph::CumSum{}, {axes(1)}},
      {graph::Softmax{.axis = 1}, {}},
      {graph::InstanceNormalization{}, {channel, channel}},
      {graph::GroupNormalization{.groups = 5}, {channel, channel}},
      {graph::LayerNormalization{.axis = -1}, {row, row}},
      {graph::LayerNormalization{.axis = 1}, {row, column}},
      {graph::Lrn{.size = 3}, {}},
      {graph::Unary{graph::UnaryKind::kErf}, {}},
      {graph::Unary{graph::UnaryKind::kMish}, {}},
      {graph::Binary{graph::BinaryKind::kPRelu}, {column}},
      {graph::Binary{graph::BinaryKind::kPow}, {row}},
  };
  for (const auto& [op, parameters] : cases) {
    const auto run = [&op = op, &parameters = parameters](const RefTensor& x) {
      OpCase op_case{"", op, {x}, 1};
      for (const RefTensor& parameter : parameters) op_case.inputs.emplace_back(parameter);
      return *RunKernel(op_case);
    };
    const RefTensor together = run(batch);
    for (size_t n = 0; n < kBatch; ++n) {
      const auto first = batch.reals.begin() + static_cast<ptrdiff_t>(n) * kSample;
      const RefTensor alone = run(RealTensor({1, 5, 37}, {first, first + kSample}));
      for (size_t i = 0; i < alone.reals.size(); ++i) {
        const double beside = together.reals[n * alone.reals.size() + i];
        ASSERT_TRUE(alone.reals[i] == beside || (std::isnan(beside) && std::isnan(alone.reals[i])))
            << graph::OpName(op) << " of sample " << n;
      }
    }
  }
}

}  // namespace
}  // namespace stillwave::kernels
