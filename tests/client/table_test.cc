#include "client/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/text_width.h"

namespace stillwave::client {
namespace {

TEST(Table, AlignsColumnsAndEndsLinesWithoutSpaces) {
  EXPECT_EQ(RenderTable({{"name"}, {"n", Align::kRight}, {"note"}}, {{"a", "1", ""}, {"longer", "100", "x"}}),
            "name      n  note\n"
            "a         1\n"
            "longer  100  x\n");
}

TEST(Table, CountsCellsAndNotBytes) {
  EXPECT_EQ(RenderTable({{"a"}, {"b"}}, {{"né", "1"}, {"心電", "2"}, {"e\xcc\x81", "3"}}),
            "a     b\n"
            "né    1\n"
            "心電  2\n"
            "e\xcc\x81     3\n");
}

TEST(Table, KeepsControlCharactersOutOfTheTerminal) {
  EXPECT_EQ(RenderTable({{"a"}}, {{"x\x1b[31m\ny"}}), "a\nx\\x1b[31m\\ny\n");
}

TEST(Table, KeepsMinimumWidthsFromTheFirstLineOn) {
  TableLayout layout({{"label", Align::kLeft, 8}, {"x"}});
  EXPECT_EQ(layout.HeaderLine(), "label     x\n");
  EXPECT_EQ(layout.Line({"ab", "1"}), "ab        1\n");
}

TEST(TextWidth, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(EscapeControlCharacters("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(EscapeControlCharacters("naïve"), "naïve");
  EXPECT_EQ(EscapeControlCharacters(absl::string_view("a\0b\t", 4)), "a\\x00b\\t");
  EXPECT_EQ(EscapeControlCharacters("a\xc2\x9b"
                                    "1m"),
            "a\\xc2\\x9b1m")
      << "C1 controls steer terminals as well";
}

TEST(TextWidth, CountsWideAndCombiningCharacters) {
  EXPECT_EQ(TextWidth("abc"), 3);
  EXPECT_EQ(TextWidth("心"), 2);
  EXPECT_EQ(TextWidth("e\xcc\x81"), 1);
  EXPECT_EQ(TextWidth(""), 0);
}

}  // namespace
}  // namespace stillwave::client
