#include "server/drift/sampling_runner.h"

#include <memory>

#include "gtest/gtest.h"

namespace stillwave::drift {
namespace {

// Rows that build on each other, a tenth of each new.
class Windows final : public model::BatchRunner {
 public:
  absl::Status Run(execution::ExecutionContext&, absl::Span<const tensor::TensorView>,
                   absl::Span<const tensor::MutableTensorView>) const override {
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<tensor::Shape>> OutputShapes(absl::Span<const tensor::Shape>) const override {
    return std::vector<tensor::Shape>();
  }
  double NewPart(absl::Span<const tensor::TensorView>, int64_t) const override { return 0.1; }
  bool MayDivide(absl::Span<const tensor::TensorView>) const override { return false; }
};

TEST(SamplingRunnerTest, SaysOfRowsWhatTheRunnerSays) {
  const SamplingRunner runner(std::make_shared<Windows>(), /*watch=*/nullptr);
  EXPECT_EQ(runner.NewPart({}, 0), 0.1);
  EXPECT_FALSE(runner.MayDivide({}));
}

}  // namespace
}  // namespace stillwave::drift
