// Operators that keep each element, or turn it into another type.
#include <cmath>

#include "absl/status/statusor.h"
#include "tests/support/reference_ops.h"

namespace stillwave::test_support {
namespace {

using tensor::DataType;

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

absl::StatusOr<RefTensor> Evaluate(const graph::CastLike&, RefInputs inputs) {
  return Evaluate(graph::Cast{inputs[1]->data_type}, inputs);
}

absl::StatusOr<RefTensor> Evaluate(const graph::Identity&, RefInputs inputs) { return *inputs[0]; }

absl::StatusOr<RefTensor> Evaluate(const graph::Dropout&, RefInputs inputs) { return *inputs[0]; }

}  // namespace stillwave::test_support
