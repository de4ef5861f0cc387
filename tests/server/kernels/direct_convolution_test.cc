#include "server/kernels/direct_convolution.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/network_builder.h"

namespace stillwave::kernels {
namespace {

std::vector<float> Numbers(int64_t count, uint64_t seed) {
  const test_support::RefTensor random = test_support::RandomTensor({count}, seed);
  return {random.reals.begin(), random.reals.end()};
}

struct Problem {
  DirectShape shape;
  std::vector<float> x;        // {N,H,W,C}
  std::vector<float> weights;  // {M,kernel rows,kernel columns,C}
  std::vector<float> bias;
};

DirectAxis Axis(int64_t length, int64_t kernel, int64_t stride = 1, int64_t dilation = 1) {
  return {length, kernel, stride, dilation, (length - (kernel - 1) * dilation - 1) / stride + 1};
}

int64_t Taps(const DirectShape& shape) { return shape.rows.kernel * shape.columns.kernel * shape.channels; }

int64_t InputSize(const DirectShape& shape) { return shape.rows.length * shape.columns.length * shape.channels; }

int64_t OutputSize(const DirectShape& shape) { return shape.rows.output * shape.columns.output * shape.out_channels; }

Problem MakeProblem(const DirectShape& shape) {
  return {shape, Numbers(shape.samples * InputSize(shape), 1), Numbers(shape.out_channels * Taps(shape), 2),
          Numbers(shape.out_channels, 3)};
}

std::vector<float> EightSideBySide(const Problem& problem) {
  const int64_t taps = Taps(problem.shape);
  const int64_t blocks = (problem.shape.out_channels + kDirectBlock - 1) / kDirectBlock;
  std::vector<float> packed(static_cast<size_t>(blocks * taps * kDirectBlock), 0.0F);
  for (int64_t m = 0; m < problem.shape.out_channels; ++m) {
    for (int64_t t = 0; t < taps; ++t) {
      packed[static_cast<size_t>((m / kDirectBlock * taps + t) * kDirectBlock + m % kDirectBlock)] =
          problem.weights[static_cast<size_t>(m * taps + t)];
    }
  }
  return packed;
}

std::vector<float> Convolve(const Problem& problem, bool has_bias, bool relu) {
  const std::vector<float> packed = EightSideBySide(problem);
  std::vector<float> y(static_cast<size_t>(problem.shape.samples * OutputSize(problem.shape)));
  const void* const sources[] = {problem.x.data(), packed.data(), problem.bias.data()};
  DirectConvolution(problem.shape, has_bias, relu)({sources, has_bias ? size_t{3} : size_t{2}}, y.data());
  return y;
}

// Plain loops in doubles.
std::vector<double> Expected(const Problem& problem, bool has_bias, bool relu) {
  const DirectShape& s = problem.shape;
  std::vector<double> y;
  for (int64_t n = 0; n < s.samples; ++n) {
    for (int64_t i = 0; i < s.rows.output; ++i) {
      for (int64_t j = 0; j < s.columns.output; ++j) {
        for (int64_t m = 0; m < s.out_channels; ++m) {
          double sum = has_bias ? problem.bias[static_cast<size_t>(m)] : 0.0;
          size_t tap = static_cast<size_t>(m * Taps(s));
          for (int64_t a = 0; a < s.rows.kernel; ++a) {
            for (int64_t b = 0; b < s.columns.kernel; ++b) {
              const int64_t row = i * s.rows.stride + a * s.rows.dilation;
              const int64_t column = j * s.columns.stride + b * s.columns.dilation;
              const int64_t at = ((n * s.rows.length + row) * s.columns.length + column) * s.channels;
              for (int64_t c = 0; c < s.channels; ++c) {
                sum += double{problem.x[static_cast<size_t>(at + c)]} * problem.weights[tap++];
              }
            }
          }
          y.push_back(relu ? std::max(sum, 0.0) : sum);
        }
      }
    }
  }
  return y;
}

class DirectConvolutionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HasDirectConvolution()) GTEST_SKIP() << "this CPU has no AVX2";
  }
};

TEST_F(DirectConvolutionTest, AgreesWithPlainLoopsForEveryNumberOfOutputsAndPositions) {
  for (const int64_t outputs : {1, 7, 8, 12, 16, 19, 24, 33, 40, 64}) {
    for (const int64_t columns : {3, 5, 6, 7, 10}) {
      const DirectShape shape{2, 5, outputs, Axis(4, 3), Axis(columns, 3)};
      const Problem problem = MakeProblem(shape);
      for (const bool extras : {false, true}) {
        SCOPED_TRACE(std::to_string(outputs) + " outputs, " + std::to_string(columns) + " columns");
        const std::vector<float> got = Convolve(problem, extras, extras);
        const std::vector<double> want = Expected(problem, extras, extras);
        ASSERT_EQ(got.size(), want.size());
        for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 3e-5) << i;
      }
    }
  }
}

TEST_F(DirectConvolutionTest, StridesAndDilatesEachAxisByItself) {
  for (const DirectShape& shape :
       {DirectShape{1, 1, 16, Axis(13, 7, 2), Axis(11, 7, 2)}, DirectShape{3, 4, 8, Axis(9, 3, 1, 2), Axis(8, 2, 3)},
        DirectShape{2, 3, 24, Axis(5, 2, 2), Axis(12, 3, 1, 4)}, DirectShape{1, 9, 17, Axis(1, 1), Axis(20, 5, 2)}}) {
    const Problem problem = MakeProblem(shape);
    const std::vector<float> got = Convolve(problem, true, false);
    const std::vector<double> want = Expected(problem, true, false);
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 3e-5) << i;
  }
}

// The last tile of a sample is filled with the next sample's windows, and large samples are taken a few at a time.
TEST_F(DirectConvolutionTest, GivesASampleTheSameBitsInAnyBatch) {
  for (const DirectShape& shape :
       {DirectShape{9, 7, 40, Axis(4, 3), Axis(5, 3)}, DirectShape{9, 16, 24, Axis(24, 3), Axis(24, 3)}}) {
    const Problem problem = MakeProblem(shape);
    const std::vector<float> together = Convolve(problem, true, true);
    for (int64_t n = 0; n < shape.samples; ++n) {
      Problem alone = problem;
      alone.shape.samples = 1;
      alone.x.assign(problem.x.begin() + n * InputSize(shape), problem.x.begin() + (n + 1) * InputSize(shape));
      const std::vector<float> row = Convolve(alone, true, true);
      EXPECT_TRUE(std::equal(row.begin(), row.end(), together.begin() + n * OutputSize(shape))) << n;
    }
  }
}

TEST_F(DirectConvolutionTest, LetsANanThroughTheRelu) {
  Problem problem = MakeProblem({1, 2, 8, Axis(3, 3), Axis(4, 3)});
  problem.x[0] = NAN;
  const std::vector<float> y = Convolve(problem, false, true);
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_FALSE(std::isnan(y[8]));
}

}  // namespace
}  // namespace stillwave::kernels
