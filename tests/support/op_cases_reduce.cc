// Cases of the operators that fold axes, run along one, or normalize by a sample's own statistics.
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "tests/support/op_case_list.h"

namespace stillwave::test_support {
namespace {

using graph::ReduceKind;
using tensor::DataType;
using tensor::Shape;

constexpr ReduceKind kReduceKinds[] = {
    ReduceKind::kMean, ReduceKind::kSum, ReduceKind::kMax,    ReduceKind::kMin,       ReduceKind::kProd,
    ReduceKind::kL1,   ReduceKind::kL2,  ReduceKind::kLogSum, ReduceKind::kLogSumExp, ReduceKind::kSumSquare};

RefTensor As(DataType type, RefTensor tensor) {
  tensor.data_type = type;
  return tensor;
}

void AddReduce(CaseList& list, ReduceKind kind, bool keep_dims) {
  const graph::Reduce op{kind, keep_dims, false};
  const auto data = [&](const Shape& shape) {
    return kind == ReduceKind::kLogSum ? list.Positive(shape) : list.Random(shape);
  };
  const std::vector<std::vector<int64_t>> axes = {{-1}, {1}, {2}, {1, 2}, {-1, -2}, {0}, {0, 2}, {0, 1, 2}};
  for (const std::vector<int64_t>& some : axes) {
    list.Add(op, {data({3, 5, 7}), Integers(some)});
    list.Add(op, {data({2, 19, 4, 3}), Integers(some)});
  }
  list.Add(op, {data({2, 3, 150}), Integers({1})});
  list.Add(op, {data({3, 5})});
  list.Add(op, {data({3, 5}), Integers({})});
  list.Add(op, {data({1, 1, 1}), Integers({1})});
  list.Add(op, {data({})});
  list.Add(graph::Reduce{kind, keep_dims, true}, {data({3, 5}), Integers({})});
  list.Add(op, {data({2, 0, 3}), Integers({0})});
  if (kind != ReduceKind::kMean) list.Add(op, {data({2, 0, 3}), Integers({1})});
  list.Add(op, {As(DataType::kFloat64, data({2, 9})), Integers({1})});
}

void AddNorms(CaseList& list, const Shape& x) {
  const int64_t channels = x[1];
  if (x.rank() > 2) {
    list.Add(graph::InstanceNormalization{1e-3F}, {list.Random(x), list.Random({channels}), list.Random({channels})});
  }
  for (const int64_t groups : {int64_t{1}, int64_t{2}, channels}) {
    for (const bool per_group : {false, true}) {
      const Shape affine({per_group ? groups : channels});
      list.Add(graph::GroupNormalization{groups, 1e-3F, per_group},
               {list.Random(x), list.Random(affine), list.Random(affine)});
    }
  }
  for (const int64_t size : {1, 2, 3, 5}) list.Add(graph::Lrn{size, 0.01F, 0.6F, 1.5F}, {list.Random(x)});
}

}  // namespace

std::vector<OpCase> SoftmaxCases() {
  CaseList list;
  for (const bool log : {false, true}) {
    for (const bool flatten : {false, true}) {
      for (const Shape& x : {Shape({1, 5}), Shape({7, 3}), Shape({2, 3, 17}), Shape({2, 3, 4, 5})}) {
        for (int axis = -x.rank(); axis < x.rank(); ++axis) {
          list.Add(graph::Softmax{axis, log, flatten}, {list.Random(x)});
        }
      }
    }
  }
  return list.Take();
}

std::vector<OpCase> ReduceCases() {
  CaseList list;
  for (const ReduceKind kind : kReduceKinds) {
    for (const bool keep_dims : {false, true}) AddReduce(list, kind, keep_dims);
    for (const DataType type : {DataType::kInt32, DataType::kInt64, DataType::kUint32, DataType::kUint64}) {
      list.Add(graph::Reduce{kind}, {As(type, IntegerTensor({2, 3}, {1, 2, 3, 4, 5, 7})), Integers({1})});
      if (kind != ReduceKind::kMean && kind != ReduceKind::kLogSum && kind != ReduceKind::kLogSumExp) {
        list.Add(graph::Reduce{kind}, {As(type, IntegerTensor({2, 0}, {})), Integers({1})});
      }
    }
  }
  for (const ReduceKind kind : {ReduceKind::kSum, ReduceKind::kProd, ReduceKind::kL1, ReduceKind::kL2,
                                ReduceKind::kSumSquare, ReduceKind::kMax, ReduceKind::kMin}) {
    list.Add(graph::Reduce{kind}, {IntegerTensor({2, 3}, {-1, 2, -3, 4, -5, 7}), Integers({0})});
  }
  for (const ReduceKind kind : {ReduceKind::kMax, ReduceKind::kMin}) {
    for (const DataType type : {DataType::kBool, DataType::kUint8}) {
      list.Add(graph::Reduce{kind}, {As(type, IntegerTensor({4, 2}, {1, 1, 1, 0, 0, 1, 0, 0})), Integers({1})});
      list.Add(graph::Reduce{kind}, {As(type, IntegerTensor({0, 2}, {})), Integers({0})});
    }
  }
  return list.Take();
}

std::vector<OpCase> AlongAxisCases() {
  CaseList list;
  for (const bool max : {false, true}) {
    for (const bool keep_dims : {false, true}) {
      for (const bool last : {false, true}) {
        for (const int64_t axis : {0, 1, 2, -1}) {
          list.Add(graph::ArgReduce{max, axis, keep_dims, last}, {list.Random({2, 5, 3})});
        }
        list.Add(graph::ArgReduce{max, 1, keep_dims, last}, {IntegerTensor({2, 4}, {3, 7, 7, 3, 1, 1, 1, 1})});
      }
    }
  }
  for (const bool exclusive : {false, true}) {
    for (const bool reverse : {false, true}) {
      for (const int64_t axis : {0, 1, -1}) {
        list.Add(graph::CumSum{exclusive, reverse}, {list.Random({2, 5, 3}), IntegerTensor({}, {axis})});
      }
      list.Add(graph::CumSum{exclusive, reverse}, {Integers({1, 2, 3, -4}), AsInt32(IntegerTensor({1}, {0}))});
      list.Add(graph::CumSum{exclusive, reverse}, {As(DataType::kFloat64, list.Random({4})), IntegerTensor({}, {0})});
    }
  }
  return list.Take();
}

std::vector<OpCase> NormalizationCases() {
  CaseList list;
  for (const Shape& x : {Shape({1, 2, 1}), Shape({3, 4, 33}), Shape({2, 6, 5, 4}), Shape({2, 4})}) AddNorms(list, x);
  for (int axis = -3; axis < 3; ++axis) {
    const Shape x({2, 3, 20});
    const int from = axis < 0 ? axis + 3 : axis;
    const Shape run(x.dims().subspan(static_cast<size_t>(from)));
    list.Add(graph::LayerNormalization{axis, 1e-3F}, {list.Random(x), list.Random(run), list.Random(run)});
    list.Add(graph::LayerNormalization{axis, 1e-3F}, {list.Random(x), list.Random(run)});
    list.Add(graph::LayerNormalization{axis, 1e-3F}, {list.Random(x), list.Random({}), list.Random({20})});
    list.Add(graph::LayerNormalization{axis, 1e-3F}, {list.Random(x), list.Random({3, 1}), list.Random({2, 1, 20})});
  }
  // Far from 0, where sums of squares would lose the variance.
  RefTensor far = list.Random({2, 3, 50});
  for (double& value : far.reals) value = static_cast<float>(value + 100);
  list.Add(graph::InstanceNormalization{}, {far, list.Random({3}), list.Random({3})});
  return list.Take();
}

}  // namespace stillwave::test_support
