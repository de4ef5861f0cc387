// Files that were exported for one sample, and graphs that hold such a number somewhere.
#include <cstring>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/model/run_model.h"
#include "tests/support/network_builder.h"
#include "tests/support/onnx_file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::model {
namespace {

using tensor::Shape;
using tensor::Tensor;
using test_support::IsOk;
using test_support::OnnxFile;
using test_support::StatusIs;
using ::testing::HasSubstr;

using LoadResult = absl::StatusOr<std::shared_ptr<const LoadedModel>>;

LoadResult Load(const OnnxFile& file) { return LoadedModel::LoadFromBytes(file.Bytes(), LoadOptions()); }

// A convolution of 3 to 4 channels over `x`, named h.
OnnxFile& AddConv(OnnxFile& file) {
  std::vector<float> weights(4 * 3 * 3);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 7) / 8 - 0.25F;
  return file.Weight("w", {4, 3, 3}, weights).Node("Conv", {"x", "w"}, "h", {{"pads", {1, 1}}});
}

// Each sample of a batch of five has the bits that it has alone.
void ExpectBatchIsItsRows(const LoadedModel& model, const Shape& sample) {
  Shape shape = sample;
  shape[0] = 5;
  const Tensor batch = test_support::ToTensor(test_support::RandomTensor(shape, 3));
  execution::ExecutionContext context;
  const auto together = RunModel(model, context, {batch.view()});
  ASSERT_THAT(together, IsOk());
  for (int64_t row = 0; row < 5; ++row) {
    const Tensor one = TakeRows(batch.view(), {row});
    const auto alone = RunModel(model, context, {one.view()});
    ASSERT_THAT(alone, IsOk());
    const Tensor got = TakeRows((*together)[0].view(), {row});
    EXPECT_EQ(std::memcmp(got.data(), (*alone)[0].data(), got.byte_size()), 0) << row;
  }
}

TEST(FixedBatchTest, ADeclaredBatchOfOneRunsTogetherWhenRowsAreIndependent) {
  OnnxFile file;
  AddConv(file.Input("x", {1, 3, 8})).Node("Relu", {"h"}, "y").Output("y");
  const LoadResult model = Load(file);
  ASSERT_THAT(model, IsOk());
  EXPECT_FALSE((*model)->row_by_row());
  EXPECT_EQ((*model)->batch_form(), "declared 1, rows are independent: run together");
  EXPECT_EQ((*model)->signature().inputs[0].shape, Shape({-1, 3, 8}));
  ExpectBatchIsItsRows(**model, {1, 3, 8});
}

TEST(FixedBatchTest, TheStaticExportRunsAsTheOpenOneDoes) {
  if (test_support::SharedDir().empty()) GTEST_SKIP() << "the folder of test data is not beside the repository";
  const auto model = LoadForTest(test_support::SharedDir() + "/models/seed_block_static/model.onnx");
  ASSERT_THAT(model, IsOk());
  // Where kernels give one row of a matrix other bits than several, the probe rightly says row by row; what is declared
  // plays no part.
  const auto open_batch = LoadForTest(test_support::SmallModel("seed_block").model_file);
  ASSERT_THAT(open_batch, IsOk());
  EXPECT_EQ((*model)->row_by_row(), (*open_batch)->row_by_row());
  Shape sample = (*model)->signature().inputs[0].shape;
  sample[0] = 1;
  ExpectBatchIsItsRows(**model, sample);
}

TEST(FixedBatchTest, AReshapeThatHoldsTheOneRunsRowByRow) {
  OnnxFile file;
  AddConv(file.Input("x", {1, 3, 8})).Integers("shape", {1, -1}).Node("Reshape", {"h", "shape"}, "flat");
  file.Weight("fc", {32, 2}, std::vector<float>(64, 0.125F)).Node("Gemm", {"flat", "fc"}, "y").Output("y");
  const LoadResult model = Load(file);
  ASSERT_THAT(model, IsOk());
  EXPECT_TRUE((*model)->row_by_row());
  EXPECT_EQ((*model)->batch_form(), "declared 1, run row by row");
  EXPECT_EQ((*model)->signature().outputs[0].shape, Shape({-1, 2}));
  ExpectBatchIsItsRows(**model, {1, 3, 8});
}

// {N,3,8} seen as one sample of 8·N steps: the shapes fit any batch, but samples become neighbors.
OnnxFile Joins(int64_t declared_batch) {
  OnnxFile file;
  file.Input("x", {declared_batch, 3, 8}).Integers("joined", {1, 3, -1}).Node("Reshape", {"x", "joined"}, "r");
  file.Weight("w", {4, 3, 3}, std::vector<float>(36, 0.25F)).Node("Conv", {"r", "w"}, "h", {{"pads", {1, 1}}});
  file.Integers("cut", {-1, 4, 8}).Node("Reshape", {"h", "cut"}, "y").Output("y");
  return file;
}

TEST(FixedBatchTest, RowsThatWouldMixRunOneByOneWhereOneIsDeclared) {
  const LoadResult model = Load(Joins(1));
  ASSERT_THAT(model, IsOk());
  EXPECT_TRUE((*model)->row_by_row());
  ExpectBatchIsItsRows(**model, {1, 3, 8});
}

TEST(FixedBatchTest, RowsThatMixAreRefusedWhereAnyBatchIsDeclared) {
  EXPECT_THAT(Load(Joins(-1)), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("mixes its rows")));
}

TEST(FixedBatchTest, ALengthThatWouldBecomeSeveralRowsIsRefused) {
  OnnxFile file;
  file.Input("x", {-1, 1, -1}).Integers("shape", {-1, 64}).Node("Reshape", {"x", "shape"}, "r");
  file.Weight("fc", {64, 2}, std::vector<float>(128, 0.5F)).Node("Gemm", {"r", "fc"}, "y").Output("y");
  const LoadResult model = Load(file);
  ASSERT_THAT(model, IsOk());  // 64 steps are right; 128 would be two rows
  EXPECT_THAT((*model)->OutputShapes({Shape({1, 1, 64})}), IsOk());
  EXPECT_THAT((*model)->OutputShapes({Shape({1, 1, 128})}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("one row per sample; output 'y' is [2,2] for one sample of [1,1,128]")));
  // Nor does it write beyond what the caller has for one row.
  const Tensor input = test_support::ToTensor(test_support::RandomTensor({1, 1, 128}, 1));
  Tensor output = *Tensor::Create(tensor::DataType::kFloat32, {1, 2});
  execution::ExecutionContext context;
  EXPECT_THAT((*model)->Run(context, {input.view()}, {output.mutable_view()}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("one row per sample")));
}

TEST(FixedBatchTest, ADeclaredBatchOfFourIsOpen) {
  OnnxFile file;
  AddConv(file.Input("x", {4, 3, 8})).Output("h");
  const LoadResult model = Load(file);
  ASSERT_THAT(model, IsOk());
  EXPECT_EQ((*model)->batch_form(), "any");
  ExpectBatchIsItsRows(**model, {1, 3, 8});
}

}  // namespace
}  // namespace stillwave::model
