#include "server/onnx/onnx_importer.h"

#include <onnx/onnx_pb.h>

#include <memory>
#include <utility>

#include "server/base/status_macros.h"
#include "server/onnx/graph_importer.h"
#include "server/onnx/onnx_reader.h"

namespace stillwave::onnx_import {
namespace {

absl::StatusOr<graph::Graph> ImportModel(::onnx::ModelProto& model, const std::string& data_folder) {
  GraphImportOptions options;
  ASSIGN_OR_RETURN(options.opset, CheckModel(model));
  for (const auto& import : model.opset_import()) options.domains.insert(import.domain());
  options.data_folder = data_folder;
  return ImportGraph(*model.mutable_graph(), std::move(options));
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

absl::StatusOr<graph::Graph> ImportFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<::onnx::ModelProto> model, ReadModelFile(path));
  return ImportModel(*model, FolderOf(path));
}

absl::StatusOr<graph::Graph> ImportBytes(absl::string_view bytes, const std::string& data_folder) {
  ASSIGN_OR_RETURN(const std::unique_ptr<::onnx::ModelProto> model, ParseModel(bytes));
  return ImportModel(*model, data_folder);
}

}  // namespace stillwave::onnx_import
