// The four commands through the real program, against a scripted server at the other end of real gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/client/client_process.h"
#include "tests/client/scripted_server.h"

namespace stillwave::client {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<json> JsonLines(const std::string& text) {
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
  return lines;
}

// A series 0, 1, 2, … of one channel.
std::string Series(int samples) {
  std::string text;
  for (int i = 0; i < samples; ++i) text += std::to_string(i) + "\n";
  return text;
}

ClientResult Ask(const ScriptedServer& server, std::vector<std::string> arguments, const std::string& input = "") {
  arguments.insert(arguments.end(), {"--server", server.address()});
  return RunClient(arguments, input);
}

TEST(HealthCommand, ShowsServerAndModelsAndEndsWith0) {
  const ScriptedServer server({.refused_model = "broken"});
  const ClientResult result = Ask(server, {"health"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "server           name      version  live  ready\n" + server.address() +
                            "  scripted  9.9      yes   yes\n"
                            "\n"
                            "model   version  ready  reason\n"
                            "m       1        yes\n"
                            "broken  1        no     node 3: bad\n");
}

TEST(HealthCommand, EndsWith1WhenServerOrModelIsNotReady) {
  const ScriptedServer not_ready({.ready = false});
  const ClientResult result = Ask(not_ready, {"health", "--json"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(json::parse(result.out)["serving"], false);
  EXPECT_THAT(result.err, IsEmpty());

  const ScriptedServer server({.refused_model = "broken"});
  EXPECT_EQ(Ask(server, {"health", "m"}).exit_code, 0);
  EXPECT_EQ(Ask(server, {"health", "broken"}).exit_code, 1);
  const ClientResult unknown = Ask(server, {"health", "nothing"});
  EXPECT_EQ(unknown.exit_code, 4);
  EXPECT_EQ(unknown.err, "stillwave: health: NOT_FOUND: unknown model 'nothing'\n");
}

TEST(ModelsCommand, ListsModelsWithInputsAndOutputs) {
  const ScriptedServer server({.refused_model = "broken"});
  const ClientResult result = Ask(server, {"models"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out,
            "model   version  ready  platform          inputs           outputs\n"
            "m       1        yes    onnxruntime_onnx  x FP32 [-1,1,4]  y FP32 [-1,2]\n"
            "broken  1        no                                        node 3: bad\n");
  const json models = json::parse(Ask(server, {"models", "--json"}).out)["models"];
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0]["inputs"][0]["shape"], json({-1, 1, 4}));
  EXPECT_EQ(models[1]["reason"], "node 3: bad");
}

TEST(ModelsCommand, AsksForNamesWhenTheServerCannotList) {
  const ScriptedServer server({.lists_models = false, .refused_model = "broken"});
  const ClientResult unnamed = Ask(server, {"models"});
  EXPECT_EQ(unnamed.exit_code, 2);
  EXPECT_EQ(unnamed.err, "stillwave: models: this server cannot list its models; name them: stillwave models NAME\n");
  const ClientResult named = Ask(server, {"models", "m", "broken"});
  EXPECT_EQ(named.exit_code, 0) << named.err;
  EXPECT_THAT(named.out, AllOf(HasSubstr("m       1        yes"), HasSubstr("not ready: node 3: bad")));
  EXPECT_EQ(Ask(server, {"models", "nothing"}).exit_code, 4);
}

TEST(InferCommand, SendsWindowsInOneRequestAndPrintsARowForEach) {
  const ScriptedServer server;
  const std::string file = WriteTempFile("infer.csv", Series(20));
  const ClientResult result = Ask(server, {"infer", file, "--at", "1", "--rate", "2", "--batch", "2", "--hop", "3"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out,
            "window  samples       seconds  class  y\n"
            "     0     2..5  1.000..3.000  1      2 5\n"
            "     1     5..8  2.500..4.500  1      5 8\n");
}

TEST(InferCommand, PrintsTheSameFromRawAndTypedContentsAsJson) {
  const std::string file = WriteTempFile("infer_json.csv", Series(20));
  for (const bool typed : {false, true}) {
    const ScriptedServer server({.typed_contents = typed});
    const ClientResult result = Ask(server, {"infer", file, "--labels", "low,high", "--softmax", "--json"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const json answer = json::parse(result.out);
    EXPECT_EQ(answer["model"], "m");
    const json& row = answer["rows"][0];
    EXPECT_EQ(row["label"], "high");
    EXPECT_NEAR(row["probability"].get<double>(), 0.95257, 1e-5);  // 1 / (1 + exp(-3))
    EXPECT_EQ(row["outputs"]["y"]["values"], json({0.0, 3.0}));
  }
}

TEST(InferCommand, EndsWith4AndTheServersWordsWhenRefused) {
  const ScriptedServer server({.infer_error = "input 'x': too long\nreally"});
  const ClientResult result = Ask(server, {"infer", WriteTempFile("refused.csv", Series(20))});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_EQ(result.err, "stillwave: infer: INVALID_ARGUMENT: input 'x': too long\\nreally\n");
  EXPECT_THAT(result.out, IsEmpty());
}

TEST(InferCommand, RefusesAnswersThatAreNotAsTheProtocolWantsThem) {
  const ScriptedServer server({.short_output = true});
  const ClientResult result = Ask(server, {"infer", WriteTempFile("short.csv", Series(20))});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("INTERNAL: the server's output 'y' (FP32 [1,2]): has 1 values"));
}

TEST(InferCommand, EndsWith5WhenTheFileDoesNotFitTheModel) {
  const ScriptedServer server;
  const ClientResult result = Ask(server, {"infer", WriteTempFile("two.csv", "1,2\n3,4\n5,6\n7,8\n")});
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_THAT(result.err, HasSubstr("the series has 2 channels, the model takes 1; choose with --columns"));
}

TEST(InferCommand, SendsTheColumnsAsked) {
  const ScriptedServer server;
  const std::string file = WriteTempFile("columns.csv", "t,v\n0,5\n1,6\n2,7\n3,8\n");
  EXPECT_THAT(Ask(server, {"infer", file, "--columns", "v"}).out, HasSubstr("5 8\n"));
}

TEST(InferCommand, WarnsOfNan) {
  const ScriptedServer server;
  const ClientResult result = Ask(server, {"infer", WriteTempFile("nan.csv", "nan\n1\n2\n3\n")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, AllOf(StartsWith("stillwave: warning: "), HasSubstr("1 values are NaN or infinite")));
}

TEST(InferCommand, AsksForTheModelWhenTheServerCannotList) {
  const ScriptedServer server({.lists_models = false});
  const std::string file = WriteTempFile("unlisted.csv", Series(4));
  EXPECT_EQ(Ask(server, {"infer", file}).exit_code, 2);
  EXPECT_EQ(Ask(server, {"infer", file, "--model", "m"}).exit_code, 0);
}

TEST(StreamCommand, PrintsAResultForEveryWindowAndASummary) {
  const ScriptedServer server;
  const std::string file = WriteTempFile("stream.csv", Series(100));
  const ClientResult result =
      Ask(server, {"stream", file, "--hop", "2", "--chunk", "7", "--from", "10", "--to", "30", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::vector<json> lines = JsonLines(result.out);
  ASSERT_EQ(lines.size(), 11u);  // opened, 9 windows of 21 samples, summary
  EXPECT_EQ(lines[0]["opened"]["hop"], 2);
  for (int window = 0; window < 9; ++window) {
    const json& line = lines[static_cast<size_t>(window) + 1];
    EXPECT_EQ(line["window"], window);
    EXPECT_EQ(line["first_sample"], 10 + 2 * window);
    EXPECT_EQ(line["outputs"]["y"]["values"], json({10.0 + 2 * window, 13.0 + 2 * window}));
  }
  const json& summary = lines[10]["summary"];
  EXPECT_EQ(summary["windows"], 9);
  EXPECT_EQ(summary["samples_sent"], 21);
  EXPECT_EQ(summary["bytes_sent"], 84);
  EXPECT_EQ(summary["partial_samples"], 1);
  EXPECT_EQ(summary["interrupted"], false);
}

TEST(StreamCommand, PrintsATableAndTheSummaryBesideIt) {
  const ScriptedServer server;
  const ClientResult result =
      Ask(server, {"stream", WriteTempFile("table.csv", Series(8)), "--labels", "low,high", "--rate", "4"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out,
            "window  samples       seconds  label  y\n"
            "     0     0..3  0.000..1.000  high   0 3\n"
            "     1     4..7  1.000..2.000  high   4 7\n");
  EXPECT_THAT(result.err, AllOf(StartsWith("2 windows in "), HasSubstr(" × real time), 8 samples sent (32 bytes)\n")));
}

TEST(StreamCommand, PrintsOnlyChangesOnRequest) {
  const ScriptedServer server;
  const ClientResult result = Ask(
      server, {"stream", WriteTempFile("changes.csv", "0\n0\n0\n1\n0\n0\n0\n2\n3\n0\n0\n0\n"), "--changes", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::vector<json> lines = JsonLines(result.out);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[1]["window"], 0);
  EXPECT_EQ(lines[2]["window"], 2);
  EXPECT_EQ(lines[3]["summary"]["windows"], 3) << "all windows are counted";
}

TEST(StreamCommand, SendsAFileAtItsOwnRateOnRequest) {
  const ScriptedServer server;
  const ClientResult result =
      Ask(server, {"stream", WriteTempFile("realtime.csv", Series(100)), "--realtime", "--rate", "10000", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json summary = JsonLines(result.out).back()["summary"];
  EXPECT_EQ(summary["windows"], 25);
  EXPECT_GE(summary["seconds"].get<double>(), 0.01) << "100 samples at 10 kHz are not there before";
}

TEST(StreamCommand, AnswersLinesOfStandardInputAsTheyCome) {
  const ScriptedServer server;
  ClientProcess client({"stream", "-", "--json", "--server", server.address()});
  client.WriteInput("a\n1\n2\n3\n4\n");
  EXPECT_EQ(json::parse(client.ReadLine()).begin().key(), "opened");
  EXPECT_EQ(json::parse(client.ReadLine())["outputs"]["y"]["values"], json({1.0, 4.0}));
  client.WriteInput("5\n6\n7\n");
  client.WriteInput("8");  // the last line has no end
  const ClientResult result = client.Wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const std::vector<json> lines = JsonLines(result.out);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[2]["outputs"]["y"]["values"], json({5.0, 8.0}));
}

TEST(StreamCommand, WarnsOfNan) {
  const ScriptedServer server;
  const ClientResult result = Ask(server, {"stream", "-"}, "1\nnan\n3\n-inf\n");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("stillwave: warning: -: 2 values were NaN or infinite\n"));
}

TEST(StreamCommand, EndsCleanlyOnCtrlC) {
  const ScriptedServer server;
  ClientProcess client({"stream", "-", "--json", "--server", server.address()});
  client.WriteInput(Series(4));
  client.ReadLine();
  EXPECT_EQ(json::parse(client.ReadLine())["window"], 0);
  client.Signal(SIGINT);
  const std::string last = client.ReadLine();  // the input is still open
  const ClientResult result = client.Wait();
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_EQ(json::parse(last)["summary"]["interrupted"], true);
  EXPECT_EQ(json::parse(last)["summary"]["windows"], 1);
}

TEST(StreamCommand, NamesTheLineOfBadInputAfterTheResultsBeforeIt) {
  const ScriptedServer server;
  ClientProcess client({"stream", "-", "--json", "--server", server.address()});
  client.WriteInput(Series(4));
  client.ReadLine();
  EXPECT_EQ(json::parse(client.ReadLine())["window"], 0);
  client.WriteInput("five\n");
  const ClientResult result = client.Wait();
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_EQ(result.err, "stillwave: standard input: line 5, column 1: 'five' is not a number\n");
  EXPECT_EQ(JsonLines(result.out).back()["summary"]["windows"], 1);
}

TEST(StreamCommand, RefusesInputOfOtherChannelsThanTheModels) {
  const ScriptedServer server;
  const ClientResult result = Ask(server, {"stream", "-"}, "1,2\n3,4\n");
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_THAT(result.err, HasSubstr("the series has 2 channels, model 'm' takes 1; choose with --columns"));
}

TEST(StreamCommand, EndsWith4WhenTheSeriesIsRefusedWhileInputIsIdle) {
  const ScriptedServer server({.after_open = {R"(error { code: 8 message: "too many series" })"}});
  ClientProcess client({"stream", "-", "--server", server.address()});
  client.WriteInput("1\n");
  client.ReadLine();  // the end of the output comes while the input is still open
  const ClientResult result = client.Wait();
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("stillwave: stream: RESOURCE_EXHAUSTED: too many series\n"));
}

TEST(StreamCommand, ReportsGapsAndDraining) {
  const ScriptedServer server(
      {.after_open = {"gap { expected_sample_index: 5 received_sample_index: 9 discarded_samples: 2 }", "draining {}"},
       .end_after_open = true});
  const ClientResult result = Ask(server, {"stream", WriteTempFile("gap.csv", Series(8)), "--no-retry"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("gap: sample 5 was expected, 9 came; 2 samples are in no window"));
  EXPECT_THAT(result.err, HasSubstr("warning: the server stops"));
  EXPECT_THAT(result.err, HasSubstr("stillwave: stream: UNAVAILABLE: draining\n"));
}

TEST(StreamCommand, RefusesLabelsThatDoNotFitAndOutputsThatAreBroken) {
  const std::string file = WriteTempFile("labels.csv", Series(5000));
  const ScriptedServer server;
  const ClientResult labels = Ask(server, {"stream", file, "--labels", "a,b,c"});
  EXPECT_EQ(labels.exit_code, 2);
  EXPECT_THAT(labels.err, HasSubstr("--labels must name the 2 classes of output 'y'; names 3"));
  const ScriptedServer broken({.short_output = true});
  const ClientResult output = Ask(broken, {"stream", file});
  EXPECT_EQ(output.exit_code, 4);
  EXPECT_THAT(output.err, HasSubstr("INTERNAL: the server's output 'y' has 4 bytes"));
}

TEST(StreamCommand, ReadsAndWritesAtOnceWhenThereIsMoreThanBuffersHold) {
  const ScriptedServer server;
  const ClientResult result = Ask(server, {"stream", WriteTempFile("long.csv", Series(200'000)), "--hop", "4"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 50'001);
}

}  // namespace
}  // namespace stillwave::client
