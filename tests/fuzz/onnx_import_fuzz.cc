// Any bytes whatever must give a graph that keeps the IR's invariants, or an error with words.
#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/base/check.h"
#include "server/graph/graph_verifier.h"
#include "server/onnx/frozen_check.h"
#include "server/onnx/onnx_importer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stillwave;  // NOLINT: a fuzz entry lies outside every namespace
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<graph::Graph> graph = onnx_import::ImportBytes(bytes, /*data_folder=*/"");
  if (!graph.ok()) {
    SW_CHECK(!graph.status().message().empty());
    return 0;
  }
  SW_CHECK_OK(graph::VerifyGraph(*graph));
  const absl::Status frozen = onnx_import::CheckFrozen(*graph);
  SW_CHECK(frozen.ok() || !frozen.message().empty());
  return 0;
}
