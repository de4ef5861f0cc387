#include "server/base/quoted.h"

#include <string>

#include "gtest/gtest.h"

namespace stillwave::base {
namespace {

TEST(Quoted, EscapesWhatCannotBePrinted) {
  EXPECT_EQ(Quoted("ecg"), "'ecg'");
  EXPECT_EQ(Quoted(""), "''");
  EXPECT_EQ(Quoted("a\n\x7f"), "'a\\n\\x7f'");
}

TEST(Quoted, SaysThatItCut) {
  const std::string longest(64, 'a');
  EXPECT_EQ(Quoted(longest), "'" + longest + "'");
  EXPECT_EQ(Quoted(longest + "a"), "'" + longest + "...'");
  EXPECT_EQ(Quoted("abcdef", 3), "'abc...'");
}

}  // namespace
}  // namespace stillwave::base
