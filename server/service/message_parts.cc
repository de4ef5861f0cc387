#include "server/service/message_parts.h"

#include <google/protobuf/wire_format_lite.h>

#include "absl/strings/str_cat.h"

namespace stillwave::service {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;

// As deep as Protocol Buffers parse.
constexpr int kMaxNesting = 100;

class PartCounter {
 public:
  PartCounter(google::protobuf::io::CodedInputStream& bytes, int64_t left) : bytes_(bytes), left_(left) {}

  // Reads to the end of a message, or of a group when `group` is set; false when the answer is known before: there are
  // too many parts, or the bytes are no message. `type` is null for what the type above does not know.
  bool ReadMessage(const Descriptor* type, bool group, int nesting) {
    if (nesting > kMaxNesting) return false;
    while (const uint32_t tag = bytes_.ReadTag()) {
      if (WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_END_GROUP) return group;
      const FieldDescriptor* const field =
          type == nullptr ? nullptr : type->FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
      if (!ReadField(tag, field, nesting) || left_ < 0) return false;
    }
    return !group;
  }

  bool too_many() const { return left_ < 0; }

 private:
  bool ReadField(uint32_t tag, const FieldDescriptor* field, int nesting) {
    const bool number = field != nullptr && FieldDescriptor::IsTypePackable(field->type());
    switch (WireFormatLite::GetTagWireType(tag)) {
      case WireFormatLite::WIRETYPE_START_GROUP:
        --left_;
        return ReadMessage(nullptr, /*group=*/true, nesting + 1);
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
        if (!number || !field->is_repeated()) --left_;
        return ReadDelimited(field, nesting);
      default:
        if (!number) --left_;
        return WireFormatLite::SkipField(&bytes_, tag);
    }
  }

  bool ReadDelimited(const FieldDescriptor* field, int nesting) {
    int size = 0;
    if (!bytes_.ReadVarintSizeAsInt(&size)) return false;
    if (field == nullptr || field->type() != FieldDescriptor::TYPE_MESSAGE) return bytes_.Skip(size);
    const auto limit = bytes_.PushLimit(size);
    const bool whole =
        ReadMessage(field->message_type(), /*group=*/false, nesting + 1) && bytes_.BytesUntilLimit() <= 0;
    bytes_.PopLimit(limit);
    return whole;
  }

  google::protobuf::io::CodedInputStream& bytes_;
  int64_t left_;
};

}  // namespace

absl::Status CheckMessageParts(google::protobuf::io::CodedInputStream& bytes, const Descriptor& type,
                               int64_t max_parts) {
  PartCounter counter(bytes, max_parts);
  counter.ReadMessage(&type, /*group=*/false, /*nesting=*/0);
  if (!counter.too_many()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(type.name(), " must have at most ", max_parts,
                                                 " nested messages, strings and unknown fields; had more"));
}

}  // namespace stillwave::service
