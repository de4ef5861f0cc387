// Two-input arithmetic as opsets 1 to 6 spell it.
//
// Until opset 6 an input was broadcast only when asked to: `broadcast` = 1 lays B's axes against A's last ones or, with
// `axis`, against A's axes from there on. numpy's rule, which all opsets since have and the graph knows, covers the
// first; for the second B is given trailing axes of length 1:
//
//   A {2,3,4,5}, B {3,4}, axis 1:  B -> {3,4,1}
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

using graph::BinaryKind;
using graph::ValueId;

// B with its axes against A's from `axis` on. How many axes A has behind them is known when shapes are, so the new
// shape is computed: B's own, then as many ones.
absl::StatusOr<ValueId> AlignedB(ConvertContext& context, int64_t axis) {
  const tensor::Shape* b = context.DeclaredShape(1);
  if (b == nullptr) {
    return absl::UnimplementedError("attribute 'axis' needs a second input that is a constant or a graph input");
  }
  const int64_t end = axis + b->rank();  // before nodes are added, which moves the shape
  const ValueId own = context.AddNode("shape", graph::ShapeOf{}, {context.input(1)});
  const ValueId behind = context.AddNode("behind", graph::ShapeOf{.start = end}, {context.input(0)});
  const ValueId count = context.AddNode("count", graph::ShapeOf{}, {behind});
  const auto one = std::make_shared<const tensor::Tensor>(tensor::Tensor::FromValues<int64_t>({1}, {1}));
  const ValueId ones = context.AddNode("ones", graph::ConstantOfShape{one}, {count});
  const ValueId shape = context.AddNode("aligned_shape", graph::Concat{0}, {own, ones});
  return context.AddNode("aligned", graph::Reshape{.allow_zero = true}, {context.input(1), shape});
}

absl::Status Convert(ConvertContext& context, BinaryKind kind) {
  ASSIGN_OR_RETURN(const bool broadcast, context.attributes().Bool("broadcast", false));
  if (!broadcast || !context.attributes().Has("axis")) return context.Emit(graph::Binary{kind});
  ASSIGN_OR_RETURN(const int64_t axis, context.attributes().Int("axis", 0));
  if (axis < 0 || axis >= tensor::kMaxRank) {
    return absl::UnimplementedError(absl::StrCat("axis must be from 0 to ", tensor::kMaxRank - 1, "; was ", axis));
  }
  ASSIGN_OR_RETURN(const ValueId b, AlignedB(context, axis));
  return context.Emit(graph::Binary{kind}, {context.input(0), b});
}

}  // namespace

absl::Status ConvertLegacyAdd(ConvertContext& context) { return Convert(context, BinaryKind::kAdd); }
absl::Status ConvertLegacySub(ConvertContext& context) { return Convert(context, BinaryKind::kSub); }
absl::Status ConvertLegacyMul(ConvertContext& context) { return Convert(context, BinaryKind::kMul); }
absl::Status ConvertLegacyDiv(ConvertContext& context) { return Convert(context, BinaryKind::kDiv); }
absl::Status ConvertLegacyPow(ConvertContext& context) { return Convert(context, BinaryKind::kPow); }

// A slope of several values is one for each channel.
absl::Status ConvertLegacyPRelu(ConvertContext& context) {
  const tensor::Shape* slope = context.DeclaredShape(1);
  if (slope != nullptr && slope->rank() == 1 && (*slope)[0] == 1)
    return context.Emit(graph::Binary{BinaryKind::kPRelu});
  ASSIGN_OR_RETURN(const ValueId b, AlignedB(context, /*axis=*/1));
  return context.Emit(graph::Binary{BinaryKind::kPRelu}, {context.input(0), b});
}

}  // namespace stillwave::onnx_import
