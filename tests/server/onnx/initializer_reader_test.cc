#include "server/onnx/initializer_reader.h"

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::onnx_import {
namespace {

using ::onnx::TensorProto;
using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TensorProto Proto(int32_t type, const std::vector<int64_t>& dims) {
  TensorProto proto;
  proto.set_data_type(type);
  proto.mutable_dims()->Add(dims.begin(), dims.end());
  return proto;
}

absl::StatusOr<tensor::Tensor> Read(const TensorProto& proto) { return InitializerReader("").Read(proto); }

template <typename T>
std::vector<T> Elements(const absl::StatusOr<tensor::Tensor>& tensor) {
  EXPECT_THAT(tensor, IsOk());
  if (!tensor.ok()) return {};
  const auto* data = static_cast<const T*>(tensor->data());
  return {data, data + tensor->num_elements()};
}

TEST(InitializerReader, ReadsRawDataOfAnyType) {
  TensorProto floats = Proto(TensorProto::FLOAT, {2, 1});
  const float values[] = {1.5F, -2.0F};
  floats.set_raw_data(values, sizeof(values));
  const absl::StatusOr<tensor::Tensor> tensor = Read(floats);
  EXPECT_THAT(Elements<float>(tensor), ElementsAre(1.5F, -2.0F));
  EXPECT_EQ(tensor->shape(), tensor::Shape({2, 1}));
  EXPECT_EQ(tensor->data_type(), tensor::DataType::kFloat32);

  TensorProto halves = Proto(TensorProto::FLOAT16, {1});
  halves.set_raw_data("\x00\x3c", 2);
  EXPECT_THAT(Elements<uint16_t>(Read(halves)), ElementsAre(0x3c00));
}

TEST(InitializerReader, ReadsRawBoolsAsZeroAndOne) {
  TensorProto bools = Proto(TensorProto::BOOL, {3});
  bools.set_raw_data("\x00\x01\x02", 3);
  EXPECT_THAT(Elements<uint8_t>(Read(bools)), ElementsAre(0, 1, 1));
}

TEST(InitializerReader, ReadsTheTypedFieldOfEachType) {
  TensorProto floats = Proto(TensorProto::FLOAT, {1});
  floats.add_float_data(0.25F);
  EXPECT_THAT(Elements<float>(Read(floats)), ElementsAre(0.25F));

  TensorProto doubles = Proto(TensorProto::DOUBLE, {1});
  doubles.add_double_data(0.1);
  EXPECT_THAT(Elements<double>(Read(doubles)), ElementsAre(0.1));

  TensorProto longs = Proto(TensorProto::INT64, {2});
  longs.add_int64_data(INT64_MIN);
  longs.add_int64_data(INT64_MAX);
  EXPECT_THAT(Elements<int64_t>(Read(longs)), ElementsAre(INT64_MIN, INT64_MAX));

  TensorProto unsigned_longs = Proto(TensorProto::UINT64, {1});
  unsigned_longs.add_uint64_data(UINT64_MAX);
  EXPECT_THAT(Elements<uint64_t>(Read(unsigned_longs)), ElementsAre(UINT64_MAX));

  TensorProto unsigned_ints = Proto(TensorProto::UINT32, {1});
  unsigned_ints.add_uint64_data(UINT32_MAX);
  EXPECT_THAT(Elements<uint32_t>(Read(unsigned_ints)), ElementsAre(UINT32_MAX));
}

TEST(InitializerReader, ReadsSmallTypesFromInt32Data) {
  const auto with = [](int32_t type, int32_t value) {
    TensorProto proto = Proto(type, {1});
    proto.add_int32_data(value);
    return Read(proto);
  };
  EXPECT_THAT(Elements<int32_t>(with(TensorProto::INT32, INT32_MIN)), ElementsAre(INT32_MIN));
  EXPECT_THAT(Elements<int16_t>(with(TensorProto::INT16, -32768)), ElementsAre(-32768));
  EXPECT_THAT(Elements<uint16_t>(with(TensorProto::UINT16, 65535)), ElementsAre(65535));
  EXPECT_THAT(Elements<int8_t>(with(TensorProto::INT8, -128)), ElementsAre(-128));
  EXPECT_THAT(Elements<uint8_t>(with(TensorProto::UINT8, 255)), ElementsAre(255));
  EXPECT_THAT(Elements<uint8_t>(with(TensorProto::BOOL, 1)), ElementsAre(1));
  EXPECT_THAT(Elements<uint16_t>(with(TensorProto::FLOAT16, 0x3c00)), ElementsAre(0x3c00));
  EXPECT_THAT(Elements<uint16_t>(with(TensorProto::BFLOAT16, 0x3f80)), ElementsAre(0x3f80));

  EXPECT_THAT(with(TensorProto::INT8, 128), StatusIs(kInvalid, HasSubstr("must hold INT8 values; one was 128")));
  EXPECT_THAT(with(TensorProto::UINT8, -1), StatusIs(kInvalid, HasSubstr("one was -1")));
  EXPECT_THAT(with(TensorProto::BOOL, 2), StatusIs(kInvalid, HasSubstr("one was 2")));
  EXPECT_THAT(with(TensorProto::FLOAT16, 65536), StatusIs(kInvalid, HasSubstr("one was 65536")));
}

TEST(InitializerReader, ReadsScalarsAndEmptyTensors) {
  TensorProto scalar = Proto(TensorProto::FLOAT, {});
  scalar.add_float_data(3);
  EXPECT_EQ(Read(scalar)->shape().rank(), 0);
  EXPECT_EQ(Read(Proto(TensorProto::FLOAT, {0, 3}))->num_elements(), 0);
}

TEST(InitializerReader, ByteAndValueCountsMustMatchTheShape) {
  TensorProto raw = Proto(TensorProto::FLOAT, {2});
  raw.set_raw_data("123456789");
  EXPECT_THAT(Read(raw), StatusIs(kInvalid, HasSubstr("raw_data must have 8 bytes for FP32 [2]; has 9")));
  TensorProto typed = Proto(TensorProto::FLOAT, {2});
  typed.add_float_data(1);
  EXPECT_THAT(Read(typed), StatusIs(kInvalid, HasSubstr("float_data must have 2 values for FP32 [2]; has 1")));
  EXPECT_THAT(Read(Proto(TensorProto::FLOAT, {2})), StatusIs(kInvalid, HasSubstr("is missing")));
  TensorProto empty = Proto(TensorProto::FLOAT, {0});
  empty.add_float_data(1);
  EXPECT_THAT(Read(empty), StatusIs(kInvalid, HasSubstr("must have 0 values")));
}

TEST(InitializerReader, DataLiesInExactlyOneFieldAndTheRightOne) {
  TensorProto two = Proto(TensorProto::FLOAT, {1});
  two.add_float_data(1);
  two.set_raw_data("1234");
  EXPECT_THAT(Read(two), StatusIs(kInvalid, HasSubstr("lies in both raw_data and float_data")));
  TensorProto wrong = Proto(TensorProto::FLOAT, {1});
  wrong.add_int64_data(1);
  EXPECT_THAT(Read(wrong), StatusIs(kInvalid, HasSubstr("must lie in float_data; lies in int64_data")));
  TensorProto both = Proto(TensorProto::FLOAT, {1});
  both.set_data_location(TensorProto::EXTERNAL);
  both.set_raw_data("1234");
  EXPECT_THAT(Read(both), StatusIs(kInvalid, HasSubstr("lies in both external data and raw_data")));
}

TEST(InitializerReader, RefusesShapesBeforeItTakesMemory) {
  EXPECT_THAT(Read(Proto(TensorProto::FLOAT, {4, -3})), StatusIs(kInvalid, HasSubstr("must not be negative")));
  EXPECT_THAT(Read(Proto(TensorProto::FLOAT, {int64_t{1} << 32, int64_t{1} << 32})),
              StatusIs(kInvalid, HasSubstr("more elements than")));
  EXPECT_THAT(Read(Proto(TensorProto::FLOAT, {4, 9, (int64_t{1} << 62) + 1})),
              StatusIs(kInvalid, HasSubstr("more elements than")));
  EXPECT_THAT(Read(Proto(TensorProto::FLOAT, {int64_t{1} << 30})), StatusIs(kInvalid, HasSubstr("must not exceed")));
  EXPECT_THAT(Read(Proto(TensorProto::FLOAT, std::vector<int64_t>(13, 1))),
              StatusIs(kInvalid, HasSubstr("more than 12 dimensions; has 13")));
}

TEST(InitializerReader, RefusesTypesThatTensorsDoNotHave) {
  EXPECT_THAT(Read(Proto(TensorProto::UNDEFINED, {1})), StatusIs(kInvalid, HasSubstr("was 0")));
  EXPECT_THAT(Read(Proto(77, {1})), StatusIs(kInvalid, HasSubstr("was 77")));
  EXPECT_THAT(Read(Proto(TensorProto::STRING, {1})), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("STRING")));
}

TEST(InitializerReader, RefusesSegments) {
  TensorProto proto = Proto(TensorProto::FLOAT, {1});
  proto.add_float_data(1);
  proto.mutable_segment()->set_begin(0);
  EXPECT_THAT(Read(proto), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("segments")));
}

TensorProto External(const std::vector<std::pair<std::string, std::string>>& entries) {
  TensorProto proto = Proto(TensorProto::FLOAT, {1});
  proto.set_data_location(TensorProto::EXTERNAL);
  for (const auto& [key, value] : entries) {
    auto* entry = proto.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  return proto;
}

TEST(InitializerReader, ReadsExternalEntriesStrictly) {
  EXPECT_THAT(Read(External({{"location", "w.bin"}, {"offset", "-4"}})), StatusIs(kInvalid, HasSubstr("was '-4'")));
  EXPECT_THAT(Read(External({{"location", "w.bin"}, {"length", "abc"}})), StatusIs(kInvalid, HasSubstr("was 'abc'")));
  EXPECT_THAT(Read(External({{"location", "w.bin"}, {"offset", "99999999999999999999"}})),
              StatusIs(kInvalid, HasSubstr("offset must be a number")));
  EXPECT_THAT(Read(External({{"location", "a"}, {"location", "b"}})), StatusIs(kInvalid, HasSubstr("twice")));
  EXPECT_THAT(Read(External({{"location", "w.bin"}, {"compression", "zstd"}})),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("'compression'")));
  EXPECT_THAT(Read(External({{"location", "w.bin"}})), StatusIs(kInvalid, HasSubstr("came as bytes alone")));
}

}  // namespace
}  // namespace stillwave::onnx_import
