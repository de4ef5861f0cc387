// The program as it is built, on a model of the tests. Figures of this build mean nothing; that they are there does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/support/allocation_counter.h"

namespace stillwave::benchmark {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string kModels = STILLWAVE_SOURCE_DIR "/tests/data/models";
const std::string kModel = kModels + "/seed_block/model.onnx";

struct Result {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// `arguments` are words of a shell; `input` is what printf makes of it.
Result RunProgram(const std::string& arguments, const std::string& input = "") {
  // Tests run in processes of their own, several at once.
  const std::string errors = testing::TempDir() + "/benchmark_stderr." + std::to_string(getpid());
  const std::string command =
      "printf '" + input + "' | " + STILLWAVE_BENCHMARK_BINARY + " " + arguments + " 2>" + errors;
  Result result;
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 4096> buffer;
  for (size_t bytes; (bytes = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    result.out.append(buffer.data(), bytes);
  }
  const int status = pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  std::ostringstream text;
  text << std::ifstream(errors).rdbuf();
  result.err = text.str();
  std::remove(errors.c_str());
  return result;
}

std::vector<json> JsonLines(const std::string& text) {
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
  return lines;
}

TEST(ProgramTest, MeasuresAModelAsJson) {
  const Result result = RunProgram("engine --model " + kModel + " --batch 2 --length 64 --min-time 0.01 --json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json report = json::parse(result.out);
  EXPECT_EQ(report["batch"], 2);
  EXPECT_EQ(report["input_shapes"], json::parse("[[2,3,64]]"));
  EXPECT_EQ(report["batchnorm"], "primitive");
  // Three convolutions of three taps, 3 -> 64 -> 128 -> 64 channels, and a linear layer of 64 -> 5.
  EXPECT_EQ(report["multiply_adds"], 2 * (64 * 3 * (3 * 64 + 64 * 128 + 128 * 64) + 64 * 5));
  for (const char* clock : {"cpu_us", "wall_us"}) {
    EXPECT_GT(report[clock]["median"], 0);
    EXPECT_LE(report[clock]["minimum"], report[clock]["p10"]);
    EXPECT_LE(report[clock]["p10"], report[clock]["median"]);
  }
  for (const char* field : {"gflops_per_second", "arena_bytes", "load_ms", "compile_ms"}) {
    EXPECT_GT(report[field], 0) << field;
  }
  EXPECT_EQ(report["allocations"].is_number(), test_support::CountsAllocations());
  double share = 0;
  int64_t multiply_adds = 0;
  int batch_norms = 0;
  for (const json& layer : report["layers"]) {
    share += layer["share"].get<double>();
    multiply_adds += layer["multiply_adds"].get<int64_t>();
    batch_norms += layer["op"] == "BatchNormalization" ? 1 : 0;
    EXPECT_NE(layer["implementation"], "");
  }
  EXPECT_NEAR(share, 1, 1e-6);
  // Layers are those of a part of the batch, where it is run in parts.
  EXPECT_EQ(multiply_adds * 2, report["multiply_adds"].get<int64_t>() * report["chunk"].get<int64_t>());
  EXPECT_EQ(batch_norms, 3);
}

TEST(ProgramTest, MeasuresAModelForPeopleAndFoldsWhenAsked) {
  const Result result = RunProgram("engine --model " + kModel + " --batchnorm folded --min-time 0.01");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* words : {"CPU time", "GFLOP/s", "allocat", "implementation", "convolution", "folded"}) {
    EXPECT_THAT(result.out, HasSubstr(words));
  }
  EXPECT_THAT(result.out, testing::Not(HasSubstr("batch_normalization")));
  EXPECT_THAT(result.err, HasSubstr("measuring"));
}

TEST(ProgramTest, MeasuresTheErrorOfRandomSamples) {
  const Result result = RunProgram("error --model " + kModel + " --samples 3 --length 32 --json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json report = json::parse(result.out);
  EXPECT_EQ(report["samples"], 3);
  const json& output = report["outputs"][0];
  EXPECT_GT(output["largest"], 0);
  EXPECT_GT(output["max_error"], 0);
  EXPECT_LT(output["max_relative_error"], 1e-5);
  EXPECT_EQ(output["top1_agreement"], 1);
}

TEST(ProgramTest, RefusesSamplesThatAreMissingOrDoNotFit) {
  const Result missing = RunProgram("error --model " + kModel + " --input /nowhere.npy");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("/nowhere.npy: there is no such file"));
  const std::string series = STILLWAVE_SOURCE_DIR "/tests/fuzz/corpus/npy/series_f4.npy";
  const Result other = RunProgram("error --model " + kModel + " --input " + series);
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.err, HasSubstr("input 'x' must be [-1,3,-1]"));
}

TEST(ProgramTest, RefusesAWrongFlagAndAFileThatIsNoModel) {
  const Result wrong = RunProgram("engine --model " + kModel + " --bacth 2");
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--bacth"));
  EXPECT_EQ(wrong.out, "");
  const Result missing = RunProgram("engine --model /nowhere/model.onnx");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("/nowhere/model.onnx"));
  const Result length = RunProgram("engine --model " + kModels + "/m5_audio/model.onnx --length 77");
  EXPECT_EQ(length.exit_code, 1);
  EXPECT_THAT(length.err, HasSubstr("the length must be 1600, to which the model is fixed; was 77"));
}

TEST(ProgramTest, AnswersRoundsAsTheyAreAskedFor) {
  const Result result = RunProgram("rounds --model " + kModel + " --length 64", "1 0.01\\n4 0.01\\n1 0.01\\nsoon\\n");
  const std::vector<json> lines = JsonLines(result.out);
  ASSERT_EQ(lines.size(), 4U) << result.err;
  EXPECT_EQ(lines[0]["ready"], true);
  for (const auto& [line, batch] : {std::pair(1, 1), std::pair(2, 4), std::pair(3, 1)}) {
    EXPECT_EQ(lines[static_cast<size_t>(line)]["batch"], batch);
    EXPECT_GT(lines[static_cast<size_t>(line)]["cpu_us"]["median"], 0);
  }
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("\"soon\""));
}

TEST(ProgramTest, MeasuresAFolderOfModelsAtTheLengthOfTheirCases) {
  const Result result = RunProgram("zoo --models " + kModels + " --batch 1,2 --min-time 0");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  int seed_blocks = 0;
  for (const json& line : JsonLines(result.out)) {
    EXPECT_FALSE(line.contains("refused")) << line;
    if (line["model"] != "seed_block") continue;
    ++seed_blocks;
    EXPECT_EQ(line["input_shapes"][0][2], 128);
  }
  EXPECT_EQ(seed_blocks, 2);
  EXPECT_THAT(result.err, HasSubstr("seed_block"));
}

TEST(ProgramTest, MeasuresThePeakOfTheCore) {
  const Result result = RunProgram("peak --min-time 0.01 --json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json report = json::parse(result.out);
  EXPECT_GT(report["fma_gflops_per_second"]["best"], 0);
  EXPECT_GT(report["read_gigabytes_per_second"]["best"], 0);
  EXPECT_NE(report["instructions"], "");
}

}  // namespace
}  // namespace stillwave::benchmark
