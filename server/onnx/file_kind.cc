#include "server/onnx/file_kind.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace stillwave::onnx_import {
namespace {

struct Signature {
  size_t offset;
  absl::string_view bytes;
  absl::string_view sentence;
};

constexpr Signature kSignatures[] = {
    {0, "version https://git-lfs",
     "this is a Git LFS pointer, not the model: fetch the file itself with `git lfs pull`"},
    {0, "PK\x03\x04",
     "this is a zip archive (as torch.save writes), not an ONNX model: export the network with torch.onnx.export"},
    {0, "\x1f\x8b", "this is a gzip archive, not an ONNX model: unpack it first"},
    {0, "\x80\x02", "this is a Python pickle, not an ONNX model: export the network with torch.onnx.export"},
    {0, "\x89HDF\r\n", "this is a HDF5 (Keras) model, not an ONNX model: convert it with tf2onnx"},
    {4, "TFL3", "this is a TensorFlow Lite model, not an ONNX model: convert it with tf2onnx"},
};

// A ModelProto begins with a small tag byte (0x08 as a rule), so a head of printable text alone is none.
bool LooksLikeText(absl::string_view head) {
  constexpr size_t kEnough = 32;
  return head.size() >= kEnough && std::all_of(head.begin(), head.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return absl::ascii_isprint(byte) || c == '\n' || c == '\r' || c == '\t';
         });
}

}  // namespace

absl::Status CheckFileKind(absl::string_view head) {
  if (head.empty()) return absl::InvalidArgumentError("the file is empty, not an ONNX model");
  head = head.substr(0, kFileKindBytes);
  for (const Signature& signature : kSignatures) {
    if (head.size() >= signature.offset && absl::StartsWith(head.substr(signature.offset), signature.bytes)) {
      return absl::InvalidArgumentError(signature.sentence);
    }
  }
  const absl::string_view text = absl::StripLeadingAsciiWhitespace(head);
  if (absl::StartsWithIgnoreCase(text, "<!doctype") || absl::StartsWithIgnoreCase(text, "<html")) {
    return absl::InvalidArgumentError(
        "this is a web page (HTML), not an ONNX model: the download probably gave an error page");
  }
  if (LooksLikeText(head)) return absl::InvalidArgumentError("this is a text file, not an ONNX model");
  return absl::OkStatus();
}

}  // namespace stillwave::onnx_import
