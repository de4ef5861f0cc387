// Compares the compiled messages with tests/data/triton_wire.tsv, the table of the wire contract, in both directions:
// what the table has must be there as it says, and nothing else may be.
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "gtest/gtest.h"
#include "inference/model_config.pb.h"
#include "inference/open_inference_grpc.pb.h"

namespace stillwave::service {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

// Lines of the table, as sets, so that a failure prints exactly the lines that differ.
using Lines = std::set<std::string>;

std::string ScalarOrName(const FieldDescriptor& field) {
  if (field.message_type() != nullptr) return field.message_type()->full_name();
  if (field.enum_type() != nullptr) return field.enum_type()->full_name();
  return field.type_name();
}

std::string TypeOf(const FieldDescriptor& field) {
  if (field.is_map()) {
    return absl::StrCat("map<", ScalarOrName(*field.message_type()->map_key()), ",",
                        ScalarOrName(*field.message_type()->map_value()), ">");
  }
  return absl::StrCat(field.is_repeated() ? "repeated " : "", ScalarOrName(field));
}

void AddEnum(const EnumDescriptor& type, Lines& lines) {
  for (int i = 0; i < type.value_count(); ++i) {
    lines.insert(absl::StrCat("enum ", type.full_name(), "\t", type.value(i)->name(), "\t", type.value(i)->number()));
  }
}

void AddMessage(const Descriptor& message, Lines& lines) {
  if (message.options().map_entry()) return;
  if (message.field_count() == 0 && message.nested_type_count() == 0) {
    lines.insert(absl::StrCat(message.full_name(), "\t-\t-\t(empty)"));
  }
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    std::string line = absl::StrCat(message.full_name(), "\t", field.name(), "\t", field.number(), "\t", TypeOf(field));
    if (field.containing_oneof() != nullptr) absl::StrAppend(&line, "\toneof ", field.containing_oneof()->name());
    lines.insert(line);
  }
  for (int i = 0; i < message.nested_type_count(); ++i) AddMessage(*message.nested_type(i), lines);
  for (int i = 0; i < message.enum_type_count(); ++i) AddEnum(*message.enum_type(i), lines);
}

void AddServices(const FileDescriptor& file, Lines& lines) {
  for (int s = 0; s < file.service_count(); ++s) {
    const auto& service = *file.service(s);
    for (int i = 0; i < service.method_count(); ++i) {
      const auto& method = *service.method(i);
      lines.insert(absl::StrCat("service ", service.full_name(), "\t", method.name(), "\t\t",
                                method.client_streaming() ? "stream " : "", method.input_type()->full_name(), " -> ",
                                method.server_streaming() ? "stream " : "", method.output_type()->full_name()));
    }
  }
}

Lines CompiledLines() {
  Lines lines;
  for (const FileDescriptor* file :
       {inference::ModelConfig::descriptor()->file(), inference::ModelInferRequest::descriptor()->file()}) {
    for (int i = 0; i < file->message_type_count(); ++i) AddMessage(*file->message_type(i), lines);
    for (int i = 0; i < file->enum_type_count(); ++i) AddEnum(*file->enum_type(i), lines);
    AddServices(*file, lines);
  }
  return lines;
}

Lines TableLines() {
  Lines lines;
  std::ifstream table(STILLWAVE_SOURCE_DIR "/tests/data/triton_wire.tsv");
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || absl::StartsWith(line, "FILE ")) continue;
    lines.insert(std::string(absl::StripTrailingAsciiWhitespace(line)));
  }
  return lines;
}

Lines Minus(const Lines& a, const Lines& b) {
  Lines rest;
  for (const std::string& line : a) {
    if (b.count(line) == 0) rest.insert(line);
  }
  return rest;
}

TEST(WireTable, IsNotEmpty) { EXPECT_GT(TableLines().size(), 350U); }

TEST(WireTable, EveryLineIsCompiledAsItSays) { EXPECT_THAT(Minus(TableLines(), CompiledLines()), testing::IsEmpty()); }

TEST(WireTable, NothingElseIsCompiled) { EXPECT_THAT(Minus(CompiledLines(), TableLines()), testing::IsEmpty()); }

}  // namespace
}  // namespace stillwave::service
