#include "server/onnx/onnx_reader.h"

#include <fcntl.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <onnx/onnx_pb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/file_kind.h"
#include "server/onnx/limits.h"
#include "server/onnx/names.h"
#include "server/onnx/wire_scan.h"

namespace stillwave::onnx_import {
namespace {

namespace io = ::google::protobuf::io;

constexpr int kBlockBytes = 1 << 16;

absl::StatusOr<std::unique_ptr<::onnx::ModelProto>> ParseStream(io::ZeroCopyInputStream* stream) {
  auto model = std::make_unique<::onnx::ModelProto>();
  io::CodedInputStream coded(stream);
  if (!model->ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage()) {
    return absl::InvalidArgumentError(
        "this is not a whole ONNX model: it is cut off, damaged, or nested deeper than 100 levels");
  }
  return model;
}

absl::Status CheckOpenFile(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return absl::InternalError(absl::StrCat("cannot stat: ", std::strerror(errno)));
  if (S_ISDIR(info.st_mode)) return absl::InvalidArgumentError("a model must be a regular file; this is a directory");
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError("a model must be a regular file");
  if (info.st_size > kMaxModelBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("a model must not exceed ", kMaxModelBytes, " bytes; has ",
                                                     info.st_size, " (larger weights go into external data)"));
  }
  return absl::OkStatus();
}

absl::Status CheckVersion(absl::string_view what, int64_t version, int64_t least, int64_t most) {
  if (version >= least && version <= most) return absl::OkStatus();
  const std::string words = absl::StrCat(what, " must be from ", least, " to ", most, "; was ", version);
  // Versions count from 1, so a smaller number is a fault of the file, not of its age.
  return version < 1 ? absl::InvalidArgumentError(words) : absl::UnimplementedError(words);
}

absl::StatusOr<int64_t> CheckOpsetImports(const ::onnx::ModelProto& model) {
  int64_t opset = 0;
  bool found = false;
  for (const auto& import : model.opset_import()) {
    // Tools list domains that no node uses, so only the node that does is refused, later.
    if (!import.domain().empty() && import.domain() != "ai.onnx") continue;
    if (found) {
      return absl::InvalidArgumentError(absl::StrCat("opset_import must list ONNX's own domain once; lists opset ",
                                                     opset, " and opset ", import.version()));
    }
    found = true;
    opset = import.version();
  }
  if (!found) return absl::InvalidArgumentError("opset_import must list ONNX's own domain; it does not");
  RETURN_IF_ERROR(CheckVersion("opset", opset, kMinOpset, kMaxOpset));
  return opset;
}

}  // namespace

absl::StatusOr<std::unique_ptr<::onnx::ModelProto>> ParseModel(absl::string_view bytes) {
  if (bytes.size() > static_cast<size_t>(kMaxModelBytes)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a model must not exceed ", kMaxModelBytes, " bytes; has ", bytes.size()));
  }
  RETURN_IF_ERROR(CheckFileKind(bytes));
  io::ArrayInputStream scanned(bytes.data(), static_cast<int>(bytes.size()));
  RETURN_IF_ERROR(CheckPartCount(scanned, *::onnx::ModelProto::descriptor()));
  io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  return ParseStream(&stream);
}

absl::StatusOr<std::unique_ptr<::onnx::ModelProto>> ReadModelFile(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const std::string words = absl::StrCat("cannot open the model: ", std::strerror(errno));
    return errno == ENOENT || errno == ENOTDIR ? absl::NotFoundError(words) : absl::InvalidArgumentError(words);
  }
  const absl::Cleanup close_file = [fd] { close(fd); };
  RETURN_IF_ERROR(CheckOpenFile(fd));
  char head[kFileKindBytes];
  const ssize_t count = pread(fd, head, sizeof(head), 0);
  if (count < 0) return absl::InvalidArgumentError(absl::StrCat("cannot read the model: ", std::strerror(errno)));
  RETURN_IF_ERROR(CheckFileKind(absl::string_view(head, static_cast<size_t>(count))));
  io::FileInputStream scanned(fd, kBlockBytes);
  RETURN_IF_ERROR(CheckPartCount(scanned, *::onnx::ModelProto::descriptor()));
  if (lseek(fd, 0, SEEK_SET) != 0) return absl::InternalError("cannot read the model twice");
  io::FileInputStream stream(fd, kBlockBytes);
  return ParseStream(&stream);
}

absl::StatusOr<int64_t> CheckModel(const ::onnx::ModelProto& model) {
  if (!model.has_graph()) return absl::InvalidArgumentError("this is not an ONNX model: it has no graph");
  RETURN_IF_ERROR(CheckVersion("ir_version", model.ir_version(), kMinIrVersion, kMaxIrVersion));
  if (model.functions_size() > 0) {
    return absl::UnimplementedError(absl::StrCat("model-local functions are not supported; the model has ",
                                                 Quoted(model.functions(0).name()), ": inline them before export"));
  }
  if (model.training_info_size() > 0) {
    return absl::FailedPreconditionError(
        "the model holds training_info: export it for inference (`model.eval()` before torch.onnx.export)");
  }
  return CheckOpsetImports(model);
}

}  // namespace stillwave::onnx_import
