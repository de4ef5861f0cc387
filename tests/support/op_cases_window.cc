// Cases of windows beyond Conv and the common pools.
#include <utility>
#include <vector>

#include "tests/support/op_case_list.h"

namespace stillwave::test_support {

using graph::AutoPad;
using tensor::Shape;

std::vector<OpCase> ConvTransposeCases() {
  CaseList list;
  const auto add = [&](const Shape& x, int64_t group_outputs, graph::ConvTranspose op, bool bias = true) {
    op.output_padding.resize(op.window.kernel.size(), 0);
    Shape weights({x[1], group_outputs});
    for (const int64_t k : op.window.kernel) weights.Append(k);
    std::vector<std::optional<RefTensor>> inputs = {list.Random(x), list.Random(weights)};
    if (bias) inputs.push_back(list.Random(Shape({group_outputs * op.group})));
    list.Add(std::move(op), std::move(inputs));
  };
  for (const int64_t batch : {1, 2, 7}) {
    add({batch, 6, 9}, 4, {.window = UniformWindow(1, 4, 2, 1, 1, 1)});
    add({batch, 6, 9}, 3, {.window = UniformWindow(1, 3), .group = 2, .fused_relu = true}, false);
  }
  for (const int64_t group : {1, 2, 4}) {
    add({2, 8, 5}, 3, {.window = UniformWindow(1, 3, 2, 2, 1, 2), .group = group});
    add({1, 8, 4, 5}, 2, {.window = UniformWindow(2, 2, 2), .group = group});
  }
  add({2, 7, 6}, 1, {.window = UniformWindow(1, 5, 3, 1, 2, 0), .group = 7, .output_padding = {2}});
  add({1, 2, 3, 3}, 2, {.window = UniformWindow(2, 3, 2, 1, 1, 1), .output_padding = {1, 1}});
  add({1, 2, 3, 4, 2}, 3, {.window = UniformWindow(3, 2, 2, 1, 1, 0)});
  add({1, 1, 3, 3}, 2, {.window = UniformWindow(2, 3, 3), .output_shape = {10, 8}});
  add({1, 3, 4}, 2, {.window = UniformWindow(1, 4, 2), .output_shape = {7}});
  for (const auto auto_pad : {AutoPad::kSameUpper, AutoPad::kSameLower, AutoPad::kValid}) {
    graph::Window window = UniformWindow(1, 5, 2);
    window.auto_pad = auto_pad;
    add({2, 3, 7}, 4, {.window = window});
    add({2, 3, 7}, 4, {.window = window, .output_shape = {14}});
  }
  return list.Take();
}

std::vector<OpCase> RarePoolCases() {
  CaseList list;
  for (const int64_t p : {1, 2, 3}) {
    for (const bool ceil_mode : {false, true}) {
      const auto lp = [&](const Shape& x, const graph::Window& window) {
        list.Add(graph::Pool{.kind = graph::PoolKind::kLp, .window = window, .ceil_mode = ceil_mode, .p = p},
                 {list.Random(x)});
      };
      lp({2, 3, 14}, UniformWindow(1, 3, 2, 1, 1, 1));
      lp({1, 4, 9, 8}, UniformWindow(2, 3, 2, 2, 1, 0));
      lp({1, 2, 5, 4, 6}, UniformWindow(3, 2, 2));
    }
    list.Add(graph::GlobalPool{.kind = graph::PoolKind::kLp, .p = p}, {list.Random({2, 5, 7})});
    list.Add(graph::GlobalPool{.kind = graph::PoolKind::kLp, .p = p}, {list.Random({2, 5, 3, 4})});
  }
  for (const int64_t storage_order : {0, 1}) {
    for (const bool ceil_mode : {false, true}) {
      const auto indices = [&](const Shape& x, const graph::Window& window) {
        list.Add(graph::MaxPoolIndices{window, ceil_mode, storage_order}, {list.Random(x)});
      };
      indices({2, 3, 14}, UniformWindow(1, 3, 2, 1, 1, 1));
      indices({2, 3, 5, 6}, UniformWindow(2, 3, 2, 1, 1, 1));
      indices({1, 2, 7, 6}, UniformWindow(2, 2, 2, 2));
      indices({2, 2, 4, 3, 5}, UniformWindow(3, 2, 2));
    }
  }
  return list.Take();
}

}  // namespace stillwave::test_support
