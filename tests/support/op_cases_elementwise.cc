// Cases of the operators that work element by element.
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "server/graph/shape_inference.h"
#include "tests/support/op_case_list.h"

namespace stillwave::test_support {
namespace {

using graph::BinaryKind;
using graph::UnaryKind;
using tensor::DataType;
using tensor::Shape;

RefTensor As(DataType type, RefTensor tensor) {
  tensor.data_type = type;
  return tensor;
}

RefTensor Times(RefTensor tensor, double factor) {
  for (double& value : tensor.reals) value = static_cast<float>(value * factor);
  return tensor;
}

// Every other element true.
RefTensor Flags(const Shape& shape) {
  RefTensor flags = ZeroTensor(DataType::kBool, shape);
  for (size_t i = 0; i < flags.integers.size(); i += 2) flags.integers[i] = 1;
  return flags;
}

graph::Unary WithParameters(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::kSelu:
      return {kind, 1.67F, 1.05F};
    case UnaryKind::kHardSigmoid:
      return {kind, 0.2F, 0.5F};
    case UnaryKind::kClip:
      return {kind, -0.4F, 0.7F};
    default:
      return {kind, 0.3F};
  }
}

// Where the function is defined.
RefTensor Argument(CaseList& list, UnaryKind kind, const Shape& shape) {
  switch (kind) {
    case UnaryKind::kLog:
    case UnaryKind::kSqrt:
    case UnaryKind::kReciprocal:
      return list.Positive(shape);
    case UnaryKind::kAcosh: {
      RefTensor x = list.Positive(shape);
      for (double& value : x.reals) value = static_cast<float>(value + 1);
      return x;
    }
    case UnaryKind::kAsin:
    case UnaryKind::kAcos:
    case UnaryKind::kAtanh: {
      RefTensor x = list.Random(shape);
      for (double& value : x.reals) value = static_cast<float>(std::tanh(value) * 0.9);
      return x;
    }
    default:
      return list.Random(shape);
  }
}

const std::pair<Shape, Shape> kBroadcasts[] = {
    {{2, 3, 5}, {2, 3, 5}},
    {{2, 3, 5}, {3, 1}},
    {{2, 3, 5}, {}},
    {{}, {2, 3}},
    {{2, 1, 5}, {1, 3, 1}},
    {{5}, {2, 3, 5}},
    {{2, 3, 4, 5}, {3, 1, 1}},
    {{1, 19, 1}, {7, 19, 6}},
    {{2, 16, 9}, {1, 16, 1}},
    {{}, {}},
    {{0, 3}, {3}},
};

void AddIntegers(CaseList& list, BinaryKind kind) {
  list.Add(graph::Binary{kind}, {Integers({7, -7, 9}), Integers({2, 2, -4})});
  list.Add(graph::Binary{kind}, {AsInt32(Integers({7, -7, 9})), AsInt32(IntegerTensor({}, {3}))});
  for (const DataType type : {DataType::kUint8, DataType::kInt16, DataType::kUint32, DataType::kUint64}) {
    list.Add(graph::Binary{kind}, {As(type, Integers({7, 200, 9})), As(type, Integers({7, 3, 60}))});
  }
}

}  // namespace

std::vector<OpCase> UnaryCases() {
  CaseList list;
  for (int index = 0; index < static_cast<int>(UnaryKind::kNot); ++index) {
    const auto kind = static_cast<UnaryKind>(index);
    const graph::Unary op = WithParameters(kind);
    for (const Shape& x : {Shape({}), Shape({1, 5}), Shape({3, 19, 7}), Shape({2, 3, 4, 5}), Shape({0, 3})}) {
      list.Add(op, {Argument(list, kind, x)});
    }
    list.Add(op, {As(DataType::kFloat64, Argument(list, kind, {2, 9}))});
  }
  // Far from 0 the saturating ones have reached their limit.
  for (const UnaryKind kind :
       {UnaryKind::kElu, UnaryKind::kSigmoid, UnaryKind::kTanh, UnaryKind::kSelu, UnaryKind::kCelu,
        UnaryKind::kHardSigmoid, UnaryKind::kHardSwish, UnaryKind::kSoftplus, UnaryKind::kSoftsign, UnaryKind::kErf,
        UnaryKind::kGelu, UnaryKind::kGeluTanh, UnaryKind::kMish, UnaryKind::kSwish}) {
    for (const double factor : {5.0, 40.0, 1000.0}) {
      list.Add(WithParameters(kind), {Times(list.Random({3, 37}), factor)});
    }
  }
  list.Add(graph::Unary{UnaryKind::kClip, 2, 1}, {list.Random({2, 9})});  // the upper bound has the last word
  list.Add(graph::Unary{UnaryKind::kClip, -0.1F, std::numeric_limits<float>::infinity()}, {list.Random({2, 9})});
  list.Add(graph::Unary{UnaryKind::kRound}, {RealTensor({6}, {0.5, 1.5, 2.5, -0.5, -1.5, -2.7})});
  list.Add(graph::Unary{UnaryKind::kSign}, {RealTensor({3}, {-3, 0, 2})});
  for (const UnaryKind kind :
       {UnaryKind::kAbs, UnaryKind::kNeg, UnaryKind::kSign, UnaryKind::kRelu, UnaryKind::kClip}) {
    for (const DataType type : {DataType::kInt8, DataType::kInt16, DataType::kInt32, DataType::kInt64}) {
      list.Add(graph::Unary{kind, -2, 5}, {As(type, Integers({-3, 0, 7, 100}))});
    }
  }
  list.Add(graph::Unary{UnaryKind::kNot}, {Flags({2, 3})});
  list.Add(graph::Unary{UnaryKind::kIsNan}, {RealTensor({3}, {1, std::nan(""), -2})});
  list.Add(graph::Unary{UnaryKind::kIsNan}, {As(DataType::kFloat64, RealTensor({2}, {std::nan(""), -2}))});
  return list.Take();
}

std::vector<OpCase> BinaryCases() {
  CaseList list;
  for (int index = 0; index < static_cast<int>(BinaryKind::kAnd); ++index) {
    const auto kind = static_cast<BinaryKind>(index);
    for (const auto& [a, b] : kBroadcasts) {
      if (kind == BinaryKind::kPRelu && *graph::BroadcastShapes(a, b) != a) continue;
      for (const size_t data_inputs : {1, 2}) {
        const bool positive_b = kind == BinaryKind::kDiv || kind == BinaryKind::kMod || kind == BinaryKind::kFmod;
        list.Add(graph::Binary{kind},
                 {kind == BinaryKind::kPow ? list.Positive(a) : list.Random(a),
                  positive_b ? list.Positive(b) : list.Random(b)},
                 data_inputs);
      }
    }
    list.Add(graph::Binary{kind},
             {As(DataType::kFloat64, list.Positive({2, 3})), As(DataType::kFloat64, list.Positive({3}))});
    if (kind != BinaryKind::kPow) AddIntegers(list, kind);
  }
  for (const BinaryKind kind : {BinaryKind::kEqual, BinaryKind::kLessOrEqual, BinaryKind::kGreaterOrEqual}) {
    list.Add(graph::Binary{kind}, {RealTensor({3}, {1, 2, 3}), RealTensor({3}, {1, 3, 2})});
  }
  for (const BinaryKind kind : {BinaryKind::kMin, BinaryKind::kMax}) {
    list.Add(graph::Binary{kind}, {RealTensor({4}, {1, std::nan(""), 3, 4}), RealTensor({4}, {2, 1, std::nan(""), 0})});
  }
  for (const BinaryKind kind : {BinaryKind::kEqual, BinaryKind::kAnd, BinaryKind::kOr, BinaryKind::kXor}) {
    list.Add(graph::Binary{kind}, {Flags({2, 3}), Flags({1})});
    list.Add(graph::Binary{kind}, {Flags({4}), As(DataType::kBool, Integers({1, 1, 0, 0}))}, 2);
  }
  const RefTensor bases = RealTensor({4}, {1, 2, 3, 4});
  for (const RefTensor& exponent : {RealTensor({}, {2}), RealTensor({}, {0.5}), RealTensor({4}, {2, -1, 0, 1.5})}) {
    list.Add(graph::Binary{BinaryKind::kPow}, {bases, exponent});
    list.Add(graph::Binary{BinaryKind::kPow}, {Integers({1, 4, 9, 16}), exponent.shape.rank() == 0 ? exponent : bases});
  }
  for (const DataType type : {DataType::kInt64, DataType::kInt32, DataType::kUint8}) {
    list.Add(graph::Binary{BinaryKind::kPow}, {bases, As(type, Integers({4, 5, 6, 0}))});
    list.Add(graph::Binary{BinaryKind::kPow}, {As(type, Integers({1, 2, 3, 4})), As(type, Integers({4, 5, 3, 0}))});
  }
  return list.Take();
}

std::vector<OpCase> WhereCases() {
  CaseList list;
  list.Add(graph::Where{}, {Flags({2, 3, 5}), list.Random({2, 3, 5}), list.Random({2, 3, 5})}, 3);
  list.Add(graph::Where{}, {Flags({2, 1, 5}), list.Random({3, 1}), list.Random({})}, 2);
  list.Add(graph::Where{}, {Flags({3}), list.Random({2, 1}), list.Random({1, 3})});
  list.Add(graph::Where{}, {Flags({1}), Integers({1, 2}), Integers({3, 4})});
  list.Add(graph::Where{}, {Flags({3}), Flags({3}), As(DataType::kBool, Integers({1, 1, 1}))});
  list.Add(graph::Where{},
           {Flags({3}), As(DataType::kInt16, Integers({1, 2, 3})), As(DataType::kInt16, Integers({9}))});
  return list.Take();
}

std::vector<OpCase> CastCases() {
  CaseList list;
  const DataType types[] = {DataType::kBool,   DataType::kUint8,   DataType::kUint16,   DataType::kUint32,
                            DataType::kUint64, DataType::kInt8,    DataType::kInt16,    DataType::kInt32,
                            DataType::kInt64,  DataType::kFloat16, DataType::kBFloat16, DataType::kFloat32,
                            DataType::kFloat64};
  for (const DataType from : types) {
    for (const DataType to : types) {
      const RefTensor x = IsReal(from) ? As(from, RealTensor({5}, {0, 1, 2.75, 97, 0.5}))
                                       : As(from, Integers({0, 1, from == DataType::kBool ? 1 : 100, 1, 0}));
      list.Add(graph::Cast{to}, {x});
    }
    list.Add(graph::CastLike{}, {Integers({1, 0}), ZeroTensor(from, {3})});
  }
  // Rounding, ties, subnormals, the largest half and what becomes infinite.
  const RefTensor hard = RealTensor({12}, {1.00048828125, 1.00146484375, 2049, 2051, 65504, 65519, 65520, 1e-8, 6e-8,
                                           9e-8, -3.0517578125e-5, 3.14159274});
  for (const DataType to : {DataType::kFloat16, DataType::kBFloat16}) {
    list.Add(graph::Cast{to}, {hard});
    list.Add(graph::Cast{to}, {As(DataType::kFloat64, hard)});
    list.Add(graph::Cast{to}, {Times(list.Random({50}), 100)});
  }
  list.Add(graph::Cast{DataType::kFloat32}, {As(DataType::kFloat64, RealTensor({2}, {0.1, 1e300}))});
  return list.Take();
}

}  // namespace stillwave::test_support
