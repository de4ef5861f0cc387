// Conv, the pools, and the window that they share.
#include <string>
#include <vector>

#include "tests/server/onnx/converter_test.h"

namespace stillwave::onnx_import {
namespace {

absl::StatusOr<graph::Graph> ImportConv(const std::vector<Attr>& attributes, int64_t opset = 17) {
  return ImportOneNode(opset, "Conv", {Iota({4, 3, 3})}, attributes);
}

absl::StatusOr<graph::Graph> ImportPool(const std::string& op, std::vector<Attr> attributes, int64_t opset = 17) {
  return ImportOneNode(opset, op, {}, attributes);
}

TEST(ConvertConv, FillsInDefaultsAndTakesTheKernelFromTheWeight) {
  const auto graph = ImportConv({});
  ASSERT_THAT(graph, IsOk());
  const auto& conv = LastOp<graph::Conv>(graph);
  EXPECT_THAT(conv.window.kernel, ElementsAre(3));
  EXPECT_THAT(conv.window.strides, ElementsAre(1));
  EXPECT_THAT(conv.window.dilations, ElementsAre(1));
  EXPECT_THAT(conv.window.pads_begin, ElementsAre(0));
  EXPECT_THAT(conv.window.pads_end, ElementsAre(0));
  EXPECT_EQ(conv.window.auto_pad, graph::AutoPad::kNotSet);
  EXPECT_EQ(conv.group, 1);
}

TEST(ConvertConv, ReadsEveryAttribute) {
  const auto graph = ImportConv({{"kernel_shape", Ints{3}},
                                 {"strides", Ints{2}},
                                 {"dilations", Ints{4}},
                                 {"pads", Ints{1, 5}},
                                 {"group", int64_t{1}},
                                 {"auto_pad", std::string("NOTSET")}});
  ASSERT_THAT(graph, IsOk());
  const auto& window = LastOp<graph::Conv>(graph).window;
  EXPECT_THAT(window.strides, ElementsAre(2));
  EXPECT_THAT(window.dilations, ElementsAre(4));
  EXPECT_THAT(window.pads_begin, ElementsAre(1));
  EXPECT_THAT(window.pads_end, ElementsAre(5));
}

TEST(ConvertConv, SplitsPadsOfTwoAxesIntoBeginsAndEnds) {
  const auto graph = ImportOneNode(17, "Conv", {Iota({4, 3, 3, 5})}, {{"pads", Ints{1, 2, 3, 4}}});
  ASSERT_THAT(graph, IsOk());
  EXPECT_THAT(LastOp<graph::Conv>(graph).window.kernel, ElementsAre(3, 5));
  EXPECT_THAT(LastOp<graph::Conv>(graph).window.pads_begin, ElementsAre(1, 2));
  EXPECT_THAT(LastOp<graph::Conv>(graph).window.pads_end, ElementsAre(3, 4));
}

TEST(ConvertConv, ReadsAutoPad) {
  for (const auto& [text, want] : {std::pair(std::string("SAME_UPPER"), graph::AutoPad::kSameUpper),
                                   {"SAME_LOWER", graph::AutoPad::kSameLower},
                                   {"VALID", graph::AutoPad::kValid}}) {
    const auto graph = ImportConv({{"auto_pad", text}, {"pads", Ints{0, 0}}});
    ASSERT_THAT(graph, IsOk());
    EXPECT_EQ(LastOp<graph::Conv>(graph).window.auto_pad, want);
  }
  EXPECT_THAT(ImportConv({{"auto_pad", std::string("SAME_MIDDLE")}}), StatusIs(kInvalid, HasSubstr("'SAME_MIDDLE'")));
  EXPECT_THAT(ImportConv({{"auto_pad", std::string("SAME_UPPER")}, {"pads", Ints{1, 1}}}),
              StatusIs(kInvalid, HasSubstr("must not go with auto_pad")));
}

TEST(ConvertConv, RefusesWindowsOutOfRange) {
  const auto refuses = [](const Attr& attribute, absl::StatusCode code, const std::string& words) {
    EXPECT_THAT(ImportConv({attribute}),
                StatusIs(code, ::testing::AllOf(HasSubstr("node 'the_node' (Conv): "), HasSubstr(words))));
  };
  refuses({"strides", Ints{0}}, kInvalid, "strides must be from 1 to 2147483647; was [0]");
  refuses({"strides", Ints{-1}}, kInvalid, "was [-1]");
  refuses({"strides", Ints{1, 1}}, kInvalid, "strides must have 1 entries; was [1,1]");
  refuses({"strides", Ints{}}, kInvalid, "strides must have 1 entries; was []");
  refuses({"dilations", Ints{0}}, kInvalid, "dilations must be");
  refuses({"dilations", Ints{int64_t{1} << 62}}, kInvalid, "dilations must be");
  refuses({"dilations", Ints{INT32_MAX}}, kInvalid, "must reach at most 2147483647");
  refuses({"pads", Ints{1, 1, 1}}, kInvalid, "pads must have 2 entries; was [1,1,1]");
  refuses({"pads", Ints{int64_t{1} << 62, 0}}, kInvalid, "pads must not exceed");
  refuses({"pads", Ints{-1, -1}}, kUnimplemented, "pads must not be negative (cropping); was [-1,-1]");
  refuses({"kernel_shape", Ints{5}}, kInvalid, "kernel_shape must be the weight's [3]; was [5]");
  refuses({"kernel_shape", Ints{3, 3}}, kInvalid, "kernel_shape must be the weight's [3]; was [3,3]");
  refuses({"group", int64_t{0}}, kInvalid, "group must be positive; was 0");
  refuses({"group", int64_t{-1}}, kInvalid, "group must be positive; was -1");
  refuses({"activation", std::string("relu")}, kUnimplemented, "attribute 'activation' is not known");
  refuses({"strides", 1.0F}, kInvalid, "attribute 'strides' must have type INTS; has FLOAT");
}

TEST(ConvertConv, ChecksTheWeightsShape) {
  EXPECT_THAT(ImportOneNode(17, "Conv", {Iota({4, 9})}, {}), StatusIs(kInvalid, HasSubstr("has shape [4,9]")));
  EXPECT_THAT(ImportOneNode(17, "Conv", {Iota({0, 3, 3})}, {}), StatusIs(kInvalid, HasSubstr("must not be empty")));
}

TEST(ConvertConv, SeesAWeightThroughConstantAndIdentity) {
  const auto graph = ModelBuilder()
                         .Input("x", {0, 3, 8})
                         .Node("Constant", {}, {"w"}, {{"value", Iota({4, 3, 7})}})
                         .Node("Identity", {"w"}, {"w1"})
                         .Node("Identity", {"w1"}, {"w2"})
                         .Node("Conv", {"x", "w2"}, {"y"})
                         .Output("y")
                         .Import();
  ASSERT_THAT(graph, IsOk());
  EXPECT_THAT(LastOp<graph::Conv>(graph).window.kernel, ElementsAre(7));
}

TEST(ConvertConv, AComputedWeightNeedsAKernelShape) {
  const auto with = [](const std::vector<Attr>& attributes) {
    return ModelBuilder()
        .Input("x", {0, 3, 8})
        .Weight("w", Iota({4, 3, 3}))
        .Node("Mul", {"w", "w"}, {"w2"})
        .Node("Conv", {"x", "w2"}, {"y"}, attributes)
        .Output("y")
        .Import();
  };
  EXPECT_THAT(with({{"kernel_shape", Ints{3}}}), IsOk());
  EXPECT_THAT(with({}), StatusIs(kUnimplemented, HasSubstr("so the weight must be a constant; it is computed")));
}

TEST(ConvertPool, ReadsMaxPool) {
  const auto graph = ImportPool("MaxPool", {{"kernel_shape", Ints{3}},
                                            {"strides", Ints{2}},
                                            {"pads", Ints{1, 2}},
                                            {"ceil_mode", int64_t{1}},
                                            {"storage_order", int64_t{0}}});
  ASSERT_THAT(graph, IsOk());
  const auto& pool = LastOp<graph::Pool>(graph);
  EXPECT_EQ(pool.kind, graph::PoolKind::kMax);
  EXPECT_TRUE(pool.ceil_mode);
  EXPECT_THAT(pool.window.pads_end, ElementsAre(2));
}

TEST(ConvertPool, ReadsAveragePool) {
  const auto graph = ImportPool("AveragePool", {{"kernel_shape", Ints{3}}, {"count_include_pad", int64_t{1}}});
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(LastOp<graph::Pool>(graph).kind, graph::PoolKind::kAverage);
  EXPECT_TRUE(LastOp<graph::Pool>(graph).count_include_pad);
}

TEST(ConvertPool, ReadsGlobalPools) {
  EXPECT_EQ(LastOp<graph::GlobalPool>(ImportPool("GlobalAveragePool", {})).kind, graph::PoolKind::kAverage);
  EXPECT_EQ(LastOp<graph::GlobalPool>(ImportPool("GlobalMaxPool", {})).kind, graph::PoolKind::kMax);
}

TEST(ConvertPool, AttributesComeWithTheirOpset) {
  const Attr kernel = {"kernel_shape", Ints{2}};
  const Attr ceil = {"ceil_mode", int64_t{1}};
  const Attr dilations = {"dilations", Ints{2}};
  EXPECT_THAT(ImportPool("MaxPool", {kernel, ceil}, 10), IsOk());
  EXPECT_THAT(ImportPool("MaxPool", {kernel, ceil}, 9), StatusIs(kUnimplemented, HasSubstr("'ceil_mode'")));
  EXPECT_THAT(ImportPool("AveragePool", {kernel, dilations}, 19), IsOk());
  EXPECT_THAT(ImportPool("AveragePool", {kernel, dilations}, 18), StatusIs(kUnimplemented, HasSubstr("'dilations'")));
}

TEST(ConvertPool, RefusesWindowsWithoutASingleElement) {
  EXPECT_THAT(ImportPool("MaxPool", {}), StatusIs(kInvalid, HasSubstr("kernel_shape is missing")));
  EXPECT_THAT(ImportPool("MaxPool", {{"kernel_shape", Ints{0}}}), StatusIs(kInvalid, HasSubstr("was [0]")));
  EXPECT_THAT(ImportPool("MaxPool", {{"kernel_shape", Ints{}}}), StatusIs(kInvalid, HasSubstr("was []")));
  EXPECT_THAT(ImportPool("MaxPool", {{"kernel_shape", Ints{2}}, {"pads", Ints{0, 2}}}),
              StatusIs(kInvalid, HasSubstr("pads must be smaller than the kernel's 2 along axis 0; was 2")));
}

TEST(ConvertPool, MakesANodeForTheIndicesWhenSomebodyReadsThem) {
  const auto with_output = [](const std::string& output) {
    return ModelBuilder()
        .Input("x", {0, 3, 8})
        .Node("MaxPool", {"x"}, {"y", "indices"}, {{"kernel_shape", Ints{2}}, {"storage_order", int64_t{1}}})
        .Output(output)
        .Import();
  };
  const auto unread = with_output("y");
  ASSERT_THAT(unread, IsOk());
  EXPECT_THAT(unread->nodes(), SizeIs(1));
  const auto read = with_output("indices");
  ASSERT_THAT(read, IsOk());
  ASSERT_THAT(read->nodes(), SizeIs(2));
  const auto& indices = std::get<graph::MaxPoolIndices>(read->nodes()[0].op);
  EXPECT_THAT(indices.window.kernel, ElementsAre(2));
  EXPECT_EQ(indices.storage_order, 1);
  EXPECT_EQ(read->outputs()[0], read->nodes()[0].outputs[0]);
}

TEST(ConvertPool, RefusesAStorageOrderThatDoesNotExist) {
  EXPECT_THAT(ImportPool("MaxPool", {{"kernel_shape", Ints{2}}, {"storage_order", int64_t{2}}}),
              StatusIs(kInvalid, HasSubstr("storage_order must be 0 or 1; was 2")));
}

TEST(ConvertPool, ReadsLpPoolsWhoseExponentWasAFloatInOpset1) {
  const Attr kernel = {"kernel_shape", Ints{2}};
  const auto pool = ImportPool("LpPool", {kernel, {"p", int64_t{3}}});
  ASSERT_THAT(pool, IsOk());
  EXPECT_EQ(LastOp<graph::Pool>(pool).kind, graph::PoolKind::kLp);
  EXPECT_EQ(LastOp<graph::Pool>(pool).p, 3);
  EXPECT_EQ(LastOp<graph::Pool>(ImportPool("LpPool", {kernel})).p, 2);
  EXPECT_EQ(LastOp<graph::Pool>(ImportPool("LpPool", {kernel, {"p", 3.0F}}, 1)).p, 3);
  EXPECT_EQ(LastOp<graph::GlobalPool>(ImportOneNode(17, "GlobalLpPool", {}, {{"p", int64_t{1}}})).p, 1);
  EXPECT_THAT(ImportPool("LpPool", {kernel, {"p", 2.5F}}, 1),
              StatusIs(kUnimplemented, HasSubstr("p must be a whole number; was 2.5")));
  EXPECT_THAT(ImportPool("LpPool", {kernel, {"p", int64_t{0}}}), StatusIs(kInvalid, HasSubstr("was 0")));
  EXPECT_THAT(ImportPool("LpPool", {kernel, {"ceil_mode", int64_t{1}}}, 17),
              StatusIs(kUnimplemented, HasSubstr("'ceil_mode'")));
}

TEST(ConvertConvTranspose, ReadsEveryAttribute) {
  const auto import = [](const std::vector<Attr>& attributes) {
    return ImportOneNode(17, "ConvTranspose", {Iota({3, 2, 4})}, attributes);
  };
  const auto plain = import({});
  ASSERT_THAT(plain, IsOk());
  EXPECT_THAT(LastOp<graph::ConvTranspose>(plain).window.kernel, ElementsAre(4));
  EXPECT_THAT(LastOp<graph::ConvTranspose>(plain).output_padding, ElementsAre(0));
  EXPECT_THAT(LastOp<graph::ConvTranspose>(plain).output_shape, ::testing::IsEmpty());
  const auto full = import({{"strides", Ints{2}},
                            {"group", int64_t{3}},
                            {"output_padding", Ints{1}},
                            {"output_shape", Ints{16}},
                            {"auto_pad", std::string("SAME_LOWER")}});
  ASSERT_THAT(full, IsOk());
  EXPECT_EQ(LastOp<graph::ConvTranspose>(full).group, 3);
  EXPECT_THAT(LastOp<graph::ConvTranspose>(full).output_padding, ElementsAre(1));
  EXPECT_THAT(LastOp<graph::ConvTranspose>(full).output_shape, ElementsAre(16));
  EXPECT_EQ(LastOp<graph::ConvTranspose>(full).window.auto_pad, graph::AutoPad::kSameLower);
  EXPECT_THAT(import({{"output_padding", Ints{1, 1}}}),
              StatusIs(kInvalid, HasSubstr("output_padding must have 1 entries; has 2")));
  EXPECT_THAT(import({{"output_shape", Ints{-4}}}), StatusIs(kInvalid, HasSubstr("one is -4")));
  EXPECT_THAT(import({{"group", int64_t{0}}}), StatusIs(kInvalid, HasSubstr("group must be positive")));
}

}  // namespace
}  // namespace stillwave::onnx_import
