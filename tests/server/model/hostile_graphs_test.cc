// Small files that ask for much: each is refused or served within the limits of load_process.h.
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/model/load_process.h"
#include "tests/support/onnx_file.h"

namespace stillwave::model {
namespace {

using nlohmann::json;
using test_support::OnnxFile;
using ::testing::HasSubstr;

json Try(const OnnxFile& file) {
  const auto* const test = ::testing::UnitTest::GetInstance()->current_test_info();
  const std::string path = file.Write(absl::StrCat(test->test_suite_name(), "_", test->name(), ".onnx"));
  json report = LoadAndRun(path);
  std::filesystem::remove(path);
  EXPECT_TRUE(report.is_object());
  return report;
}

void ExpectServed(const OnnxFile& file) {
  const json report = Try(file);
  ASSERT_TRUE(report.contains("run")) << report;
  EXPECT_EQ(report["run"]["code"], "OK") << report;
}

void ExpectRefused(const OnnxFile& file, const std::string& words) {
  const json report = Try(file);
  ASSERT_TRUE(report.contains("load"));
  EXPECT_NE(report["load"]["code"], "OK") << report;
  EXPECT_THAT(report["load"]["message"].get<std::string>(), HasSubstr(words));
}

OnnxFile Start(const std::vector<int64_t>& dims = {-1, 3, -1}) { return OnnxFile().Input("x", dims); }

// `count` nodes of one input behind x; the last one's output is the graph's.
void AddChain(OnnxFile& file, const std::string& op, int count) {
  for (int i = 0; i < count; ++i) file.Node(op, {i == 0 ? "x" : absl::StrCat("v", i - 1)}, absl::StrCat("v", i));
  file.Output(absl::StrCat("v", count - 1));
}

TEST(HostileGraphTest, AChainOf100000LayersThatDoNotCollapseIsBounded) {
  OnnxFile file = Start();
  AddChain(file, "Sigmoid", 100'000);
  ExpectRefused(file, "layers");
}

TEST(HostileGraphTest, EmptyMessagesThatFillTheMemoryAreCountedBeforeTheyAreMade) {
  OnnxFile file = Start();
  file.EmptyInitializers(3'000'000);
  ExpectRefused(file.Output("x"), "messages and strings");
}

TEST(HostileGraphTest, ManyLayersAreServed) {
  OnnxFile file = Start();
  AddChain(file, "Tanh", 2'000);
  ExpectServed(file);
}

TEST(HostileGraphTest, ConstantsThatAreEachWithinTheLimitAreBoundedTogether) {
  OnnxFile file = Start();
  file.Integers("shape", {1, 1, 16 << 20});
  std::vector<std::string> constants = {"x"};
  for (int i = 0; i < 100; ++i) {
    constants.push_back(absl::StrCat("c", i));
    file.Node("ConstantOfShape", {"shape"}, constants.back());
  }
  file.Node("Concat", constants, "y", {}, {{"axis", 1}}).Output("y");
  ExpectRefused(file, "computing the network's constants");
}

TEST(HostileGraphTest, WorkOnConstantsIsBounded) {
  OnnxFile file = Start();
  file.Integers("small", {1, 1, 1}).Integers("large", {1, 1, 16 << 20});
  file.Node("ConstantOfShape", {"small"}, "v");
  std::string value = "v";
  for (int i = 0; i < 1000; ++i) {  // a few bytes in and out of each pair, 64 MiB between
    file.Node("Expand", {value, "large"}, absl::StrCat("e", i));
    file.Node("ReduceMean", {absl::StrCat("e", i)}, absl::StrCat("m", i), {{"axes", {2}}});
    value = absl::StrCat("m", i);
  }
  file.Node("Add", {"x", value}, "y").Output("y");
  ExpectRefused(file, "computing the network's constants");
}

TEST(HostileGraphTest, NodesOfOneNameBesideTheirNumberedNamesAreNamedInLinearTime) {
  OnnxFile file = Start();
  constexpr int kCount = 30'000;
  std::string value = "x";
  for (int i = 0; i < 2 * kCount; ++i) {
    const std::string next = absl::StrCat("v", i);
    file.Node("Identity", {value}, next, {}, {}, i < kCount ? absl::StrCat("n#", i) : "n");
    value = next;
  }
  file.Node("Relu", {value}, "y").Output("y");
  ExpectServed(file);
}

TEST(HostileGraphTest, ManySmallWeightsArePackedInLinearTime) {
  OnnxFile file = Start();
  std::string value = "x";
  for (int i = 0; i < 1'000; ++i) {
    const std::string weight = absl::StrCat("w", i);
    file.Weight(weight, {3, 1, 1}, {1, 1, 1});
    file.Node("Conv", {value, weight}, absl::StrCat("v", i), {}, {{"group", 3}});
    value = absl::StrCat("v", i);
  }
  file.Output(value);
  Try(file);
}

TEST(HostileGraphTest, ManyValuesAliveAtOnceArePlannedInTime) {
  OnnxFile file = Start();
  constexpr int kCount = 2'000;
  for (int i = 0; i < kCount; ++i) file.Node("Sigmoid", {"x"}, absl::StrCat("v", i));
  std::string sum = "x";
  for (int i = 0; i < kCount; ++i) {
    file.Node("Add", {sum, absl::StrCat("v", i * 7919 % kCount)}, absl::StrCat("s", i));
    sum = absl::StrCat("s", i);
  }
  file.Output(sum);
  ExpectServed(file);
}

TEST(HostileGraphTest, ManyWideNodesAreBounded) {
  OnnxFile file = Start();
  std::string value = "x";
  for (int i = 0; i < 100; ++i) {
    file.Node("Concat", std::vector<std::string>(4096, value), absl::StrCat("c", i), {}, {{"axis", 1}});
    file.Node("ReduceMean", {absl::StrCat("c", i)}, absl::StrCat("m", i), {{"axes", {1}}});
    value = absl::StrCat("m", i);
  }
  file.Output(value);
  Try(file);
}

TEST(HostileGraphTest, SeveralOpenAxesWarmUpForALengthThatIsCheap) {
  OnnxFile file = Start({-1, 32, -1, -1, -1});
  file.Weight("w", {32, 32, 3, 3, 3}, std::vector<float>(32 * 32 * 27, 0.01F));
  file.Node("Conv", {"x", "w"}, "y").Output("y");
  ExpectServed(file);
}

TEST(HostileGraphTest, ANetworkThatFitsNoLengthIsRefusedInTime) {
  OnnxFile file = Start();
  for (int i = 0; i < 15'000; ++i) {
    file.Node("Sigmoid", {i == 0 ? "x" : absl::StrCat("v", i - 1)}, absl::StrCat("v", i));
  }
  file.Integers("shape", {7, 5, 3}).Node("Reshape", {"v14999", "shape"}, "y").Output("y");
  ExpectRefused(file, "");
}

TEST(HostileGraphTest, ADeclaredLengthThatFillsTheMemoryIsRefusedOrServed) {
  for (const int64_t length : {10'000'000, 100'000'000}) {
    OnnxFile file = Start({-1, 1, length});
    file.Node("Sigmoid", {"x"}, "y").Output("y");
    Try(file);
  }
}

TEST(HostileGraphTest, ShapeArithmeticOverTheWholeGraphIsBounded) {
  OnnxFile file = Start();
  file.Node("Shape", {"x"}, "v0");
  file.Integers("zero", {0, 0, 0});
  for (int i = 1; i < 10'000; ++i) file.Node("Add", {absl::StrCat("v", i - 1), "zero"}, absl::StrCat("v", i));
  file.Node("Reshape", {"x", "v9999"}, "y").Output("y");
  ExpectServed(file);
}

}  // namespace
}  // namespace stillwave::model
