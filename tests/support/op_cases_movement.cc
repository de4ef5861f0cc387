// Cases of the operators that move elements or change shapes.
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tests/support/op_case_list.h"

namespace stillwave::test_support {

using tensor::Shape;

std::vector<OpCase> MovementCases() {
  CaseList list;
  list.Add(graph::Concat{1}, {list.Random({2, 3, 5}), list.Random({2, 1, 5}), list.Random({2, 19, 5})}, 3);
  list.Add(graph::Concat{-1}, {list.Random({2, 3, 5}), list.Random({2, 3, 1})}, 2);
  list.Add(graph::Concat{1}, {list.Random({3, 16, 9}), list.Random({3, 32, 9})}, 2);
  list.Add(graph::Concat{0}, {Integers({1, 2}), Integers({}), Integers({3})});
  list.Add(graph::Concat{1}, {list.Random({2, 3})});

  list.Add(graph::Transpose{{0, 2, 1}}, {list.Random({2, 3, 5})});
  list.Add(graph::Transpose{}, {list.Random({2, 3, 5})});
  list.Add(graph::Transpose{{0, 3, 1, 2}}, {list.Random({2, 3, 5, 4})});
  list.Add(graph::Transpose{{1, 0}}, {IntegerTensor({2, 2}, {1, 2, 3, 4})});

  const auto pad = [&](graph::PadMode mode, const Shape& x, std::vector<int64_t> pads) {
    list.Add(graph::Pad{mode}, {list.Random(x), Integers(std::move(pads))});
  };
  for (const auto mode :
       {graph::PadMode::kConstant, graph::PadMode::kReflect, graph::PadMode::kEdge, graph::PadMode::kWrap}) {
    pad(mode, {2, 3, 6}, {0, 0, 2, 0, 0, 3});
    pad(mode, {2, 3, 6}, {0, 1, 5, 1, 0, 5});
    pad(mode, {2, 3, 6, 5}, {0, 0, 1, 2, 0, 0, 3, 4});
    pad(mode, {2, 3, 6}, {0, 0, -1, 0, 0, -2});
    pad(mode, {2, 3, 6}, {0, 0, -2, 0, 0, 3});
  }
  // Further than the axis is long.
  for (const auto mode : {graph::PadMode::kConstant, graph::PadMode::kEdge, graph::PadMode::kWrap}) {
    pad(mode, {2, 3}, {0, 8, 3, -2});
  }
  list.Add(graph::Pad{graph::PadMode::kWrap}, {list.Random({2, 3, 4}), Integers({2, 5}), std::nullopt, Integers({-1})});
  list.Add(graph::Pad{}, {list.Random({2, 3}), Integers({1, 0, 0, 2}), RealTensor({}, {7.5})});
  list.Add(graph::Pad{}, {list.Random({2, 3, 4}), Integers({1, 2}), std::nullopt, Integers({-1})});
  list.Add(graph::Pad{}, {IntegerTensor({2, 2}, {1, 2, 3, 4}), Integers({1, 0, 0, 1})});

  const auto slice = [&](const Shape& x, std::vector<int64_t> starts, std::vector<int64_t> ends,
                         std::vector<int64_t> axes, std::vector<int64_t> steps) {
    list.Add(graph::Slice{}, {list.Random(x), Integers(std::move(starts)), Integers(std::move(ends)),
                              Integers(std::move(axes)), Integers(std::move(steps))});
  };
  slice({2, 3, 9}, {1}, {INT64_MAX}, {2}, {2});
  slice({2, 3, 9}, {0, -4}, {2, -1}, {1, -1}, {1, 1});
  slice({2, 3, 9}, {-1}, {INT64_MIN}, {2}, {-3});
  slice({2, 3, 9}, {100}, {1}, {2}, {-1});
  slice({2, 3, 9}, {3}, {3}, {2}, {1});
  slice({2, 3, 9}, {0}, {-2}, {2}, {1});
  list.Add(graph::Slice{}, {Integers({5, 6, 7, 8}), Integers({-2}), Integers({4})});
  list.Add(graph::Slice{}, {list.Random({4, 5}), AsInt32(Integers({1, 2})), AsInt32(Integers({3, 9}))});

  list.Add(graph::Gather{0}, {Integers({5, 6, 7}), IntegerTensor({}, {-1})});
  list.Add(graph::Gather{1}, {list.Random({2, 4, 3}), IntegerTensor({2, 2}, {0, 3, -4, 1})});
  list.Add(graph::Gather{-1}, {list.Random({2, 3, 6}), AsInt32(Integers({5, 0}))});

  list.Add(graph::Expand{}, {list.Random({3, 1}), Integers({2, 1, 4})});
  list.Add(graph::Expand{}, {list.Random({3, 4}), Integers({1, 1})});
  list.Add(graph::Expand{}, {IntegerTensor({}, {4}), Integers({3})});
  return list.Take();
}

std::vector<OpCase> ShapeCases() {
  CaseList list;
  const auto reshape = [&](const Shape& x, std::vector<int64_t> dims, bool allow_zero) {
    list.Add(graph::Reshape{allow_zero}, {list.Random(x), Integers(std::move(dims))});
  };
  reshape({2, 3, 4}, {0, -1}, false);
  reshape({2, 3, 4}, {-1}, false);
  reshape({2, 3, 4}, {4, 6}, true);
  reshape({1, 1}, {}, false);
  reshape({0, 3}, {3, 0}, true);
  for (int axis = -3; axis <= 3; ++axis) list.Add(graph::Flatten{axis}, {list.Random({2, 3, 4})});
  list.Add(graph::Squeeze{}, {list.Random({1, 3, 1})});
  list.Add(graph::Squeeze{}, {list.Random({1, 3, 1}), Integers({-1})});
  list.Add(graph::Squeeze{}, {list.Random({1, 3, 1}), Integers({2, 0})});
  list.Add(graph::Unsqueeze{}, {list.Random({3, 2}), Integers({-1, 0})});
  list.Add(graph::Unsqueeze{}, {IntegerTensor({}, {3}), Integers({0})});
  list.Add(graph::ShapeOf{}, {list.Random({2, 3, 4})});
  list.Add(graph::ShapeOf{.start = 1, .end = -1}, {list.Random({2, 3, 4})});
  list.Add(graph::ShapeOf{.start = 3, .end = 1}, {list.Random({2, 3, 4})});
  graph::ConstantOfShape fill;
  list.Add(fill, {Integers({2, 3})}, 0);
  fill.value = std::make_shared<const tensor::Tensor>(ToTensor(IntegerTensor({1}, {7})));
  list.Add(fill, {Integers({4})}, 0);
  list.Add(fill, {Integers({})}, 0);
  for (const auto to : {tensor::DataType::kInt64, tensor::DataType::kInt32, tensor::DataType::kFloat32}) {
    list.Add(graph::Cast{to}, {list.Random({2, 3})});
    list.Add(graph::Cast{to}, {Integers({-3, 0, 70000})});
    list.Add(graph::Cast{to}, {AsInt32(Integers({-3, 0, 70000}))});
  }
  list.Add(graph::Identity{}, {list.Random({2, 3})});
  list.Add(graph::Dropout{}, {list.Random({2, 3})});
  return list.Take();
}

}  // namespace stillwave::test_support
