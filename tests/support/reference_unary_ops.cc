// Operators of one input, element by element.
#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "tests/support/reference_ops.h"

namespace stillwave::test_support {
namespace {

using graph::UnaryKind;
using tensor::DataType;

double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

double Apply(const graph::Unary& op, double x) {
  switch (op.kind) {
    case UnaryKind::kRelu:
      return x < 0 ? 0.0 : x;
    case UnaryKind::kLeakyRelu:
      return x < 0 ? op.alpha * x : x;
    case UnaryKind::kElu:
      return x < 0 ? op.alpha * std::expm1(x) : x;
    case UnaryKind::kSigmoid:
      return Logistic(x);
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
    case UnaryKind::kSelu:
      return op.beta * (x > 0 ? x : op.alpha * std::expm1(x));
    case UnaryKind::kCelu:
      return std::max(0.0, x) + std::min(0.0, op.alpha * std::expm1(x / op.alpha));
    case UnaryKind::kHardSigmoid:
      return std::clamp(op.alpha * x + op.beta, 0.0, 1.0);
    case UnaryKind::kHardSwish:
      return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
    case UnaryKind::kSoftplus:
      return x > 30 ? x : std::log1p(std::exp(x));
    case UnaryKind::kSoftsign:
      return x / (1 + std::abs(x));
    case UnaryKind::kThresholdedRelu:
      return x > op.alpha ? x : 0.0;
    case UnaryKind::kErf:
      return std::erf(x);
    case UnaryKind::kGelu:
      return x / 2 * std::erfc(-x / std::sqrt(2.0));
    case UnaryKind::kGeluTanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case UnaryKind::kMish:
      return x * std::tanh(std::log1p(std::exp(x)));
    case UnaryKind::kSwish:
      return x * Logistic(op.alpha * x);
    case UnaryKind::kClip:
      return std::min<double>(std::max<double>(x, op.alpha), op.beta);
    case UnaryKind::kReciprocal:
      return 1 / x;
    case UnaryKind::kSign:
      return x == 0 ? 0.0 : std::copysign(1.0, x);
    case UnaryKind::kFloor:
      return std::floor(x);
    case UnaryKind::kCeil:
      return std::ceil(x);
    case UnaryKind::kRound:
      return std::nearbyint(x);
    case UnaryKind::kSin:
      return std::sin(x);
    case UnaryKind::kCos:
      return std::cos(x);
    case UnaryKind::kTan:
      return std::tan(x);
    case UnaryKind::kAsin:
      return std::asin(x);
    case UnaryKind::kAcos:
      return std::acos(x);
    case UnaryKind::kAtan:
      return std::atan(x);
    case UnaryKind::kSinh:
      return std::sinh(x);
    case UnaryKind::kCosh:
      return std::cosh(x);
    case UnaryKind::kAsinh:
      return std::asinh(x);
    case UnaryKind::kAcosh:
      return std::acosh(x);
    case UnaryKind::kAtanh:
      return std::atanh(x);
    case UnaryKind::kNot:
    case UnaryKind::kIsNan:
      break;
  }
  return std::nan("");
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
    case UnaryKind::kSign:
      return x == 0 ? 0 : x / std::abs(x);
    case UnaryKind::kNot:
      return x == 0 ? 1 : 0;
    case UnaryKind::kClip:
      return std::min(std::max(x, static_cast<int64_t>(op.alpha)), static_cast<int64_t>(op.beta));
    default:
      return absl::InvalidArgumentError(absl::StrCat(graph::OpName(op), " is not defined for integers"));
  }
}

}  // namespace

absl::StatusOr<RefTensor> Evaluate(const graph::Unary& op, RefInputs inputs) {
  if (op.kind == UnaryKind::kIsNan) {
    RETURN_IF_ERROR(RequireReal(inputs));
    RefTensor y = ZeroTensor(DataType::kBool, inputs[0]->shape);
    for (size_t i = 0; i < y.integers.size(); ++i) y.integers[i] = std::isnan(inputs[0]->reals[i]) ? 1 : 0;
    return y;
  }
  RefTensor y = *inputs[0];
  for (double& value : y.reals) value = Apply(op, value);
  for (int64_t& value : y.integers) {
    ASSIGN_OR_RETURN(const int64_t result, Apply(op, value));
    value = WrapTo(y.data_type, result);
  }
  return y;
}

}  // namespace stillwave::test_support
