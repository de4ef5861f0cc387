// Gemm and MatMul. Constant weights go to the inner product, whose bits per row do not depend on the number of rows.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/execution/lowering.h"
#include "server/execution/onednn/primitives.h"
#include "server/graph/shape_inference.h"

namespace stillwave::execution {
namespace {

using graph::ValueId;
using onednn::Element;
using onednn::Layout;
using tensor::Shape;
using tensor::Tensor;
using Constant = std::shared_ptr<const Tensor>;

// factor * constant, shared when the factor is 1.
absl::StatusOr<Constant> Scale(const Constant& constant, float factor) {
  if (factor == 1) return constant;
  Tensor scaled = constant->Clone();
  for (float& value : scaled.mutable_values<float>()) value *= factor;
  return std::make_shared<const Tensor>(std::move(scaled));
}

// A bias for each of n columns, if `constant` broadcasts like one; null otherwise.
absl::StatusOr<Constant> ColumnBias(const Constant& constant, int64_t n) {
  if (constant == nullptr || constant->data_type() != tensor::DataType::kFloat32) return Constant();
  const Shape& shape = constant->shape();
  const int64_t count = constant->num_elements();
  const bool is_row = shape.rank() >= 1 && shape[shape.rank() - 1] == n && count == n;
  if (!is_row && count != 1) return Constant();
  ASSIGN_OR_RETURN(Tensor bias, Tensor::Create(tensor::DataType::kFloat32, {n}));
  const auto from = constant->values<float>();
  const auto to = bias.mutable_values<float>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = from[count == 1 ? 0 : i];
  return std::make_shared<const Tensor>(std::move(bias));
}

struct Linear {
  ValueId x;  // seen as {m,k}, row-major
  int64_t m, k, n;
  Constant weights;  // {n,k} or, transposed, {k,n}
  bool stored_as_k_by_n;
  Constant bias;  // {n} or null
};

struct Product {
  onednn::Primitive primitive;
  dnnl::memory::desc stored;  // the weights as they come
};

absl::StatusOr<Product> InnerProduct(const Linear& linear, onednn::Elements elements) {
  ASSIGN_OR_RETURN(onednn::Primitive primitive,
                   onednn::MakeInnerProduct(linear.m, linear.k, linear.n, linear.bias != nullptr, elements));
  return Product{std::move(primitive), onednn::InnerProductWeightsDesc(linear.n, linear.k, linear.stored_as_k_by_n)};
}

absl::StatusOr<Product> RowwiseProduct(const Linear& linear, onednn::Elements elements) {
  if (linear.m == 0) return absl::UnimplementedError("a convolution along no rows");
  ASSIGN_OR_RETURN(onednn::Primitive primitive,
                   onednn::MakeRowwiseProduct(linear.m, linear.k, linear.n, linear.bias != nullptr, elements));
  return Product{std::move(primitive), onednn::RowwiseProductWeightsDesc(linear.n, linear.k, linear.stored_as_k_by_n)};
}

// The bits of a row of oneDNN's general matrix product depend on the number of rows, and so do those of its inner
// product in bf16, which leaves AMX for a single row. As a convolution of kernel 1 along the rows they do not, and it
// is as fast.
absl::StatusOr<Product> ChooseProduct(const Linear& linear, onednn::Elements elements) {
  if (elements.in == Element::kFp32) {
    absl::StatusOr<Product> inner = InnerProduct(linear, elements);
    if (onednn::HasVectorized(inner)) return inner;
  }
  absl::StatusOr<Product> rowwise = RowwiseProduct(linear, elements);
  return onednn::HasVectorized(rowwise) ? std::move(rowwise) : InnerProduct(linear, elements);
}

absl::Status AddProduct(const graph::Node& node, const Linear& linear, Product product, onednn::Elements elements,
                        PlanBuilder& plan) {
  onednn::Primitive& primitive = product.primitive;
  ASSIGN_OR_RETURN(const int src, plan.Read(linear.x, Layout::kRowMajor, elements.in));
  ASSIGN_OR_RETURN(const int packed, plan.ReadWeights(linear.weights, product.stored, primitive.arguments[1].desc));
  std::vector<int> buffers = {src, packed};
  if (linear.bias != nullptr) {
    const dnnl::memory::desc desc = onednn::RowMajorDesc({linear.n});
    ASSIGN_OR_RETURN(const int bias, plan.ReadWeights(linear.bias, desc, desc));
    buffers.push_back(bias);
  }
  buffers.push_back(plan.Write(node.outputs[0], Layout::kRowMajor, graph::kNoValue, elements.out));
  plan.AddPrimitive(node, std::move(primitive), std::move(buffers));
  return absl::OkStatus();
}

absl::Status LowerInnerProduct(const graph::Node& node, const Linear& linear, PlanBuilder& plan) {
  if (plan.element() == Element::kBf16 && plan.HasForms(linear.x)) {
    const onednn::Elements elements{Element::kBf16, plan.ElementToWrite(node.outputs[0])};
    absl::StatusOr<Product> product = ChooseProduct(linear, elements);
    if (onednn::HasVectorized(product)) {
      return AddProduct(node, linear, *std::move(product), elements, plan);
    }
  }
  ASSIGN_OR_RETURN(Product product, ChooseProduct(linear, {}));
  return AddProduct(node, linear, std::move(product), {}, plan);
}

bool IsFloat(const Constant& constant) {
  return constant != nullptr && constant->data_type() == tensor::DataType::kFloat32;
}

}  // namespace

// {M,K} x {K,N} (+ {N}) -> {M,N}
absl::Status Lower(const graph::Node& node, const graph::Gemm& op, PlanBuilder& plan) {
  const Shape& y = plan.shape(node.outputs[0]);
  const Shape& a = plan.shape(node.inputs[0]);
  const Constant& b = plan.value(node.inputs[1]).constant;
  const bool has_c = node.inputs.size() > 2 && node.inputs[2] != graph::kNoValue && op.beta != 0;
  Constant bias;
  if (has_c) {
    ASSIGN_OR_RETURN(bias, ColumnBias(plan.value(node.inputs[2]).constant, y[1]));
  }
  if (op.transpose_a || !IsFloat(b) || (has_c && bias == nullptr)) {
    return LowerToKernel(node, plan);
  }
  ASSIGN_OR_RETURN(const Constant weights, Scale(b, op.alpha));
  if (bias != nullptr) {
    ASSIGN_OR_RETURN(bias, Scale(bias, op.beta));
  }
  return LowerInnerProduct(node, {node.inputs[0], a[0], a[1], y[1], weights, !op.transpose_b, bias}, plan);
}

absl::Status Lower(const graph::Node& node, const graph::MatMul&, PlanBuilder& plan) {
  const ValueId a = node.inputs[0];
  const ValueId b = node.inputs[1];
  const Shape& shape_a = plan.shape(a);
  const Shape& shape_b = plan.shape(b);
  // {…,M,K} x constant {K,N}: all rows of A at once.
  if (shape_b.rank() == 2 && IsFloat(plan.value(b).constant)) {
    const int64_t k = shape_b[0];
    const int64_t rows = k == 0 ? 0 : shape_a.num_elements() / k;
    return LowerInnerProduct(node, {a, rows, k, shape_b[1], plan.value(b).constant, true, nullptr}, plan);
  }
  // Both computed: ranks made equal, vectors as matrices.
  const int rank = std::max({shape_a.rank(), shape_b.rank(), 2});
  const auto dims_of = [rank](const Shape& shape, bool is_left) {
    std::vector<int64_t> dims(shape.dims().begin(), shape.dims().end());
    if (dims.size() == 1) dims.insert(is_left ? dims.begin() : dims.end(), 1);
    dims.insert(dims.begin(), static_cast<size_t>(rank) - dims.size(), 1);
    return dims;
  };
  const std::vector<int64_t> left = dims_of(shape_a, true);
  const std::vector<int64_t> right = dims_of(shape_b, false);
  std::vector<int64_t> product = left;
  for (size_t i = 0; i + 2 < product.size(); ++i) product[i] = std::max(left[i], right[i]);
  product.back() = right.back();
  ASSIGN_OR_RETURN(
      onednn::Primitive primitive,
      onednn::MakeMatMul(onednn::RowMajorDesc(left), onednn::RowMajorDesc(right), onednn::RowMajorDesc(product)));
  ASSIGN_OR_RETURN(const int src, plan.Read(a, Layout::kRowMajor));
  ASSIGN_OR_RETURN(const int weights, plan.Read(b, Layout::kRowMajor));
  plan.AddPrimitive(node, std::move(primitive), {src, weights, plan.Write(node.outputs[0], Layout::kRowMajor)});
  return absl::OkStatus();
}

}  // namespace stillwave::execution
