#include "server/passes/pass_pipeline.h"

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/graph_verifier.h"
#include "server/passes/eliminate_dead_nodes.h"
#include "server/passes/eliminate_dropout.h"
#include "server/passes/eliminate_identity.h"
#include "server/passes/eliminate_repeated_relu.h"
#include "server/passes/fold_batch_norm_into_conv.h"
#include "server/passes/fold_constants.h"
#include "server/passes/fold_gemm_scale.h"
#include "server/passes/fuse_activations.h"
#include "server/passes/fuse_relu.h"
#include "server/passes/pass.h"
#include "server/passes/split_conv_transpose.h"
#include "server/passes/widen_small_groups.h"

namespace stillwave::passes {
namespace {

absl::Status RunPass(absl::string_view name, Pass pass, graph::Graph& graph) {
  absl::StatusOr<bool> changed = pass(graph);
  if (!changed.ok()) return changed.status();
  if (!*changed) return absl::OkStatus();
  const absl::Status valid = graph::VerifyGraph(graph);
  if (valid.ok()) return valid;
  return absl::InternalError(absl::StrCat("pass ", name, " broke the graph: ", valid.message()));
}

}  // namespace

absl::Status SimplifyGraph(graph::Graph& graph) {
  RETURN_IF_ERROR(RunPass("eliminate_identity", EliminateIdentity, graph));
  RETURN_IF_ERROR(RunPass("eliminate_dropout", EliminateDropout, graph));
  RETURN_IF_ERROR(RunPass("fold_constants", FoldConstants, graph));
  return RunPass("eliminate_dead_nodes", EliminateDeadNodes, graph);
}

absl::Status OptimizeGraph(graph::Graph& graph, const PipelineOptions& options) {
  RETURN_IF_ERROR(RunPass("eliminate_repeated_relu", EliminateRepeatedRelu, graph));
  if (options.fold_batch_norm) {
    RETURN_IF_ERROR(RunPass("fold_batch_norm_into_conv", FoldBatchNormIntoConv, graph));
  }
  RETURN_IF_ERROR(RunPass("fold_gemm_scale", FoldGemmScale, graph));
  RETURN_IF_ERROR(RunPass("split_conv_transpose", SplitConvTranspose, graph));
  RETURN_IF_ERROR(RunPass("fuse_batch_norm_relu", FuseBatchNormRelu, graph));
  RETURN_IF_ERROR(RunPass("fuse_conv_relu", FuseConvRelu, graph));
  RETURN_IF_ERROR(RunPass("fuse_add_relu", FuseAddRelu, graph));
  RETURN_IF_ERROR(RunPass("fuse_activations", FuseActivations, graph));
  RETURN_IF_ERROR(RunPass("widen_small_groups", WidenSmallGroups, graph));
  return RunPass("eliminate_dead_nodes", EliminateDeadNodes, graph);
}

}  // namespace stillwave::passes
