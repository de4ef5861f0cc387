// LoadedModel::Describe: what a person wants to know before trusting a model to a server.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/base/status_macros.h"
#include "server/execution/execution_plan.h"
#include "server/model/loaded_model.h"
#include "server/model/network_shapes.h"

namespace stillwave::model {
namespace {

using TableRow = std::vector<std::string>;

// Left-aligned columns, two spaces between them.
std::string FormatTable(const std::vector<TableRow>& rows) {
  std::vector<size_t> widths(rows.empty() ? 0 : rows[0].size(), 0);
  for (const TableRow& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const TableRow& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppendFormat(&line, "%-*s  ", static_cast<int>(widths[i]), row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, "  ", line, "\n");
  }
  return text;
}

void AppendSpecs(absl::string_view title, const std::vector<TensorSpec>& specs, std::string* text) {
  for (const TensorSpec& spec : specs) {
    absl::StrAppend(text, title, "  ", spec.name, "  ", tensor::Name(spec.data_type), " ", spec.shape.ToString(), "\n");
  }
}

TableRow LayerRow(size_t number, const execution::StepInfo& info) {
  return {absl::StrCat(number),
          info.op,
          info.name,
          info.output_shape,
          info.primitive,
          info.implementation,
          absl::StrCat(info.attributes, info.in_place ? (info.attributes.empty() ? "in place" : ", in place") : "")};
}

}  // namespace

absl::StatusOr<std::string> LoadedModel::Describe(int64_t window_length) const {
  std::vector<tensor::Shape> shapes = sample_shapes_;
  for (size_t i = 0; i < shapes.size() && window_length > 0; ++i) {
    const tensor::Shape& declared = signature_.inputs[i].shape;
    for (int axis = 1; axis < declared.rank(); ++axis) {
      if (declared[axis] == tensor::kDynamicDim) shapes[i][axis] = window_length;
    }
  }
  ASSIGN_OR_RETURN(const std::shared_ptr<const execution::ExecutionPlan> plan, plans_->Get(shapes));

  std::string text;
  AppendSpecs("input ", signature_.inputs, &text);
  AppendSpecs("output", signature_.outputs, &text);
  absl::StrAppend(&text, "sha256  ", sha256_, "\n");
  const ParameterCounts& counts = parameter_counts_;
  absl::StrAppend(&text, "parameters  ", counts.learnable, " learnable");
  if (counts.batch_norm_layers > 0) {
    absl::StrAppend(&text, ", of which ", counts.batch_norm_affine, " are BatchNormalization's scale and bias (2×C of ",
                    counts.batch_norm_layers, counts.batch_norm_layers == 1 ? " layer" : " layers", "); beside them ",
                    counts.running_statistics, " running statistics (2×C: mean and variance)");
  }
  absl::StrAppend(&text, "\nBatchNormalization  ",
                  batch_norm_layers_ > 0 ? absl::StrCat(batch_norm_layers_, " as primitive on the stored statistics")
                                         : "no layer left to run",
                  counts.batch_norm_layers > batch_norm_layers_
                      ? absl::StrCat(", ", counts.batch_norm_layers - batch_norm_layers_, " folded into convolutions")
                      : "",
                  "\n");
  absl::StrAppend(&text, "precision  ", Name(options_.precision), "\n");
  absl::StrAppend(&text, "batch  ", batch_form(), "\n");
  absl::StrAppend(&text, "\nlayers for one sample of");
  for (const tensor::Shape& shape : shapes) absl::StrAppend(&text, " ", shape.ToString());
  absl::StrAppend(&text, ", ", plan->arena_bytes(), " bytes of scratch\n");
  std::vector<TableRow> rows = {{"#", "operator", "node", "output", "primitive", "implementation", "attributes"}};
  for (size_t i = 0; i < plan->steps().size(); ++i) rows.push_back(LayerRow(i + 1, plan->steps()[i].info));
  absl::StrAppend(&text, FormatTable(rows));
  return text;
}

}  // namespace stillwave::model
