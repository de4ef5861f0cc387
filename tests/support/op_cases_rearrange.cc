// Cases of the operators that take apart, repeat, regroup or count elements, and of Resize.
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "tests/support/op_case_list.h"

namespace stillwave::test_support {

using graph::CoordinateMode;
using graph::NearestMode;
using graph::ResizeMode;
using tensor::Shape;

std::vector<OpCase> RearrangeCases() {
  CaseList list;
  for (int64_t index = 0; index < 3; ++index) {
    list.Add(graph::SplitPart{1, index, 3}, {list.Random({2, 6, 4})});
    list.Add(graph::SplitPart{-1, index, 3}, {list.Random({2, 7})});
    list.Add(graph::SplitPart{1, index, 3}, {list.Random({2, 6, 4}), Integers({1, 0, 5})});
    list.Add(graph::SplitPart{0, index, 3}, {Integers({1, 2, 3, 4}), Integers({1, 2, 1})});
  }
  list.Add(graph::SplitPart{0, 0, 1}, {list.Random({2, 3})});

  list.Add(graph::Tile{}, {list.Random({2, 3}), Integers({2, 3})});
  list.Add(graph::Tile{}, {list.Random({2, 1, 4}), Integers({1, 5, 1})});
  list.Add(graph::Tile{}, {list.Random({2, 1, 4}), Integers({3, 1, 2})});
  list.Add(graph::Tile{}, {list.Random({2, 3}), Integers({1, 0})});
  list.Add(graph::Tile{}, {IntegerTensor({2, 2}, {1, 2, 3, 4}), Integers({2, 2})});

  for (const bool column_row_depth : {false, true}) {
    list.Add(graph::DepthToSpace{2, column_row_depth}, {list.Random({2, 8, 3, 2})});
    list.Add(graph::DepthToSpace{3, column_row_depth}, {list.Random({1, 9, 2, 1})});
  }
  list.Add(graph::SpaceToDepth{2}, {list.Random({2, 3, 4, 6})});
  list.Add(graph::SpaceToDepth{3}, {list.Random({1, 2, 3, 6})});

  list.Add(graph::SizeOf{}, {list.Random({2, 3, 4})});
  list.Add(graph::SizeOf{}, {list.Random({})});
  const auto range = [&](RefTensor start, RefTensor limit, RefTensor delta) {
    list.Add(graph::Range{}, {std::move(start), std::move(limit), std::move(delta)}, 0);
  };
  const auto whole = [](int64_t value) { return IntegerTensor({}, {value}); };
  const auto real = [](double value) { return RealTensor({}, {value}); };
  range(whole(0), whole(10), whole(3));
  range(whole(5), whole(-4), whole(-3));
  range(whole(3), whole(3), whole(1));
  range(whole(3), whole(9), whole(-1));
  range(AsInt32(whole(1)), AsInt32(whole(4)), AsInt32(whole(1)));
  range(real(1), real(3), real(0.5));
  return list.Take();
}

namespace {

RefTensor Reals(std::vector<double> values) {
  const auto count = static_cast<int64_t>(values.size());
  return RealTensor(Shape({count}), std::move(values));
}

}  // namespace

std::vector<OpCase> ResizeCases() {
  CaseList list;
  const auto scaled = [&](const graph::Resize& op, const Shape& x, std::vector<double> scales) {
    list.Add(op, {list.Random(x), std::nullopt, Reals(std::move(scales))});
  };
  const auto sized = [&](const graph::Resize& op, const Shape& x, std::vector<int64_t> sizes) {
    list.Add(op, {list.Random(x), std::nullopt, std::nullopt, Integers(std::move(sizes))});
  };
  // Scales are exact in float, so that both sides round the same way.
  for (const auto mode : {ResizeMode::kNearest, ResizeMode::kLinear, ResizeMode::kCubic}) {
    for (const auto coordinates :
         {CoordinateMode::kHalfPixel, CoordinateMode::kHalfPixelSymmetric, CoordinateMode::kPytorchHalfPixel,
          CoordinateMode::kAlignCorners, CoordinateMode::kAsymmetric}) {
      const graph::Resize op{.mode = mode, .coordinates = coordinates};
      scaled(op, {2, 3, 8}, {1, 1, 2});
      scaled(op, {2, 3, 8}, {1, 1, 0.625});
      scaled(op, {1, 2, 4, 6}, {1, 1, 2.5, 0.75});
      sized(op, {1, 2, 4, 6}, {1, 2, 3, 7});
      sized(op, {1, 2, 4, 6}, {1, 2, 4, 1});
      sized(op, {1, 3, 5, 2}, {1, 3, 7, 2});
      sized(op, {2, 3, 4}, {3, 3, 5});
      sized(op, {1, 2, 3, 2, 4}, {1, 2, 5, 3, 2});
    }
    for (const auto nearest :
         {NearestMode::kRoundPreferFloor, NearestMode::kRoundPreferCeil, NearestMode::kFloor, NearestMode::kCeil}) {
      if (mode != ResizeMode::kNearest) continue;
      scaled({.mode = mode, .coordinates = CoordinateMode::kAsymmetric, .nearest = nearest}, {1, 2, 7}, {1, 1, 0.5});
      scaled({.mode = mode, .nearest = nearest}, {1, 2, 4, 5}, {1, 1, 1.5, 2});
    }
    for (const bool antialias : {false, true}) {
      if (mode == ResizeMode::kNearest) continue;
      for (const bool exclude_outside : {false, true}) {
        const graph::Resize op{
            .mode = mode, .antialias = antialias, .exclude_outside = exclude_outside, .cubic_coefficient = -0.5F};
        scaled(op, {1, 2, 9}, {1, 1, 0.375});
        scaled(op, {1, 2, 6, 5}, {1, 1, 0.5, 1.5});
        sized(op, {1, 1, 8, 7}, {1, 1, 3, 2});
      }
    }
    const graph::Resize crop{.mode = mode, .coordinates = CoordinateMode::kTfCropAndResize, .extrapolation_value = 10};
    list.Add(crop, {list.Random({1, 1, 4, 4}), Reals({0, 0, 0.25, 0.5, 1, 1, 0.75, 1.25}), std::nullopt,
                    Integers({1, 1, 3, 3})});
    list.Add(crop, {list.Random({1, 2, 6}), Reals({0, 0, 0.25, 1, 1, 0.75}), std::nullopt, Integers({1, 2, 1})});
  }
  for (const auto aspect : {graph::AspectPolicy::kNotLarger, graph::AspectPolicy::kNotSmaller}) {
    const graph::Resize op{.aspect = aspect, .axes = {2, 3}};
    sized(op, {1, 1, 2, 4}, {7, 8});
    sized({.mode = ResizeMode::kLinear, .aspect = aspect, .axes = {3, 2}}, {1, 2, 5, 4}, {3, 2});
  }
  scaled({.axes = {-1}}, {2, 3, 5}, {3});
  // As exporters of opset 11 write it: empty tensors instead of inputs that are left out.
  list.Add(graph::Resize{}, {list.Random({1, 2, 4}), Reals({}), Reals({}), Integers({1, 2, 8})});
  return list.Take();
}

}  // namespace stillwave::test_support
