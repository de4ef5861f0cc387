// docs/operators.md is written from the table of converters: this test fails when the file is stale, and writes it when
// it is run with --update.
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "server/onnx/limits.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

constexpr char kPath[] = STILLWAVE_SOURCE_DIR "/docs/operators.md";

std::string Range(int64_t first, int64_t last, int64_t unbounded) {
  if (last >= unbounded) return absl::StrCat(first, " or more");
  return first == last ? absl::StrCat(first) : absl::StrCat(first, "–", last);
}

std::string Row(const OpConverter& row) {
  const std::string opsets = row.last_opset == kMaxOpset ? absl::StrCat(row.first_opset, " on")
                                                         : Range(row.first_opset, row.last_opset, kMaxOpset);
  return absl::StrCat("| ", row.name, " | ", opsets, " | ", Range(row.min_inputs, row.max_inputs, kMaxNodeInputs),
                      " | ", row.max_outputs == kMaxNodeOutputs ? "any" : absl::StrCat(row.max_outputs), " | ",
                      absl::StrJoin(row.attributes, ", "), " |\n");
}

// How many operators there are, whatever the number of their spellings.
size_t CountOperators() {
  size_t count = 0;
  absl::string_view last;
  for (const OpConverter& row : OpConverters()) {
    if (row.name != last) ++count;
    last = row.name;
  }
  return count;
}

std::string Page() {
  std::string page = absl::StrCat(
      "# Operators\n\n"
      "<!-- Written from server/onnx/op_converters.cc by `build/<preset>/bin/operators_doc_test --update`. -->\n\n"
      "The ",
      CountOperators(), " operators of ONNX's own domain that models may contain, at opsets ", kMinOpset, " to ",
      kMaxOpset, " and IR versions ", kMinIrVersion, " to ", kMaxIrVersion,
      ". One row for each range of opsets in which an operator is spelled alike.\n"
      "An attribute, an input or an output that is not listed for its opset is refused by name; so is a value of one "
      "that the server\ncannot honor. Inputs that give shapes, axes, scales and the like must follow from the weights "
      "and the input shapes.\n\n"
      "| operator | opsets | inputs | outputs | attributes |\n"
      "|---|---|---|---|---|\n");
  for (const OpConverter& row : OpConverters()) absl::StrAppend(&page, Row(row));
  return page;
}

TEST(OperatorsDoc, IsWhatTheTableSays) {
  std::ifstream file(kPath, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_TRUE(text == Page()) << kPath << " is stale: run operators_doc_test --update";
}

void Update() { std::ofstream(kPath, std::ios::binary) << Page(); }

}  // namespace
}  // namespace stillwave::onnx_import

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc > 1 && std::string(argv[1]) == "--update") stillwave::onnx_import::Update();
  return RUN_ALL_TESTS();
}
