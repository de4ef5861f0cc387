#include "server/onnx/wire_scan.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "server/onnx/limits.h"

namespace stillwave::onnx_import {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::internal::WireFormatLite;
using ::google::protobuf::io::CodedInputStream;

// As deep as protobuf's parser goes.
constexpr int kMaxDepth = 100;

class PartCounter {
 public:
  explicit PartCounter(CodedInputStream& input) : input_(input) {}

  bool too_many() const { return parts_ > kMaxParts; }

  // False where the scan ends early: too many parts, or not well-formed.
  bool ScanMessage(const Descriptor& type, int depth) {
    if (depth > kMaxDepth) return false;
    while (const uint32_t tag = input_.ReadTag()) {
      if (WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
        if (!ScanLengthDelimited(type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag)), depth)) return false;
      } else if (!WireFormatLite::SkipField(&input_, tag)) {
        return false;
      }
    }
    return input_.ConsumedEntireMessage();
  }

 private:
  bool ScanLengthDelimited(const FieldDescriptor* field, int depth) {
    uint32_t length = 0;
    if (!input_.ReadVarint32(&length) || length > INT32_MAX) return false;
    ++parts_;
    if (too_many()) return false;
    if (field == nullptr || field->type() != FieldDescriptor::TYPE_MESSAGE) {
      return input_.Skip(static_cast<int>(length));
    }
    const CodedInputStream::Limit limit = input_.PushLimit(static_cast<int>(length));
    const bool whole = ScanMessage(*field->message_type(), depth + 1);
    input_.PopLimit(limit);
    return whole;
  }

  CodedInputStream& input_;
  int64_t parts_ = 0;
};

}  // namespace

absl::Status CheckPartCount(::google::protobuf::io::ZeroCopyInputStream& stream, const Descriptor& type) {
  CodedInputStream input(&stream);
  PartCounter counter(input);
  counter.ScanMessage(type, /*depth=*/0);
  if (!counter.too_many()) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("a model must not have more than ", kMaxParts, " messages and strings in it"));
}

}  // namespace stillwave::onnx_import
