// One graph node becomes the steps that compute it. One family a file: lower_<family>.cc.
#pragma once

#include "absl/status/status.h"
#include "server/execution/plan_builder.h"
#include "server/graph/graph.h"

namespace stillwave::execution {

// UNIMPLEMENTED when neither oneDNN nor a kernel of ours can compute it.
absl::Status LowerNode(const graph::Node& node, PlanBuilder& plan);

// lower_convolution.cc
absl::Status Lower(const graph::Node& node, const graph::Conv& op, PlanBuilder& plan);
absl::Status Lower(const graph::Node& node, const graph::BatchNormalization& op, PlanBuilder& plan);
absl::Status Lower(const graph::Node& node, const graph::Pool& op, PlanBuilder& plan);
absl::Status Lower(const graph::Node& node, const graph::GlobalPool& op, PlanBuilder& plan);

// lower_winograd.cc: a convolution in fewer multiplications, where that pays. LowerWinograd REQUIRES SuitsWinograd, and
// constant weights.
bool SuitsWinograd(const graph::Conv& op, const graph::ResolvedWindow& window, const tensor::Shape& src,
                   const tensor::Shape& weights);
absl::Status LowerWinograd(const graph::Node& node, const graph::Conv& op, const graph::ResolvedWindow& window,
                           PlanBuilder& plan);

// lower_direct.cc: a convolution by a kernel of ours, where oneDNN's leaves registers unused. LowerDirect REQUIRES
// SuitsDirect, and constant weights.
bool SuitsDirect(const graph::Conv& op, const graph::ResolvedWindow& window, const tensor::Shape& src);
absl::Status LowerDirect(const graph::Node& node, const graph::Conv& op, const graph::ResolvedWindow& window,
                         PlanBuilder& plan);

// lower_linear.cc
absl::Status Lower(const graph::Node& node, const graph::Gemm& op, PlanBuilder& plan);
absl::Status Lower(const graph::Node& node, const graph::MatMul& op, PlanBuilder& plan);

// lower_elementwise.cc
absl::Status Lower(const graph::Node& node, const graph::Unary& op, PlanBuilder& plan);
absl::Status Lower(const graph::Node& node, const graph::Binary& op, PlanBuilder& plan);
absl::Status Lower(const graph::Node& node, const graph::Softmax& op, PlanBuilder& plan);

// lower_transpose.cc
absl::Status Lower(const graph::Node& node, const graph::Transpose& op, PlanBuilder& plan);
absl::Status Lower(const graph::Node& node, const graph::Interleave& op, PlanBuilder& plan);

// lower_kernel.cc: everything else, through kernels/.
absl::Status LowerToKernel(const graph::Node& node, PlanBuilder& plan);

}  // namespace stillwave::execution
