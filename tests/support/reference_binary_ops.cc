// Operators of two inputs, and Where, with numpy's broadcasting.
#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "tests/support/reference_ops.h"

namespace stillwave::test_support {
namespace {

using graph::BinaryKind;
using tensor::DataType;
using tensor::Shape;

bool GivesBool(BinaryKind kind) { return kind >= BinaryKind::kEqual; }

template <typename T>
bool Compare(BinaryKind kind, T a, T b) {
  switch (kind) {
    case BinaryKind::kEqual:
      return a == b;
    case BinaryKind::kLess:
      return a < b;
    case BinaryKind::kLessOrEqual:
      return a <= b;
    case BinaryKind::kGreater:
      return a > b;
    case BinaryKind::kGreaterOrEqual:
      return a >= b;
    case BinaryKind::kAnd:
      return a != 0 && b != 0;
    case BinaryKind::kOr:
      return a != 0 || b != 0;
    default:
      return (a != 0) != (b != 0);
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
    case BinaryKind::kPow:
      return std::pow(a, b);
    case BinaryKind::kMod:
      return a - b * std::floor(a / b);
    case BinaryKind::kFmod:
      return std::fmod(a, b);
    case BinaryKind::kMin:
      return std::isnan(a) || std::isnan(b) ? std::nan("") : std::min(a, b);
    case BinaryKind::kMax:
      return std::isnan(a) || std::isnan(b) ? std::nan("") : std::max(a, b);
    case BinaryKind::kPRelu:
      return a < 0 ? a * b : a;
    default:
      return std::nan("");
  }
}

// Overflow wraps; division truncates toward zero.
absl::StatusOr<int64_t> Apply(BinaryKind kind, int64_t a, int64_t b) {
  const auto ua = static_cast<uint64_t>(a);
  const auto ub = static_cast<uint64_t>(b);
  const bool divides = kind == BinaryKind::kDiv || kind == BinaryKind::kMod || kind == BinaryKind::kFmod;
  if (divides && b == 0) return absl::InvalidArgumentError("integer division by 0");
  switch (kind) {
    case BinaryKind::kAdd:
      return static_cast<int64_t>(ua + ub);
    case BinaryKind::kSub:
      return static_cast<int64_t>(ua - ub);
    case BinaryKind::kMul:
      return static_cast<int64_t>(ua * ub);
    case BinaryKind::kDiv:
      return b == -1 ? static_cast<int64_t>(-ua) : a / b;
    case BinaryKind::kPow:
      return static_cast<int64_t>(std::pow(static_cast<double>(a), static_cast<double>(b)));
    case BinaryKind::kMod:
      return b == -1 ? 0 : (a % b + b) % b;
    case BinaryKind::kFmod:
      return b == -1 ? 0 : a % b;
    case BinaryKind::kMin:
      return std::min(a, b);
    case BinaryKind::kMax:
      return std::max(a, b);
    case BinaryKind::kPRelu:
      return a < 0 ? static_cast<int64_t>(ua * ub) : a;
    default:
      return absl::InvalidArgumentError("unknown operator");
  }
}

double RealAt(const RefTensor& x, size_t i) { return x.is_real() ? x.reals[i] : static_cast<double>(x.integers[i]); }

absl::Status Element(BinaryKind kind, const RefTensor& a, size_t from_a, const RefTensor& b, size_t from_b,
                     RefTensor& y, size_t out) {
  if (GivesBool(kind)) {
    const bool result = a.is_real() ? Compare(kind, a.reals[from_a], b.reals[from_b])
                                    : Compare(kind, a.integers[from_a], b.integers[from_b]);
    y.integers[out] = result ? 1 : 0;
  } else if (y.is_real()) {
    y.reals[out] = Apply(kind, a.reals[from_a], RealAt(b, from_b));
  } else if (b.is_real()) {
    y.integers[out] = WrapTo(y.data_type, static_cast<int64_t>(Apply(kind, RealAt(a, from_a), b.reals[from_b])));
  } else {
    ASSIGN_OR_RETURN(const int64_t result, Apply(kind, a.integers[from_a], b.integers[from_b]));
    y.integers[out] = WrapTo(y.data_type, result);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RefTensor> Evaluate(const graph::Binary& op, RefInputs inputs) {
  const RefTensor& a = *inputs[0];
  const RefTensor& b = *inputs[1];
  if (a.data_type != b.data_type && op.kind != BinaryKind::kPow) {
    return absl::InvalidArgumentError(
        absl::StrCat("the types differ: ", tensor::Name(a.data_type), " and ", tensor::Name(b.data_type)));
  }
  ASSIGN_OR_RETURN(const Shape shape, Broadcast(a.shape, b.shape));
  RefTensor y = ZeroTensor(GivesBool(op.kind) ? DataType::kBool : a.data_type, shape);
  if (shape.num_elements() == 0) return y;
  Coordinates at(static_cast<size_t>(shape.rank()), 0);
  size_t out = 0;
  do {
    RETURN_IF_ERROR(Element(op.kind, a, BroadcastPosition(a.shape, at), b, BroadcastPosition(b.shape, at), y, out++));
  } while (NextCoordinates(shape, at));
  for (double& value : y.reals) value = op.fused_relu && value < 0 ? 0 : value;
  for (int64_t& value : y.integers) value = op.fused_relu && value < 0 ? 0 : value;
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::Where&, RefInputs inputs) {
  const RefTensor& condition = *inputs[0];
  if (inputs[1]->data_type != inputs[2]->data_type) return absl::InvalidArgumentError("the types differ");
  ASSIGN_OR_RETURN(const Shape branches, Broadcast(inputs[1]->shape, inputs[2]->shape));
  ASSIGN_OR_RETURN(const Shape shape, Broadcast(condition.shape, branches));
  RefTensor y = ZeroTensor(inputs[1]->data_type, shape);
  if (shape.num_elements() == 0) return y;
  Coordinates at(static_cast<size_t>(shape.rank()), 0);
  size_t out = 0;
  do {
    const RefTensor& chosen = *inputs[condition.integers[BroadcastPosition(condition.shape, at)] != 0 ? 1 : 2];
    CopyElement(chosen, BroadcastPosition(chosen.shape, at), y, out++);
  } while (NextCoordinates(shape, at));
  return y;
}

}  // namespace stillwave::test_support
