// Counts what parsing would allocate, before it is parsed.
#pragma once

#include "absl/status/status.h"

namespace google::protobuf {
class Descriptor;
namespace io {
class ZeroCopyInputStream;
}
}  // namespace google::protobuf

namespace stillwave::onnx_import {

// RESOURCE_EXHAUSTED when the serialized message of this type has more than kMaxParts messages and strings in it.
// OK for what is not well-formed: the parser says so better. Reads the stream to its end.
absl::Status CheckPartCount(::google::protobuf::io::ZeroCopyInputStream& stream,
                            const ::google::protobuf::Descriptor& type);

}  // namespace stillwave::onnx_import
