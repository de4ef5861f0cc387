// precision=bf16: how far from exact its answers may be, that a sample's bits still do not depend on its batch, and
// what a CPU without bf16 says. What needs such a CPU is skipped elsewhere: oneDNN makes no bf16 primitives there.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/execution/onednn/version.h"
#include "server/model/demo_model.h"
#include "tests/server/model/run_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::model {
namespace {

using tensor::Tensor;
using tensor::TensorView;
using test_support::IsOk;
using test_support::StatusIs;
using test_support::TestModel;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kNoBf16[] = "this CPU does not compute with bf16: neither avx512_bf16 nor AMX";

// Of the largest exact value. bf16 rounds to 2^-9 relative; errors of layers add up.
constexpr double kMaxRelativeError = 0.05;

double RelativeError(const Tensor& got, const Tensor& want) {
  double largest = 0;
  double error = 0;
  for (size_t i = 0; i < static_cast<size_t>(want.num_elements()); ++i) {
    const double exact = want.values<float>()[i];
    largest = std::max(largest, std::abs(exact));
    error = std::max(error, std::abs(got.values<float>()[i] - exact));
  }
  return largest > 0 ? error / largest : error;
}

TEST(PrecisionTest, IsRefusedWithWhatToDoWhereTheCpuHasNoBf16) {
  const auto model = LoadedModel::LoadFromBytes(DemoModelBytes(), {.precision = Precision::kBf16});
  if (execution::onednn::HasBf16()) {
    ASSERT_THAT(model, IsOk());
    EXPECT_THAT((*model)->Describe(), IsOk());
    return;
  }
  EXPECT_THAT(model,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("precision bf16 needs a CPU with avx512_bf16 or AMX; this one offers "),
                             HasSubstr(execution::onednn::InstructionSet()), HasSubstr("set precision to fp32"))));
}

// Share of rows whose largest element is the same one; of outputs {N, classes}.
double Top1Agreement(const Tensor& got, const Tensor& want) {
  const auto classes = static_cast<size_t>(want.shape()[1]);
  const auto rows = static_cast<size_t>(want.shape()[0]);
  size_t same = 0;
  for (size_t row = 0; row < rows; ++row) {
    const auto largest = [&](const Tensor& tensor) {
      const auto values = tensor.values<float>().subspan(row * classes, classes);
      return std::max_element(values.begin(), values.end()) - values.begin();
    };
    if (largest(got) == largest(want)) ++same;
  }
  return static_cast<double>(same) / static_cast<double>(rows);
}

class Bf16Test : public ::testing::TestWithParam<TestModel> {
 protected:
  void SetUp() override {
    if (!execution::onednn::HasBf16()) GTEST_SKIP() << kNoBf16;
    std::shared_ptr<const LoadedModel>& loaded = loaded_[GetParam().name];
    if (loaded == nullptr) {
      auto model = LoadedModel::Load(GetParam().model_file, {.max_batch_size = 8, .precision = Precision::kBf16});
      ASSERT_THAT(model, IsOk());
      loaded = *std::move(model);
    }
    model_ = loaded;
    auto cases = test_support::LoadCases(GetParam());
    ASSERT_THAT(cases, IsOk());
    cases_ = *std::move(cases);
  }
  static void TearDownTestSuite() { loaded_.clear(); }

  std::shared_ptr<const LoadedModel> model_;
  std::vector<test_support::ModelCase> cases_;

 private:
  // Loading takes most of the time.
  static inline std::map<std::string, std::shared_ptr<const LoadedModel>> loaded_;
};

TEST_P(Bf16Test, AnswersAreNearThoseOfPyTorch) {
  execution::ExecutionContext context;
  double largest_error = 0;
  double least_agreement = 1;
  for (const test_support::ModelCase& test_case : cases_) {
    const auto outputs = RunModel(*model_, context, InputsOf(*model_, test_case));
    ASSERT_THAT(outputs, IsOk()) << test_case.name;
    ASSERT_EQ(outputs->size(), test_case.outputs.size());
    for (size_t j = 0; j < outputs->size(); ++j) {
      const Tensor& want = test_case.outputs[j].tensor;
      const double error = RelativeError((*outputs)[j], want);
      EXPECT_LE(error, kMaxRelativeError) << test_case.name << ", " << test_case.outputs[j].name;
      largest_error = std::max(largest_error, error);
      if (want.shape().rank() == 2) least_agreement = std::min(least_agreement, Top1Agreement((*outputs)[j], want));
    }
  }
  RecordProperty("max_relative_error", absl::StrCat(largest_error));
  RecordProperty("top1_agreement", absl::StrCat(least_agreement));
}

TEST_P(Bf16Test, GivesASampleTheSameBitsAloneAndInItsBatch) {
  execution::ExecutionContext context;
  for (const test_support::ModelCase& test_case : cases_) {
    const std::vector<TensorView> inputs = InputsOf(*model_, test_case);
    const auto together = RunModel(*model_, context, inputs);
    ASSERT_THAT(together, IsOk()) << test_case.name;
    for (int64_t row = 0; row < inputs[0].shape[0]; ++row) {
      std::vector<Tensor> sample;
      std::vector<TensorView> views;
      for (const TensorView& input : inputs) sample.push_back(TakeRows(input, {row}));
      for (const Tensor& input : sample) views.push_back(input.view());
      const auto alone = RunModel(*model_, context, views);
      ASSERT_THAT(alone, IsOk()) << test_case.name;
      for (size_t j = 0; j < alone->size(); ++j) {
        const Tensor want = TakeRows((*together)[j].view(), {row});
        EXPECT_EQ(std::memcmp((*alone)[j].data(), want.data(), want.byte_size()), 0)
            << test_case.name << ", row " << row << ", output " << j;
      }
    }
  }
}

// In order not to be FP32 by another name.
TEST_P(Bf16Test, RunsLayersInBf16) {
  const auto plan = model_->Plan(model_->sample_shapes());
  ASSERT_THAT(plan, IsOk());
  int bf16 = 0;
  int layers = 0;
  for (const execution::Step& step : (*plan)->steps()) {
    const auto* primitive = std::get_if<execution::PrimitiveStep>(&step.work);
    if (primitive == nullptr || (step.info.primitive != "convolution" && step.info.primitive != "inner_product"))
      continue;
    ++layers;
    if (execution::onednn::TypeOf(primitive->primitive.arguments[1].desc) == dnnl::memory::data_type::bf16) ++bf16;
  }
  if (layers > 0) {
    EXPECT_GT(bf16, 0) << layers << " layers";
  }
}

INSTANTIATE_TEST_SUITE_P(Promised, Bf16Test, ::testing::ValuesIn(test_support::PromisedModels()),
                         test_support::TestSuffix);

}  // namespace
}  // namespace stillwave::model
