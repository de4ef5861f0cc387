// Operators that work element by element, with numpy's broadcasting where there are two inputs.
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "tests/support/reference_ops.h"

namespace stillwave::test_support {
namespace {

using graph::BinaryKind;
using graph::UnaryKind;
using tensor::DataType;

double Apply(const graph::Unary& op, double x) {
  switch (op.kind) {
    case UnaryKind::kRelu:
      return x < 0 ? 0.0 : x;
    case UnaryKind::kLeakyRelu:
      return x < 0 ? op.alpha * x : x;
    case UnaryKind::kElu:
      return x < 0 ? op.alpha * std::expm1(x) : x;
    case UnaryKind::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case UnaryKind::kTanh:
      return std::tanh(x);
    case UnaryKind::kAbs:
      return std::abs(x);
    case UnaryKind::kExp:
      return std::exp(x);
    case UnaryKind::kLog:
      return std::log(x);
    case UnaryKind::kNeg:
      return -x;
    case UnaryKind::kSqrt:
      return std::sqrt(x);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

// Of the operators above those that ONNX defines for integers.
absl::StatusOr<int64_t> Apply(const graph::Unary& op, int64_t x) {
  switch (op.kind) {
    case UnaryKind::kRelu:
      return x < 0 ? 0 : x;
    case UnaryKind::kAbs:
      return x < 0 ? -x : x;
    case UnaryKind::kNeg:
      return -x;
    default:
      return absl::InvalidArgumentError(absl::StrCat(graph::OpName(op), " is not defined for integers"));
  }
}

double Apply(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::kAdd:
      return a + b;
    case BinaryKind::kSub:
      return a - b;
    case BinaryKind::kMul:
      return a * b;
    case BinaryKind::kDiv:
      return a / b;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

// Overflow wraps; division truncates toward zero.
absl::StatusOr<int64_t> Apply(BinaryKind kind, int64_t a, int64_t b) {
  const auto ua = static_cast<uint64_t>(a);
  const auto ub = static_cast<uint64_t>(b);
  switch (kind) {
    case BinaryKind::kAdd:
      return static_cast<int64_t>(ua + ub);
    case BinaryKind::kSub:
      return static_cast<int64_t>(ua - ub);
    case BinaryKind::kMul:
      return static_cast<int64_t>(ua * ub);
    case BinaryKind::kDiv:
      if (b == 0) return absl::InvalidArgumentError("integer division by 0");
      return b == -1 ? static_cast<int64_t>(-ua) : a / b;
  }
  return absl::InvalidArgumentError("unknown operator");
}

double RealToReal(double value, DataType from, DataType to) {
  // FP32 is carried in double without rounding, so only a narrowing conversion changes anything.
  if (to == DataType::kFloat64 || from == to) return value;
  if (to == DataType::kFloat32) return from == DataType::kFloat64 ? RoundTo(to, value) : value;
  return RoundTo(to, value);
}

int64_t RealToInteger(double value, DataType to) {
  if (to == DataType::kBool) return value != 0 ? 1 : 0;
  return WrapTo(to, static_cast<int64_t>(std::trunc(value)));
}

}  // namespace

absl::StatusOr<RefTensor> Evaluate(const graph::Unary& op, RefInputs inputs) {
  RefTensor y = *inputs[0];
  for (double& value : y.reals) value = Apply(op, value);
  for (int64_t& value : y.integers) {
    ASSIGN_OR_RETURN(const int64_t result, Apply(op, value));
    value = WrapTo(y.data_type, result);
  }
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::Binary& op, RefInputs inputs) {
  const RefTensor& a = *inputs[0];
  const RefTensor& b = *inputs[1];
  if (a.data_type != b.data_type) {
    return absl::InvalidArgumentError(
        absl::StrCat("the types differ: ", tensor::Name(a.data_type), " and ", tensor::Name(b.data_type)));
  }
  ASSIGN_OR_RETURN(const tensor::Shape shape, Broadcast(a.shape, b.shape));
  RefTensor y = ZeroTensor(a.data_type, shape);
  if (shape.num_elements() == 0) return y;
  Coordinates at(static_cast<size_t>(shape.rank()), 0);
  size_t out = 0;
  do {
    const size_t from_a = BroadcastPosition(a.shape, at);
    const size_t from_b = BroadcastPosition(b.shape, at);
    if (y.is_real()) {
      y.reals[out] = Apply(op.kind, a.reals[from_a], b.reals[from_b]);
    } else {
      ASSIGN_OR_RETURN(const int64_t result, Apply(op.kind, a.integers[from_a], b.integers[from_b]));
      y.integers[out] = WrapTo(y.data_type, result);
    }
    ++out;
  } while (NextCoordinates(shape, at));
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::Cast& op, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  RefTensor y = ZeroTensor(op.to, x.shape);
  for (size_t i = 0; i < y.reals.size(); ++i) {
    y.reals[i] =
        x.is_real() ? RealToReal(x.reals[i], x.data_type, op.to) : RoundTo(op.to, static_cast<double>(x.integers[i]));
  }
  for (size_t i = 0; i < y.integers.size(); ++i) {
    y.integers[i] = x.is_real() ? RealToInteger(x.reals[i], op.to) : WrapTo(op.to, x.integers[i]);
  }
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::Identity&, RefInputs inputs) { return *inputs[0]; }

absl::StatusOr<RefTensor> Evaluate(const graph::Dropout&, RefInputs inputs) { return *inputs[0]; }

}  // namespace stillwave::test_support
