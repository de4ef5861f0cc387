// What `stream` reads, draws and writes besides rows, and how it goes on when a call breaks: the real program against a
// scripted server at the other end of real gRPC. Its windows have 4 samples; y is the first and the last of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/client/client_process.h"
#include "tests/client/scripted_server.h"
#include "tests/client/wav_bytes.h"
#include "tests/support/temp_path.h"

namespace stillwave::client {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

std::string Numbers(int samples) {
  std::string text;
  for (int i = 0; i < samples; ++i) text += std::to_string(i) + "\n";
  return text;
}

std::string Contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string OutPath(const std::string& name) {
  const std::string path = test_support::TempPath(name);
  std::filesystem::remove(path);
  return path;
}

ClientResult Stream(const ScriptedServer& server, std::vector<std::string> arguments, const std::string& input = "") {
  arguments.insert(arguments.begin(), "stream");
  arguments.insert(arguments.end(), {"--server", server.address()});
  return RunClient(arguments, input, {"LC_ALL=C.UTF-8"});
}

// The windows of --json's lines: number, first sample, and both values.
std::vector<std::vector<double>> Windows(const std::string& lines) {
  std::vector<std::vector<double>> windows;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) {
    const json parsed = json::parse(line);
    if (!parsed.contains("window")) continue;
    const json& values = parsed["outputs"]["y"]["values"];
    windows.push_back({parsed["window"], parsed["first_sample"], values[0], values[1]});
  }
  return windows;
}

json Summary(const std::string& lines) {
  const size_t begin = lines.rfind("{\"summary\"");
  return begin == std::string::npos ? json() : json::parse(lines.substr(begin))["summary"];
}

TEST(StreamInput, TakesASoundFileWithItsRate) {
  const ScriptedServer server;
  const std::string file =
      WriteTempFile("sound.wav", WavFile({.rate = 4}, Pcm({16384, 0, 0, -32768, 8192, 0, 0, 0}, 2)));
  EXPECT_EQ(Stream(server, {file}).out,
            "window  samples       seconds  class  y\n"
            "     0     0..3  0.000..1.000  0      0.5 -1\n"
            "     1     4..7  1.000..2.000  0      0.25 0\n");
  EXPECT_THAT(Stream(server, {file, "--rate", "8"}).out, HasSubstr("0.500..1.000"));
  const std::string fast = WriteTempFile("fast.wav", WavFile({.rate = 1000}, Pcm({0, 0, 0, 0}, 2)));
  EXPECT_EQ(Stream(server, {fast, "--realtime"}).exit_code, 0) << "the file says its rate";
}

TEST(StreamInput, AnswersRawBytesOfStandardInputAsTheyCome) {
  const ScriptedServer server;
  ClientProcess client({"stream", "-", "--raw-format", "i16", "--channels", "2", "--columns", "2", "--raw-scale", "0.5",
                        "--json", "--server", server.address()});
  client.WriteInput(Pcm({0, 2, 0, 4, 0, 6, 0, 8}, 2));
  EXPECT_EQ(json::parse(client.ReadLine()).begin().key(), "opened");
  EXPECT_EQ(json::parse(client.ReadLine())["outputs"]["y"]["values"], json({1.0, 4.0}));
  client.WriteInput("x");
  const ClientResult result = client.Wait();
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_EQ(result.err,
            "stillwave: standard input: must end after a whole sample of 2 channels; 1 bytes are left over\n");
}

TEST(StreamOut, HasEveryWindowInTheFormatOfItsSuffix) {
  const ScriptedServer server;
  const std::string file = WriteTempFile("out.csv", Numbers(8));
  const std::string csv = OutPath("windows.csv");
  const ClientResult result = Stream(server, {file, "--out", csv, "--changes"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(Contents(csv), "window,first_sample,last_sample,class,y_0,y_1\n0,0,3,1,0,3\n1,4,7,1,4,7\n");
  EXPECT_THAT(result.out, Not(HasSubstr("4..7"))) << "--changes is for the screen";

  const std::string lines = OutPath("windows.jsonl");
  EXPECT_EQ(Stream(server, {file, "--out", lines}).exit_code, 0);
  EXPECT_THAT(Windows(Contents(lines)), ElementsAre(ElementsAre(0, 0, 0, 3), ElementsAre(1, 4, 4, 7)));
  const std::string npy = OutPath("windows.npy");
  EXPECT_EQ(Stream(server, {file, "--out", npy}).exit_code, 0);
  EXPECT_THAT(Contents(npy), AllOf(StartsWith("\x93NUMPY"), HasSubstr("'shape': (2,)")));
}

TEST(StreamOut, KeepsWhatCameWhenCtrlCEndsIt) {
  const ScriptedServer server;
  const std::string path = OutPath("interrupted.csv");
  ClientProcess client({"stream", "-", "--json", "--out", path, "--server", server.address()});
  client.WriteInput(Numbers(4));
  client.ReadLine();
  EXPECT_EQ(json::parse(client.ReadLine())["window"], 0);
  EXPECT_FALSE(std::filesystem::exists(path));
  client.Signal(SIGINT);
  client.ReadLine();
  EXPECT_EQ(client.Wait().exit_code, 130);
  EXPECT_EQ(Contents(path), "window,first_sample,last_sample,class,y_0,y_1\n0,0,3,1,0,3\n");
}

TEST(StreamOut, IsNotWrittenWithoutAWindow) {
  const ScriptedServer server;
  const std::string path = OutPath("empty.csv");
  const ClientResult result = Stream(server, {WriteTempFile("short.csv", Numbers(3)), "--out", path});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("there was no window: " + path + " is not written"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(StreamPlot, IsDrawnOnceAndWithoutControlCharactersWhereThereIsNoTerminal) {
  const ScriptedServer server;
  const std::string file = WriteTempFile("plot.csv", "0\n0\n0\n9\n0\n0\n0\n-9\n");
  const ClientResult result = Stream(server, {file, "--plot", "--labels", "down,up", "--softmax"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("samples 0 .. 7\n"), HasSubstr("class uu"),
                                HasSubstr("d down: 1   u up: 1\n"), HasSubstr("⡇"), Not(HasSubstr("\x1b"))));
  EXPECT_THAT(result.out, Not(HasSubstr("window"))) << "the plot is instead of rows";
  EXPECT_THAT(result.err, StartsWith("2 windows in "));
}

TEST(StreamPlot, KeepsToAsciiWhereTheLocaleSaysSo) {
  const ScriptedServer server;
  const ClientResult result = RunClient(
      {"stream", WriteTempFile("ascii.csv", Numbers(8)), "--plot", "--server", server.address()}, "", {"LC_ALL=C"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char c : result.out) ASSERT_LT(static_cast<unsigned char>(c), 128) << result.out;
  EXPECT_THAT(result.out, HasSubstr("class 1"));
}

TEST(StreamResume, GoesOnBehindTheLastAnswerWhenTheCallBreaks) {
  for (const bool counts_on : {true, false}) {
    const ScriptedServer server({.broken_calls = 2, .windows_before_break = 2, .counts_on = counts_on});
    const ClientResult result = Stream(
        server, {WriteTempFile("resume.csv", Numbers(20)), "--hop", "2", "--chunk", "3", "--from", "1", "--json"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const std::vector<std::vector<double>> windows = Windows(result.out);
    ASSERT_EQ(windows.size(), 8u) << result.out;
    for (double window = 0; window < 8; ++window) {
      EXPECT_THAT(windows[static_cast<size_t>(window)],
                  ElementsAre(window, 1 + 2 * window, 1 + 2 * window, 4 + 2 * window));
    }
    EXPECT_EQ(Summary(result.out)["resumed"], 2);
    EXPECT_EQ(Summary(result.out)["samples_sent"], 19) << "what is sent again is not counted again";
    EXPECT_THAT(result.err, AllOf(HasSubstr("the call broke before window 2 was answered (restarting); trying again"),
                                  HasSubstr("the series goes on with window 4")));
  }
}

TEST(StreamResume, SkipsWhatNoWindowCoversWhenTheHopIsLonger) {
  const ScriptedServer server({.broken_calls = 1, .windows_before_break = 1});
  const ClientResult result =
      Stream(server, {WriteTempFile("skip.csv", Numbers(40)), "--hop", "9", "--chunk", "4", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(Windows(result.out),
              ElementsAre(ElementsAre(0, 0, 0, 3), ElementsAre(1, 9, 9, 12), ElementsAre(2, 18, 18, 21),
                          ElementsAre(3, 27, 27, 30), ElementsAre(4, 36, 36, 39)));
}

TEST(StreamResume, TakesUpALiveInputThatIsIdle) {
  const ScriptedServer server({.broken_calls = 1, .windows_before_break = 1});
  ClientProcess client({"stream", "-", "--json", "--server", server.address()});
  client.WriteInput(Numbers(8));
  client.ReadLine();
  EXPECT_EQ(json::parse(client.ReadLine())["window"], 0);
  EXPECT_EQ(json::parse(client.ReadLine())["window"], 1) << "without another line";
  client.WriteInput("8\n9\n10\n11\n");
  EXPECT_EQ(json::parse(client.ReadLine())["outputs"]["y"]["values"], json({8.0, 11.0}));
  EXPECT_EQ(client.Wait().exit_code, 0);
}

TEST(StreamResume, EndsWith3WhenTheServerDoesNotComeBack) {
  const std::string file = WriteTempFile("gone.csv", Numbers(20));
  const std::string out = OutPath("gone.csv");
  const ScriptedServer server({.broken_calls = 1'000'000, .windows_before_break = 1});
  // Each call answers one window, and the last of the 5 has no call that would go on.
  const ClientResult progress = Stream(server, {file, "--json"});
  EXPECT_EQ(progress.exit_code, 0) << progress.err;
  EXPECT_EQ(Windows(progress.out).size(), 5u);

  const ScriptedServer stuck({.broken_calls = 1'000'000, .windows_before_break = 0});
  const ClientResult result = Stream(stuck, {file, "--timeout", "2", "--out", out});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("gave up after 2s without an answer: restarting"));
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(StreamResume, IsSwitchedOffByAnOption) {
  const ScriptedServer server({.broken_calls = 1, .windows_before_break = 1});
  const std::string out = OutPath("no_retry.csv");
  const ClientResult result = Stream(server, {WriteTempFile("no_retry.csv", Numbers(20)), "--no-retry", "--out", out});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("stillwave: stream: UNAVAILABLE: restarting\n"));
  EXPECT_EQ(Contents(out), "window,first_sample,last_sample,class,y_0,y_1\n0,0,3,1,0,3\n") << "what came is kept";
}

}  // namespace
}  // namespace stillwave::client
