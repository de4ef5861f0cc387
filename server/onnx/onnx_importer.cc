#include "server/onnx/onnx_importer.h"

#include <onnx/onnx_pb.h>
#include <sys/stat.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/graph_importer.h"
#include "server/onnx/names.h"
#include "server/onnx/onnx_reader.h"

namespace stillwave::onnx_import {
namespace {

absl::StatusOr<graph::Graph> ImportModel(::onnx::ModelProto& model, const std::string& data_folder,
                                         Metadata* metadata) {
  GraphImportOptions options;
  ASSIGN_OR_RETURN(options.opset, CheckModel(model));
  for (const auto& import : model.opset_import()) options.domains.insert(import.domain());
  options.data_folder = data_folder;
  if (metadata != nullptr) {
    for (const auto& entry : model.metadata_props()) metadata->emplace_back(entry.key(), entry.value());
  }
  return ImportGraph(*model.mutable_graph(), std::move(options));
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// No exporter points into the model's own messages, and what lies there are no weights.
absl::Status CheckDataFiles(const ::onnx::GraphProto& graph, const std::string& path) {
  struct stat model {};
  if (stat(path.c_str(), &model) != 0) return absl::OkStatus();
  for (const auto& initializer : graph.initializer()) {
    for (const auto& entry : initializer.external_data()) {
      struct stat data {};
      if (entry.key() != "location" || stat((FolderOf(path) + "/" + entry.value()).c_str(), &data) != 0) continue;
      if (data.st_dev != model.st_dev || data.st_ino != model.st_ino) continue;
      return absl::InvalidArgumentError(absl::StrCat("initializer ", Quoted(initializer.name()),
                                                     ": external data must lie in a file beside the model; ",
                                                     Quoted(entry.value()), " is the model itself"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<graph::Graph> ImportFile(const std::string& path, Metadata* metadata) {
  ASSIGN_OR_RETURN(const std::unique_ptr<::onnx::ModelProto> model, ReadModelFile(path));
  RETURN_IF_ERROR(CheckDataFiles(model->graph(), path));
  return ImportModel(*model, FolderOf(path), metadata);
}

absl::StatusOr<graph::Graph> ImportBytes(absl::string_view bytes, const std::string& data_folder, Metadata* metadata) {
  ASSIGN_OR_RETURN(const std::unique_ptr<::onnx::ModelProto> model, ParseModel(bytes));
  return ImportModel(*model, data_folder, metadata);
}

}  // namespace stillwave::onnx_import
