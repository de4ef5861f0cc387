#include "client/npy_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "tests/client/exit_matchers.h"

namespace stillwave::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Npy(const std::string& dictionary, const std::string& data, int major = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(major);
  bytes += '\0';
  const size_t length = dictionary.size();
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i) bytes += static_cast<char>(length >> (8 * i) & 0xff);
  return bytes + dictionary + data;
}

std::string Header(const std::string& descr, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape +
         ", }\n";
}

template <typename T>
std::string Bytes(std::initializer_list<T> values) {
  return std::string(reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T));
}

TEST(NpyReader, ReadsEveryElementTypeAsFp32) {
  const std::pair<const char*, std::string> cases[] = {
      {"<f4", Bytes<float>({-1, 2, 100})},   {"<f8", Bytes<double>({-1, 2, 100})},
      {"<i2", Bytes<int16_t>({-1, 2, 100})}, {"<i4", Bytes<int32_t>({-1, 2, 100})},
      {"<i8", Bytes<int64_t>({-1, 2, 100})}, {"|i1", Bytes<int8_t>({-1, 2, 100})},
  };
  for (const auto& [descr, data] : cases) {
    const auto array = ParseNpy(Npy(Header(descr, "(3,)"), data), "x.npy");
    ASSERT_THAT(array, Succeeds()) << descr;
    EXPECT_THAT(array->shape, ElementsAre(3)) << descr;
    EXPECT_THAT(array->values, ElementsAre(-1, 2, 100)) << descr;
  }
  const auto bytes = ParseNpy(Npy(Header("|u1", "(2,)"), Bytes<uint8_t>({255, 0})), "x.npy");
  ASSERT_THAT(bytes, Succeeds());
  EXPECT_THAT(bytes->values, ElementsAre(255, 0));
  const auto words = ParseNpy(Npy(Header("<u2", "(2,)"), Bytes<uint16_t>({65535, 0})), "x.npy");
  ASSERT_THAT(words, Succeeds());
  EXPECT_THAT(words->values, ElementsAre(65535, 0));
}

TEST(NpyReader, ReadsVersionsOneToThree) {
  for (const int major : {1, 2, 3}) {
    const auto array = ParseNpy(Npy(Header("<f4", "(2,)"), Bytes<float>({5, 6}), major), "x.npy");
    ASSERT_THAT(array, Succeeds()) << major;
    EXPECT_THAT(array->values, ElementsAre(5, 6)) << major;
  }
  EXPECT_THAT(ParseNpy(Npy(Header("<f4", "(2,)"), Bytes<float>({5, 6}), 4), "x.npy"),
              FailsWith(ExitCode::kBadInput, HasSubstr("version must be 1, 2 or 3; was 4")));
}

TEST(NpyReader, TurnsFortranOrderIntoRowMajor) {
  // [[1,2,3],[4,5,6]] column by column.
  const auto array = ParseNpy(Npy(Header("<f4", "(2, 3)", /*fortran=*/true), Bytes<float>({1, 4, 2, 5, 3, 6})), "x");
  ASSERT_THAT(array, Succeeds());
  EXPECT_THAT(array->shape, ElementsAre(2, 3));
  EXPECT_THAT(array->values, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(NpyReader, TurnsFortranOrderOfThreeAxesIntoRowMajor) {
  // a[i][j][k] = 100i + 10j + k for shape {2,2,2}; the first axis runs fastest in the file.
  const auto array = ParseNpy(
      Npy(Header("<f4", "(2, 2, 2)", /*fortran=*/true), Bytes<float>({0, 100, 10, 110, 1, 101, 11, 111})), "x");
  ASSERT_THAT(array, Succeeds());
  EXPECT_THAT(array->values, ElementsAre(0, 1, 10, 11, 100, 101, 110, 111));
}

TEST(NpyReader, TakesTheHeadersKeysInAnyOrderAndHeadersLongerThan127Bytes) {
  std::string header = "{'shape': (2,), \"fortran_order\": False, 'descr': '<f4'}";
  header.resize(200, ' ');
  const auto array = ParseNpy(Npy(header, Bytes<float>({5, 6})), "x.npy");
  ASSERT_THAT(array, Succeeds());
  EXPECT_THAT(array->values, ElementsAre(5, 6));
}

TEST(NpyReader, CountsValuesThatAreNotFiniteAndLetsThemThrough) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const auto array = ParseNpy(Npy(Header("<f4", "(3,)"), Bytes<float>({nan, 1, -infinity})), "x.npy");
  ASSERT_THAT(array, Succeeds());
  EXPECT_EQ(array->not_finite, 2);
  EXPECT_TRUE(std::isnan(array->values[0]));
  EXPECT_EQ(array->values[2], -infinity);
}

TEST(NpyReader, RefusesNumbersThatDoNotFitIntoFp32) {
  EXPECT_THAT(ParseNpy(Npy(Header("<f8", "(2,)"), Bytes<double>({1, 1e300})), "x.npy"),
              FailsWith(ExitCode::kBadInput, HasSubstr("x.npy: element 1 is 1e+300, which does not fit into FP32")));
}

TEST(NpyReader, RefusesEveryTruncation) {
  const std::string whole = Npy(Header("<f4", "(2, 2)"), Bytes<float>({1, 2, 3, 4}));
  ASSERT_THAT(ParseNpy(whole, "x.npy"), Succeeds());
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THAT(ParseNpy(absl::string_view(whole).substr(0, length), "x.npy"),
                FailsWith(ExitCode::kBadInput, HasSubstr("x.npy: ")))
        << length;
  }
  EXPECT_THAT(ParseNpy(whole + "x", "x.npy"),
              FailsWith(ExitCode::kBadInput, HasSubstr("shape [2,2] of <f4 takes 16 bytes; the file has 17")));
}

struct BadHeader {
  const char* name;
  std::string dictionary;
  const char* message;
};

class BadNpyHeader : public testing::TestWithParam<BadHeader> {};

TEST_P(BadNpyHeader, IsRefusedWithItsReason) {
  EXPECT_THAT(ParseNpy(Npy(GetParam().dictionary, Bytes<float>({1, 2})), "x.npy"),
              FailsWith(ExitCode::kBadInput, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadNpyHeader,
    testing::Values(
        BadHeader{"big_endian", Header(">f4", "(2,)"), "element type must be one of <f4"},
        BadHeader{"complex_numbers", Header("<c8", "(1,)"), "was '<c8'"},
        BadHeader{"structured", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", "structured"},
        BadHeader{"scalar", Header("<f4", "()"), "a scalar holds no samples"},
        BadHeader{"empty_axis", Header("<f4", "(0,)"), "shape [0] holds no samples"},
        BadHeader{"negative_axis", Header("<f4", "(-2,)"), "must hold integers"},
        BadHeader{"too_many_axes", Header("<f4", "(1, 1, 1, 1, 2)"), "more than 4 dimensions"},
        BadHeader{"overflowing_shape", Header("<f4", "(4294967296, 4294967296)"), "more than 268435456 values"},
        BadHeader{"dimension_over_int64", Header("<f4", "(99999999999999999999,)"), "must hold integers"},
        BadHeader{"missing_key", "{'descr': '<f4', 'shape': (2,)}", "must have 'descr', 'fortran_order' and 'shape'"},
        BadHeader{"key_twice", "{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", "twice"},
        BadHeader{"unknown_key", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", "unknown key 'x'"},
        BadHeader{"no_boolean", "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", "must be True or False"},
        BadHeader{"open_quote", "{'descr': '<f4", "a quote is not closed"},
        BadHeader{"text_after", Header("<f4", "(2,)") + "x", "text after the dictionary"},
        BadHeader{"no_dictionary", "()", "'{' expected"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(NpyReader, RefusesAHeaderLengthThatNoFileNeeds) {
  std::string bytes = "\x93NUMPY";
  bytes += '\x02';
  bytes += '\0';
  bytes += std::string("\xff\xff\xff\x7f", 4);
  EXPECT_THAT(ParseNpy(bytes, "x.npy"), FailsWith(ExitCode::kBadInput, HasSubstr("header must be at most 65536")));
}

}  // namespace
}  // namespace stillwave::client
