#include "server/onnx/names.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/onnx/limits.h"
#include "tests/support/status_matchers.h"

namespace stillwave::onnx_import {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(IsPlainText, TakesUtf8OfEveryLength) {
  EXPECT_TRUE(IsPlainText(""));
  EXPECT_TRUE(IsPlainText("conv1/weight:0"));
  EXPECT_TRUE(IsPlainText("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"));  // é € and an emoji
  EXPECT_TRUE(IsPlainText("\xf4\x8f\xbf\xbf"));                        // U+10FFFF
}

TEST(IsPlainText, RefusesControlCharactersAndMalformedUtf8) {
  for (const absl::string_view text :
       {absl::string_view("a\nb"), absl::string_view("a\0b", 3), absl::string_view("\x7f"), absl::string_view("\xff"),
        absl::string_view("\x80"), absl::string_view("\xc3"), absl::string_view("\xe2\x82"),
        absl::string_view("\xc0\x80"),          // overlong
        absl::string_view("\xe0\x80\x80"),      // overlong
        absl::string_view("\xf0\x80\x80\x80"),  // overlong
        absl::string_view("\xed\xa0\x80"),      // a surrogate
        absl::string_view("\xf4\x90\x80\x80"),  // beyond U+10FFFF
        absl::string_view("\xf5\x80\x80\x80")}) {
    EXPECT_FALSE(IsPlainText(text)) << Quoted(text);
  }
}

TEST(Quoted, EscapesWhatIsNotPlainAndCutsWhatIsLong) {
  EXPECT_EQ(Quoted("r"), "'r'");
  EXPECT_EQ(Quoted("a\n\xff"), "'a\\n\\xff'");
  const std::string quoted = Quoted(std::string(1000, 'r'));
  EXPECT_LT(quoted.size(), 200U);
  EXPECT_THAT(quoted, HasSubstr("..."));
}

TEST(CheckName, NamesTheFault) {
  EXPECT_THAT(CheckName("conv1", "node"), IsOk());
  EXPECT_THAT(CheckName(std::string(kMaxNameLength, 'a'), "node"), IsOk());
  EXPECT_THAT(CheckName(std::string(kMaxNameLength + 1, 'a'), "node"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("must not exceed 4096 bytes; has 4097")));
  EXPECT_THAT(CheckName("a\xff", "value"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("value 'a\\xff' must be UTF-8")));
}

TEST(NearNames, FindsTypingErrorsAndParts) {
  EXPECT_THAT(NearNames("Rleu", {"Relu", "Conv"}), IsEmpty());
  EXPECT_THAT(NearNames("Reluu", {"Relu", "Conv"}), ElementsAre("Relu"));
  EXPECT_THAT(NearNames("relu", {"Relu", "Conv"}), ElementsAre("Relu"));
  EXPECT_THAT(NearNames("FusedConv", {"Relu", "Conv"}), ElementsAre("Conv"));
  EXPECT_THAT(NearNames("GlobalAvragePool", {"AveragePool", "GlobalAveragePool", "GlobalMaxPool"}),
              ElementsAre("GlobalAveragePool", "GlobalMaxPool"));
  EXPECT_THAT(NearNames("If", {"Div", "Elu"}), IsEmpty());
}

TEST(NearNames, GivesEachNameOnceAndThreeAtMost) {
  EXPECT_THAT(NearNames("Add", {"Add1", "Add1", "Add2", "Add3", "Add4"}), ElementsAre("Add1", "Add2", "Add3"));
}

}  // namespace
}  // namespace stillwave::onnx_import
