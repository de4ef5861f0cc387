// Convolution, batch normalization, pooling, products; and what all cases share.
#include "tests/support/op_cases.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/support/network_builder.h"
#include "tests/support/op_case_list.h"
#include "tests/support/reference_interpreter.h"

namespace stillwave::test_support {
namespace {

using tensor::Shape;

struct ConvSpec {
  Shape x;
  int64_t out_channels;
  int64_t group;
  graph::Window window;
  bool bias = true;
};

void AddConv(CaseList& list, const ConvSpec& spec, bool fused_relu = false) {
  Shape weights({spec.out_channels, spec.x[1] / spec.group});
  for (const int64_t k : spec.window.kernel) weights.Append(k);
  std::vector<std::optional<RefTensor>> inputs = {list.Random(spec.x), list.Random(weights)};
  if (spec.bias) inputs.push_back(list.Random(Shape({spec.out_channels})));
  list.Add(graph::Conv{spec.window, spec.group, fused_relu}, std::move(inputs));
}

graph::Window WithAutoPad(graph::Window window, graph::AutoPad auto_pad) {
  window.auto_pad = auto_pad;
  return window;
}

}  // namespace

std::vector<OpCase> ConvCases() {
  CaseList list;
  for (int64_t batch = 1; batch <= 7; ++batch) {
    AddConv(list, {{batch, 3, 20}, 5, 1, UniformWindow(1, 3, 1, 1, 1, 1)});
    AddConv(list, {{batch, 19, 17}, 33, 1, UniformWindow(1, 5, 1, 1, 2, 2), false});
  }
  for (const int64_t channels : {1, 2, 7, 8, 15, 16, 17, 32, 48}) {
    for (const int64_t out_channels : {1, 6, 16, 31, 64}) {
      AddConv(list, {{2, channels, 13}, out_channels, 1, UniformWindow(1, 3, 1, 1, 1, 1)});
    }
    AddConv(list, {{2, channels, 13}, channels, channels, UniformWindow(1, 3, 1, 1, 1, 1)});      // depthwise
    AddConv(list, {{2, channels, 13}, channels * 2, channels, UniformWindow(1, 5, 1, 1, 2, 2)});  // with a multiplier
    AddConv(list, {{1, channels, 9, 6}, 5, 1, UniformWindow(2, 3, 1, 1, 1, 1)}, /*fused_relu=*/true);
  }
  for (const int64_t group : {2, 3, 6}) {
    AddConv(list, {{3, 12, 15}, 18, group, UniformWindow(1, 3, 2, 1, 1, 1)});
    AddConv(list, {{2, 12, 7, 8}, 6, group, UniformWindow(2, 2, 1, 1, 0, 1), false});
  }
  for (const int64_t kernel : {1, 2, 5, 8, 39}) {
    for (const int64_t dilation : {1, 2, 4}) {
      const int64_t reach = (kernel - 1) * dilation;
      AddConv(list, {{1, 4, 41}, 6, 1, UniformWindow(1, kernel, 1, dilation, reach, 0)});  // causal
      AddConv(list, {{2, 4, 41}, 6, 1, UniformWindow(1, kernel, 2, dilation, reach / 2, reach - reach / 2)}, true);
    }
  }
  for (const auto auto_pad : {graph::AutoPad::kSameUpper, graph::AutoPad::kSameLower, graph::AutoPad::kValid}) {
    AddConv(list, {{2, 3, 19}, 4, 1, WithAutoPad(UniformWindow(1, 8), auto_pad)});
    AddConv(list, {{2, 3, 19}, 4, 1, WithAutoPad(UniformWindow(1, 5, 3, 2), auto_pad)});
    AddConv(list, {{1, 3, 11, 9}, 4, 1, WithAutoPad(UniformWindow(2, 4, 2), auto_pad)});
  }
  graph::Window mixed = UniformWindow(2, 3);
  mixed.kernel = {3, 2};
  mixed.strides = {2, 1};
  mixed.dilations = {1, 3};
  mixed.pads_begin = {0, 2};
  mixed.pads_end = {1, 0};
  AddConv(list, {{2, 5, 10, 9}, 7, 1, mixed});
  AddConv(list, {{1, 1, 1600}, 8, 1, UniformWindow(1, 80, 4), false});
  AddConv(list, {{1, 2, 1}, 3, 1, UniformWindow(1, 3, 1, 1, 1, 1)});
  AddConv(list, {{2, 2, 5, 4, 6}, 3, 1, UniformWindow(3, 3, 1, 1, 1, 0)});
  return list.Take();
}

std::vector<OpCase> BatchNormalizationCases() {
  CaseList list;
  const std::vector<std::vector<int64_t>> tails = {{}, {1}, {2}, {33}, {5, 4}, {3, 2, 4}};
  for (const std::vector<int64_t>& tail : tails) {
    for (const int64_t channels : {1, 3, 8, 16, 19, 64}) {
      for (const int64_t batch : {1, 2, 7}) {
        Shape x({batch, channels});
        for (const int64_t dim : tail) x.Append(dim);
        RefTensor scale = list.Random({channels});
        RefTensor variance = list.Positive({channels});
        scale.reals[0] = batch == 2 ? 0.0 : -1.5;
        if (channels > 3) {
          scale.reals[1] = static_cast<float>(1e-6);
          variance.reals[2] = 0.0;
          variance.reals[3] = 1e6;
        }
        const graph::BatchNormalization op{.epsilon = 1e-3F, .fused_relu = batch == 7};
        list.Add(op, {list.Random(x), scale, list.Random({channels}), list.Random({channels}), variance});
      }
    }
  }
  return list.Take();
}

std::vector<OpCase> PoolCases() {
  CaseList list;
  for (const auto kind : {graph::PoolKind::kMax, graph::PoolKind::kAverage}) {
    for (const bool ceil_mode : {false, true}) {
      for (const bool include : {false, true}) {
        if (include && kind == graph::PoolKind::kMax) continue;
        const auto add = [&](const Shape& x, const graph::Window& window) {
          list.Add(graph::Pool{kind, window, ceil_mode, include}, {list.Random(x)});
        };
        for (const int64_t batch : {1, 3}) {
          for (const int64_t channels : {1, 6, 16, 19}) {
            add({batch, channels, 14}, UniformWindow(1, 3, 2, 1, 1, 1));
            add({batch, channels, 13}, UniformWindow(1, 4, 4));
          }
        }
        add({2, 5, 11}, UniformWindow(1, 3, 1, 1, 0, 2));
        add({2, 5, 11}, UniformWindow(1, 2, 3, 1, 1, 0));
        add({2, 5, 12}, UniformWindow(1, 5, 3, 1, 2, 1));
        add({1, 4, 9, 8}, UniformWindow(2, 3, 2, 1, 1, 1));
        add({1, 4, 9, 8}, UniformWindow(2, 2, 2));
        add({1, 2, 5, 4, 6}, UniformWindow(3, 2, 2, 1, 1, 0));
        add({2, 3, 15}, UniformWindow(1, 3, 2, 3, 1, 1));
        if (!ceil_mode) add({2, 3, 10}, WithAutoPad(UniformWindow(1, 3, 2), graph::AutoPad::kSameUpper));
        if (!ceil_mode) add({2, 3, 10}, WithAutoPad(UniformWindow(1, 4, 3), graph::AutoPad::kSameLower));
      }
    }
    for (const Shape& x : {Shape({1, 1, 1}), Shape({3, 19, 7}), Shape({2, 16, 5, 6}), Shape({1, 2, 3, 4, 5})}) {
      list.Add(graph::GlobalPool{kind}, {list.Random(x)});
    }
  }
  return list.Take();
}

std::vector<OpCase> LinearCases() {
  CaseList list;
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      for (const int64_t m : {1, 2, 7}) {
        const Shape a = transpose_a ? Shape({19, m}) : Shape({m, 19});
        const Shape b = transpose_b ? Shape({5, 19}) : Shape({19, 5});
        const graph::Gemm op{.transpose_a = transpose_a, .transpose_b = transpose_b};
        list.Add(op, {list.Random(a), list.Random(b), list.Random({5})});
        list.Add(op, {list.Random(a), list.Random(b)});
      }
      const graph::Gemm scaled{0.5F, -2, transpose_a, transpose_b};
      const Shape a = transpose_a ? Shape({8, 3}) : Shape({3, 8});
      const Shape b = transpose_b ? Shape({4, 8}) : Shape({8, 4});
      for (const Shape& c : {Shape({}), Shape({1}), Shape({4}), Shape({1, 4}), Shape({3, 1}), Shape({3, 4})}) {
        list.Add(scaled, {list.Random(a), list.Random(b), list.Random(c)});
      }
    }
  }
  const std::pair<Shape, Shape> products[] = {
      {{3, 8}, {8, 5}},       {{2, 3, 8}, {8, 5}}, {{2, 3, 8}, {2, 8, 5}},       {{8}, {8}},
      {{8}, {8, 3}},          {{3, 8}, {8}},       {{2, 1, 3, 4}, {5, 4, 6}},    {{1, 7}, {7, 1}},
      {{4, 2, 3}, {4, 3, 1}}, {{8}, {2, 8, 3}},    {{2, 3, 1, 4}, {1, 3, 4, 2}},
  };
  for (const auto& [a, b] : products) {
    list.Add(graph::MatMul{}, {list.Random(a), list.Random(b)}, 1);
    list.Add(graph::MatMul{}, {list.Random(a), list.Random(b)}, 2);
  }
  return list.Take();
}

std::vector<OpCase> AllOpCases() {
  std::vector<OpCase> all;
  for (auto make : {ConvCases, BatchNormalizationCases, PoolCases, LinearCases, UnaryCases, BinaryCases, WhereCases,
                    CastCases, SoftmaxCases, ReduceCases, AlongAxisCases, NormalizationCases, MovementCases, ShapeCases,
                    ConvTransposeCases, RarePoolCases, RearrangeCases, ResizeCases}) {
    std::vector<OpCase> some = make();
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

absl::StatusOr<RefTensor> Interpret(const OpCase& op_case) {
  std::vector<const RefTensor*> inputs;
  for (const auto& input : op_case.inputs) inputs.push_back(input.has_value() ? &*input : nullptr);
  return InterpretOp(op_case.op, inputs);
}

graph::Graph SingleNodeGraph(const OpCase& op_case) {
  graph::Graph graph;
  std::vector<graph::ValueId> inputs;
  for (size_t i = 0; i < op_case.inputs.size(); ++i) {
    const auto& input = op_case.inputs[i];
    if (!input.has_value()) {
      inputs.push_back(graph::kNoValue);
    } else if (i < op_case.data_inputs) {
      inputs.push_back(graph.AddInput(absl::StrCat("x", i), input->data_type, input->shape));
    } else {
      inputs.push_back(graph.AddConstant(absl::StrCat("c", i), ToTensor(*input)));
    }
  }
  const graph::ValueId y = graph.AddValue("y");
  graph.AddNode({"node", op_case.op, std::move(inputs), {y}});
  graph.AddOutput(y);
  return graph;
}

}  // namespace stillwave::test_support
