// What users see of wrong arguments and missing servers, through the real program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "server/base/check.h"
#include "tests/client/client_process.h"

namespace stillwave::client {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// A port that nobody listens on: bound here for the object's life, but never listened to.
class ClosedPort {
 public:
  ClosedPort() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    SW_CHECK(bind(socket_, reinterpret_cast<sockaddr*>(&address), length) == 0);
    SW_CHECK(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~ClosedPort() { close(socket_); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int socket_;
  int port_;
};

struct WrongArguments {
  const char* name;
  std::vector<std::string> arguments;
  const char* message;
};

class WrongUsage : public testing::TestWithParam<WrongArguments> {};

TEST_P(WrongUsage, EndsWith2AndOneLineThatNamesIt) {
  const ClientResult result = RunClient(GetParam().arguments);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(result.err, AllOf(StartsWith("stillwave: "), HasSubstr(GetParam().message), EndsWith("\n")));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongUsage,
    testing::Values(
        WrongArguments{"no_command", {}, "subcommand is required"},
        WrongArguments{"unknown_command", {"bogus"}, "subcommand is required"},
        WrongArguments{"no_file", {"infer"}, "file is required"},
        WrongArguments{"unknown_option", {"infer", "x.npy", "--nope"}, "--nope"},
        WrongArguments{
            "window_of_zero", {"infer", "x.npy", "--window", "0"}, "--window: must be a whole number from 1 to"},
        WrongArguments{"hop_no_number", {"stream", "x.npy", "--hop", "ten"}, "--hop"},
        WrongArguments{
            "negative_start", {"infer", "x.npy", "--start", "-1"}, "--start: must be a whole number from 0 to"},
        WrongArguments{"rate_of_zero", {"infer", "x.npy", "--rate", "0"}, "--rate"},
        WrongArguments{"timeout_of_zero", {"health", "--timeout", "0"}, "--timeout"},
        WrongArguments{"time_without_rate", {"infer", "x.npy", "--at", "3"}, "--at needs --rate"},
        WrongArguments{"negative_time", {"infer", "x.npy", "--at", "-3", "--rate", "9"}, "--at must be a time"},
        WrongArguments{"at_and_start", {"infer", "x.npy", "--at", "3", "--start", "1", "--rate", "9"}, "leave one out"},
        WrongArguments{"empty_label", {"infer", "x.npy", "--labels", "a,,b"}, "--labels has an empty entry: 'a,,b'"},
        WrongArguments{"unknown_partial", {"stream", "x.npy", "--partial", "keep"}, "--partial: keep not in"},
        WrongArguments{"raw_of_file", {"stream", "x.npy", "--raw-format", "f32"}, "--raw-format is for standard input"},
        WrongArguments{"raw_type", {"stream", "-", "--raw-format", "i8"}, "--raw-format"},
        WrongArguments{"channels_of_lines", {"stream", "-", "--channels", "2"}, "--channels needs --raw-format"},
        WrongArguments{"scale_of_lines", {"stream", "-", "--raw-scale", "2"}, "--raw-scale needs --raw-format"},
        WrongArguments{"plot_as_json", {"stream", "-", "--plot", "--json"}, "try --out FILE.jsonl"},
        WrongArguments{"plot_of_changes", {"stream", "-", "--plot", "--changes"}, "--changes is for rows"},
        WrongArguments{"out_suffix", {"stream", "-", "--out", "x.txt"}, "--out must end in .csv, .jsonl or .npy"},
        WrongArguments{"paced_no_stream", {"bench", "--sample-rate", "50"}, "--sample-rate needs --stream"},
        WrongArguments{"paced_rate",
                       {"bench", "--stream", "--sample-rate", "50", "--rate", "5"},
                       "--sample-rate says when samples are sent; leave out --rate"},
        WrongArguments{"chunk_of_requests", {"bench", "--chunk", "5"}, "--chunk needs --sample-rate"},
        WrongArguments{
            "message_windows_of_requests", {"bench", "--message-windows", "5"}, "--message-windows needs --s"},
        WrongArguments{"message_windows_of_an_open_loop",
                       {"bench", "--stream", "--rate", "5", "--message-windows", "5"},
                       "--message-windows needs a closed loop: leave out --rate"},
        WrongArguments{"message_windows_when_paced",
                       {"bench", "--stream", "--sample-rate", "50", "--message-windows", "5"},
                       "leave out --sample-rate, which has --chunk"},
        WrongArguments{"series_in_flight", {"bench", "--stream", "--series", "5"}, "--series needs --rate or"},
        WrongArguments{"calls_twice",
                       {"bench", "--stream", "--calls", "1", "--series-per-stream", "1"},
                       "--calls and --series-per-stream say the same"},
        WrongArguments{"more_calls_than_series",
                       {"bench", "--stream", "--sample-rate", "50", "--series", "5", "--calls", "6"},
                       "--calls must be at most the number of series, 5; was 6"},
        WrongArguments{"realtime_of_input", {"stream", "-", "--realtime", "--rate", "9"}, "--realtime is for files"},
        WrongArguments{"end_of_input", {"stream", "-", "--to", "9"}, "--to is for files"},
        WrongArguments{"bench_sweep", {"bench", "--concurrency", "1:8"}, "--concurrency must be N, a list N,N,…"},
        WrongArguments{"bench_in_flight", {"bench", "--concurrency", "0"}, "whole numbers from 1 to 16384; was '0'"},
        WrongArguments{"bench_rate_of_zero", {"bench", "--rate", "0"}, "--rate must be numbers from 0.01 to 1000000"},
        WrongArguments{"bench_both_loops", {"bench", "--rate", "5", "--concurrency", "5"}, "excludes"},
        WrongArguments{"bench_duration", {"bench", "--duration", "0"}, "--duration: must be seconds from 0.1 to"},
        WrongArguments{"bench_both_ends", {"bench", "--duration", "1", "--requests", "1"}, "excludes"},
        WrongArguments{"bench_threads", {"bench", "--threads", "65"}, "--threads: must be a whole number from 1 to 64"},
        WrongArguments{"bench_arrivals", {"bench", "--rate", "5", "--arrivals", "uniform"}, "--arrivals"},
        WrongArguments{"bench_arrivals_closed", {"bench", "--arrivals", "poisson"}, "--arrivals needs --rate"},
        WrongArguments{"bench_series_no_stream", {"bench", "--rate", "5", "--series", "2"}, "--series needs --stream"},
        WrongArguments{"bench_stream_batch", {"bench", "--stream", "--batch", "2"}, "--batch is for requests"},
        WrongArguments{"bench_hop", {"bench", "--hop", "2"}, "--hop is for series: give a file or --stream"},
        WrongArguments{"bench_columns", {"bench", "--columns", "1"}, "--columns needs a file"},
        WrongArguments{"bench_in_flight_threads",
                       {"bench", "--rate", "5", "--threads", "4", "--max-in-flight", "3"},
                       "--max-in-flight must be at least --threads, 4; was 3"},
        WrongArguments{"server_without_port", {"health", "--server", "localhost"}, "--server must be HOST:PORT"},
        WrongArguments{"server_port_too_high", {"health", "--server", "h:65536"}, "was 'h:65536'"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(RealtimeOption, NeedsARateThatSomebodyKnows) {
  const ClientResult result = RunClient({"stream", WriteTempFile("rateless.csv", "1\n2\n"), "--realtime"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--realtime needs --rate, the samples per second"));
}

TEST(Arguments, HelpTeachesCommandsExamplesAndExitCodes) {
  const ClientResult program = RunClient({"--help"});
  EXPECT_EQ(program.exit_code, 0);
  for (const char* word :
       {"infer", "stream", "models", "health", "bench", "Examples:", "Exit status:", "STILLWAVE_SERVER"}) {
    EXPECT_THAT(program.out, HasSubstr(word));
  }
  for (const char* code : {"  0  ", "  1  ", "  2  ", "  3  ", "  4  ", "  5  ", "  130  "}) {
    EXPECT_THAT(program.out, HasSubstr(code));
  }
  for (const char* command : {"infer", "stream", "models", "health", "bench"}) {
    const ClientResult help = RunClient({command, "--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_THAT(help.out, HasSubstr(std::string("Examples:\n  ")));
    EXPECT_THAT(help.out, HasSubstr(std::string("stillwave ") + command));
  }
}

TEST(Arguments, VersionIsPrinted) {
  const ClientResult result = RunClient({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, testing::MatchesRegex("stillwave [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Arguments, AFullDiskIsAnError) {
  const int status = std::system(("'" STILLWAVE_CLIENT_BINARY "' --help > /dev/full 2> /dev/null"));
  EXPECT_EQ(WEXITSTATUS(status), 2);
}

TEST(UnreachableServer, EndsWith3AndSaysWhatToTry) {
  const ClosedPort closed;
  const std::string file = WriteTempFile("series.csv", "1\n2\n3\n");
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"health"}, {"models"}, {"infer", file}, {"stream", file}, {"stream", "-"}, {"bench"}, {"bench", file}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--server", closed.address()});
    const ClientResult result = RunClient(arguments);
    EXPECT_EQ(result.exit_code, 3) << command[0];
    EXPECT_EQ(result.err, "stillwave: cannot reach " + closed.address() +
                              ": Connection refused; is the server running? try: scripts/run\n");
    EXPECT_THAT(result.out, IsEmpty());
  }
}

TEST(UnreachableServer, IsTakenFromTheEnvironmentUnlessTheOptionIsGiven) {
  const ClosedPort closed;
  const ClosedPort other;
  const std::string variable = "STILLWAVE_SERVER=" + closed.address();
  EXPECT_THAT(RunClient({"health"}, "", {variable}).err, HasSubstr("cannot reach " + closed.address()));
  EXPECT_THAT(RunClient({"health", "--server", other.address()}, "", {variable}).err,
              HasSubstr("cannot reach " + other.address()));
}

TEST(BadInputFile, EndsWith5BeforeTheServerIsAsked) {
  const ClosedPort closed;
  for (const char* command : {"infer", "stream", "bench"}) {
    const std::string path = WriteTempFile("bad.csv", "1\n2\nthree\n");
    const ClientResult result = RunClient({command, path, "--server", closed.address()});
    EXPECT_EQ(result.exit_code, 5);
    EXPECT_EQ(result.err, "stillwave: " + path + ": line 3, column 1: 'three' is not a number\n");
    EXPECT_EQ(RunClient({command, "/no/such/file", "--server", closed.address()}).exit_code, 5);
  }
}

}  // namespace
}  // namespace stillwave::client
