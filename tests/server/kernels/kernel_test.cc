#include "server/kernels/kernel.h"

#include <cmath>
#include <limits>
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
    if (!HasKernel(op_case.op)) continue;
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

TEST(KernelTest, ReshapesCastsAndReadsShapesExactly) { ExpectAgreesWithReference(test_support::ShapeCases(), 0); }

TEST(KernelTest, ComputesBroadcastArithmetic) { ExpectAgreesWithReference(test_support::BinaryCases(), 1e-6); }

TEST(KernelTest, ReducesOverAnyAxes) { ExpectAgreesWithReference(test_support::ReduceCases(), 1e-6); }

TEST(KernelTest, TakesLogarithms) {
  ExpectAgreesWithReference(test_support::UnaryCases(), 1e-6);
  ExpectAgreesWithReference(test_support::SoftmaxCases(), 1e-6);
}

TEST(KernelTest, ExistsForAllButWhatOneDnnComputes) {
  EXPECT_TRUE(HasKernel(graph::Slice{}));
  EXPECT_TRUE(HasKernel(graph::Binary{}));
  for (const graph::Op& op : {graph::Op(graph::Conv{}), graph::Op(graph::BatchNormalization{}),
                              graph::Op(graph::Pool{}), graph::Op(graph::GlobalPool{}), graph::Op(graph::Gemm{}),
                              graph::Op(graph::MatMul{}), graph::Op(graph::Unary{}), graph::Op(graph::Softmax{})}) {
    EXPECT_FALSE(HasKernel(op)) << graph::OpName(op);
    EXPECT_THAT(MakeKernel(op, {}, {}), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("no plain kernel")));
  }
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

TEST(CastKernelTest, RefusesHalfPrecision) {
  const OpCase op_case{"", graph::Cast{DataType::kFloat16}, {RealTensor({1}, {1})}, 1};
  EXPECT_THAT(RunKernel(op_case), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("cannot cast FP32 to FP16")));
}

TEST(ReduceKernelTest, LetsANanThrough) {
  for (const auto kind : {graph::ReduceKind::kMean, graph::ReduceKind::kSum, graph::ReduceKind::kMax}) {
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

TEST(KernelTest, GivesTheSameBitsForASampleWhateverStandsBesideIt) {
  const RefTensor batch = test_support::RandomTensor({8, 5, 7}, 1);
  const auto mean_of = [](const RefTensor& x) {
    const OpCase op_case{"", graph::Reduce{graph::ReduceKind::kMean, false}, {x, IntegerTensor({1}, {2})}, 1};
    return *RunKernel(op_case);
  };
  const RefTensor together = mean_of(batch);
  for (size_t n = 0; n < 8; ++n) {
    RefTensor alone = RealTensor({1, 5, 7}, {batch.reals.begin() + static_cast<ptrdiff_t>(n * 35),
                                             batch.reals.begin() + static_cast<ptrdiff_t>(n * 35 + 35)});
    const RefTensor mean = mean_of(alone);
    for (size_t c = 0; c < 5; ++c) EXPECT_EQ(mean.reals[c], together.reals[n * 5 + c]);
  }
}

}  // namespace
}  // namespace stillwave::kernels
