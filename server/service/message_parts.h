// What parsing a message would allocate, found out before it is parsed.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>

#include <cstdint>

#include "absl/status/status.h"

namespace stillwave::service {

// A part is what parsing makes an object of its own for: a nested message, an entry of a map, a string, a field that
// the type does not know. An empty one has two bytes on the wire and up to 250 in memory, so that 64 MiB could become
// gigabytes. No request has use for more than a few dozen.
inline constexpr int64_t kMaxMessageParts = 10'000;

// INVALID_ARGUMENT when the serialized message has more than `max_parts` parts. Numbers are none of them: they become
// at most eight times as large. OK for bytes that are no message of the type; parsing refuses them. Reads until the
// answer is known.
absl::Status CheckMessageParts(google::protobuf::io::CodedInputStream& bytes, const google::protobuf::Descriptor& type,
                               int64_t max_parts = kMaxMessageParts);

}  // namespace stillwave::service
