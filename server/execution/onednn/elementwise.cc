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
    case graph::UnaryKind::kNeg:
      return {Algorithm::eltwise_linear, -1, 0};
    case graph::UnaryKind::kSqrt:
      return {Algorithm::eltwise_sqrt, 0, 0};
    case graph::UnaryKind::kSoftplus:
      return {Algorithm::eltwise_soft_relu, 1, 0};
    case graph::UnaryKind::kGelu:
      return {Algorithm::eltwise_gelu_erf, 0, 0};
    case graph::UnaryKind::kSwish:
      return {Algorithm::eltwise_swish, op.alpha, 0};
    case graph::UnaryKind::kMish:
      return {Algorithm::eltwise_mish, 0, 0};
    case graph::UnaryKind::kClip:
      return {Algorithm::eltwise_clip, op.alpha, op.beta};
    default:  // a kernel of ours: lower_elementwise.cc
      return {Algorithm::undef, 0, 0};
  }
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
    default:  // a kernel of ours: lower_elementwise.cc
      return dnnl::algorithm::undef;
  }
}

}  // namespace

bool HasUnary(graph::UnaryKind kind) { return ToEltwise({kind}).algorithm != dnnl::algorithm::undef; }

bool HasBinary(graph::BinaryKind kind) { return ToAlgorithm(kind) != dnnl::algorithm::undef; }

absl::StatusOr<Primitive> MakeUnary(const graph::Unary& op, int64_t count, Element element) {
  return CatchErrors(graph::OpName(op), [&]() -> absl::StatusOr<Primitive> {
    const Eltwise eltwise = ToEltwise(op);
    const Desc data = RowMajorDesc({count}, element);
    const auto desc = EltwiseDesc(eltwise.algorithm, data, eltwise.alpha, eltwise.beta, UserScratchpad());
    return Finish("eltwise", desc, dnnl::eltwise_forward(desc), {{DNNL_ARG_SRC, data}, {DNNL_ARG_DST, data}});
  });
}

absl::StatusOr<Primitive> MakeBinary(const graph::Binary& op, int64_t count, Element element) {
  return CatchErrors("binary", [&]() -> absl::StatusOr<Primitive> {
    const Desc data = RowMajorDesc({1, count}, element);
    dnnl::primitive_attr attr = UserScratchpad();
    if (op.fused_relu) {
      dnnl::post_ops ops;
      AppendRelu(ops);
      attr.set_post_ops(ops);
    }
    const auto desc = BinaryDesc(ToAlgorithm(op.kind), data, data, data, attr);
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
