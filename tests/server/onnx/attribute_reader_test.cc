#include "server/onnx/attribute_reader.h"

#include <onnx/onnx_pb.h>

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::onnx_import {
namespace {

using ::onnx::AttributeProto;
using ::onnx::NodeProto;
using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

AttributeProto& Add(NodeProto& node, const std::string& name, AttributeProto::AttributeType type) {
  AttributeProto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  return *attribute;
}

AttributeReader Reader(const NodeProto& node, absl::Span<const absl::string_view> known) {
  absl::StatusOr<AttributeReader> reader = AttributeReader::Create(node, known);
  EXPECT_THAT(reader, IsOk());
  return *std::move(reader);
}

TEST(AttributeReader, GivesDefaultsForWhatIsLeftOut) {
  const NodeProto node;
  const AttributeReader reader = Reader(node, {});
  EXPECT_FALSE(reader.Has("axis"));
  EXPECT_EQ(*reader.Int("axis", -1), -1);
  EXPECT_EQ(*reader.Bool("keepdims", true), true);
  EXPECT_EQ(*reader.Float("alpha", 0.5F), 0.5F);
  EXPECT_EQ(*reader.String("mode", "constant"), "constant");
  EXPECT_THAT(*reader.Ints("axes"), IsEmpty());
  EXPECT_THAT(*reader.Floats("values"), IsEmpty());
  EXPECT_EQ(*reader.Tensor("value"), nullptr);
}

TEST(AttributeReader, ReadsEachType) {
  NodeProto node;
  Add(node, "i", AttributeProto::INT).set_i(7);
  Add(node, "f", AttributeProto::FLOAT).set_f(0.25F);
  Add(node, "s", AttributeProto::STRING).set_s("edge");
  AttributeProto& ints = Add(node, "is", AttributeProto::INTS);
  ints.add_ints(1);
  ints.add_ints(-2);
  Add(node, "fs", AttributeProto::FLOATS).add_floats(3);
  Add(node, "t", AttributeProto::TENSOR).mutable_t()->set_data_type(1);
  const AttributeReader reader = Reader(node, {"i", "f", "s", "is", "fs", "t"});
  EXPECT_EQ(*reader.Int("i", 0), 7);
  EXPECT_EQ(*reader.Float("f", 0), 0.25F);
  EXPECT_EQ(*reader.String("s", ""), "edge");
  EXPECT_THAT(*reader.Ints("is"), ElementsAre(1, -2));
  EXPECT_THAT(*reader.Floats("fs"), ElementsAre(3.0F));
  EXPECT_EQ((*reader.Tensor("t"))->data_type(), 1);
}

TEST(AttributeReader, RefusesAnotherType) {
  NodeProto node;
  Add(node, "strides", AttributeProto::FLOAT).set_f(1);
  const AttributeReader reader = Reader(node, {"strides"});
  const auto wrong = [](const std::string& type) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'strides' must have type " + type + "; has FLOAT"));
  };
  EXPECT_THAT(reader.Ints("strides"), wrong("INTS"));
  EXPECT_THAT(reader.Int("strides", 0), wrong("INT"));
  EXPECT_THAT(reader.String("strides", ""), wrong("STRING"));
  EXPECT_THAT(reader.Floats("strides"), wrong("FLOATS"));
  EXPECT_THAT(reader.Tensor("strides"), wrong("TENSOR"));
}

TEST(AttributeReader, RefusesFlagsBeyondZeroAndOne) {
  NodeProto node;
  Add(node, "keepdims", AttributeProto::INT).set_i(2);
  EXPECT_THAT(Reader(node, {"keepdims"}).Bool("keepdims", true),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("must be 0 or 1; was 2")));
}

TEST(AttributeReader, RefusesParametersThatAreNotFiniteButNotData) {
  NodeProto node;
  Add(node, "alpha", AttributeProto::FLOAT).set_f(std::numeric_limits<float>::infinity());
  const AttributeReader reader = Reader(node, {"alpha"});
  EXPECT_THAT(reader.Float("alpha", 0), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("must be finite")));
  EXPECT_EQ(*reader.AnyFloat("alpha", 0), std::numeric_limits<float>::infinity());
}

TEST(AttributeReader, RefusesUnknownAttributesByName) {
  NodeProto node;
  Add(node, "activation", AttributeProto::STRING).set_s("relu");
  EXPECT_THAT(AttributeReader::Create(node, {"group", "pads"}),
              StatusIs(absl::StatusCode::kUnimplemented,
                       ::testing::AllOf(HasSubstr("'activation'"), HasSubstr("known: group, pads"))));
  EXPECT_THAT(AttributeReader::Create(node, {}), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("it has none")));
}

TEST(AttributeReader, RefusesAnAttributeThatIsListedTwice) {
  NodeProto node;
  Add(node, "axis", AttributeProto::INT).set_i(0);
  Add(node, "axis", AttributeProto::INT).set_i(1);
  EXPECT_THAT(AttributeReader::Create(node, {"axis"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'axis' is listed twice")));
}

TEST(AttributeReader, RefusesReferencesToFunctionAttributes) {
  NodeProto node;
  Add(node, "axis", AttributeProto::INT).set_ref_attr_name("outer");
  EXPECT_THAT(AttributeReader::Create(node, {"axis"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("outside a function")));
}

TEST(AttributeReader, BoundsTheNumberOfAttributes) {
  NodeProto node;
  for (int i = 0; i < 65; ++i) Add(node, "axis", AttributeProto::INT);
  EXPECT_THAT(AttributeReader::Create(node, {"axis"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 64 attributes; has 65")));
}

}  // namespace
}  // namespace stillwave::onnx_import
