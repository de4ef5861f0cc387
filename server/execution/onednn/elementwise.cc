#include "server/execution/onednn/finish.h"
#include "server/execution/onednn/onednn_error.h"
#include "server/execution/onednn/primitives.h"
#include "server/execution/onednn/version.h"

namespace stillwave::execution::onednn {
namespace {

struct Eltwise {
  dnnl::algorithm algorithm;
  float alpha;
  float beta;
};

Eltwise ToEltwise(const graph::Unary& op) {
  using Algorithm = dnnl::algorithm;
  switch (op.kind) {
    case graph::UnaryKind::kRelu:
      return {Algorithm::eltwise_relu, 0, 0};
    case graph::UnaryKind::kLeakyRelu:
      return {Algorithm::eltwise_relu, op.alpha, 0};
    case graph::UnaryKind::kElu:
      return {Algorithm::eltwise_elu, op.alpha, 0};
    case graph::UnaryKind::kSigmoid:
      return {Algorithm::eltwise_logistic, 0, 0};
    case graph::UnaryKind::kTanh:
      return {Algorithm::eltwise_tanh, 0, 0};
    case graph::UnaryKind::kAbs:
      return {Algorithm::eltwise_abs, 0, 0};
    case graph::UnaryKind::kExp:
      return {Algorithm::eltwise_exp, 0, 0};
    case graph::UnaryKind::kLog:
      break;  // a kernel of ours: lower_elementwise.cc
    case graph::UnaryKind::kNeg:
      return {Algorithm::eltwise_linear, -1, 0};
    case graph::UnaryKind::kSqrt:
      return {Algorithm::eltwise_sqrt, 0, 0};
  }
  return {Algorithm::undef, 0, 0};
}

dnnl::algorithm ToAlgorithm(graph::BinaryKind kind) {
  switch (kind) {
    case graph::BinaryKind::kAdd:
      return dnnl::algorithm::binary_add;
    case graph::BinaryKind::kSub:
      return dnnl::algorithm::binary_sub;
    case graph::BinaryKind::kMul:
      return dnnl::algorithm::binary_mul;
    case graph::BinaryKind::kDiv:
      return dnnl::algorithm::binary_div;
  }
  return dnnl::algorithm::undef;
}

}  // namespace

absl::StatusOr<Primitive> MakeUnary(const graph::Unary& op, int64_t count) {
  return CatchErrors(graph::OpName(op), [&]() -> absl::StatusOr<Primitive> {
    const Eltwise eltwise = ToEltwise(op);
    const Desc data = RowMajorDesc({count});
    const auto desc = EltwiseDesc(eltwise.algorithm, data, eltwise.alpha, eltwise.beta, UserScratchpad());
    return Finish("eltwise", desc, dnnl::eltwise_forward(desc), {{DNNL_ARG_SRC, data}, {DNNL_ARG_DST, data}});
  });
}

absl::StatusOr<Primitive> MakeBinary(graph::BinaryKind kind, int64_t count) {
  return CatchErrors("binary", [&]() -> absl::StatusOr<Primitive> {
    const Desc data = RowMajorDesc({1, count});
    const auto desc = BinaryDesc(ToAlgorithm(kind), data, data, data, UserScratchpad());
    return Finish("binary", desc, dnnl::binary(desc),
                  {{DNNL_ARG_SRC_0, data}, {DNNL_ARG_SRC_1, data}, {DNNL_ARG_DST, data}});
  });
}

absl::StatusOr<Primitive> MakeSoftmax(int64_t outer, int64_t length, int64_t inner) {
  return CatchErrors("softmax", [&]() -> absl::StatusOr<Primitive> {
    const Desc data = RowMajorDesc({outer, length, inner});
    const auto desc = SoftmaxDesc(dnnl::algorithm::softmax_accurate, data, /*axis=*/1, UserScratchpad());
    return Finish("softmax", desc, Softmax(desc), {{DNNL_ARG_SRC, data}, {DNNL_ARG_DST, data}});
  });
}

}  // namespace stillwave::execution::onednn
