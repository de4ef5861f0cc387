#include "server/service/message_parts.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "inference/open_inference_grpc.pb.h"
#include "tests/support/status_matchers.h"

namespace stillwave::service {
namespace {

using ::stillwave::test_support::StatusIs;
using ::testing::HasSubstr;

using inference::ModelInferRequest;

absl::Status CheckBytes(const std::string& bytes, int64_t max_parts) {
  // In small blocks, as the network brings them.
  google::protobuf::io::ArrayInputStream blocks(bytes.data(), static_cast<int>(bytes.size()), /*block_size=*/7);
  google::protobuf::io::CodedInputStream input(&blocks);
  return CheckMessageParts(input, *ModelInferRequest::descriptor(), max_parts);
}

// Exactly so many parts: one more than allowed is refused.
void ExpectParts(const std::string& bytes, int64_t parts) {
  EXPECT_TRUE(CheckBytes(bytes, parts).ok()) << parts;
  EXPECT_THAT(CheckBytes(bytes, parts - 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(absl::StrCat("at most ", parts - 1))));
}

TEST(MessagePartsTest, NestedMessagesStringsAndEntriesOfMapsAreParts) {
  ModelInferRequest request;
  request.set_model_name("m");
  ExpectParts(request.SerializeAsString(), 1);
  request.add_inputs()->set_name("x");
  ExpectParts(request.SerializeAsString(), 3);
  request.add_raw_input_contents(std::string(100, '\0'));
  ExpectParts(request.SerializeAsString(), 4);
  // The entry, its key and its value.
  (*request.mutable_parameters())["k"].set_int64_param(7);
  ExpectParts(request.SerializeAsString(), 7);
  (*request.mutable_inputs(0)->mutable_parameters())["k"].set_string_param("v");
  ExpectParts(request.SerializeAsString(), 11);
}

TEST(MessagePartsTest, NumbersAreNone) {
  ModelInferRequest request;
  auto* const input = request.add_inputs();
  for (int i = 0; i < 1'000; ++i) input->add_shape(i);
  for (int i = 0; i < 1'000; ++i) input->mutable_contents()->add_fp32_contents(1);
  ExpectParts(request.SerializeAsString(), 2);
  // Not packed: a field for each number. Field 3 of an input, a varint.
  std::string numbers;
  for (int i = 0; i < 50; ++i) numbers += "\x18\x05";
  ExpectParts(absl::StrCat("\x2a", std::string(1, static_cast<char>(numbers.size())), numbers), 1);
}

TEST(MessagePartsTest, WhatTheTypeDoesNotKnowIsAPart) {
  ExpectParts(std::string("\x78\x01\x78\x01", 4), 2);    // field 15, varints
  ExpectParts(std::string("\x7a\0\x7a\0\x7a\0", 6), 3);  // field 15, empty strings
  ExpectParts(std::string("\x7b\x7b\x7c\x7c", 4), 2);    // field 15, a group in a group
  ExpectParts(std::string("\x0b\x0c", 2), 1);            // model_name as a group
  ExpectParts(std::string("\x08\x01\x08\x01", 4), 2);    // model_name as varints
}

TEST(MessagePartsTest, BytesThatAreNoMessageAreLeftToTheParser) {
  const std::string deep(300, '\x7b');  // groups that do not end
  for (const std::string& bytes : {std::string("\x2a\x7f", 2), std::string("\xff\xff"), std::string("\x7c"), deep}) {
    EXPECT_TRUE(CheckBytes(bytes, kMaxMessageParts).ok());
    EXPECT_FALSE(ModelInferRequest().ParseFromString(bytes));
  }
}

TEST(MessagePartsTest, NothingHasNoParts) { EXPECT_TRUE(CheckBytes("", 0).ok()); }

}  // namespace
}  // namespace stillwave::service
