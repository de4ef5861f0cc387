#include "server/recalibration/command_line.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::recalibration {
namespace {

using ::stillwave::test_support::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

absl::StatusOr<Invocation> Parse(std::vector<const char*> arguments, bool complete = true) {
  if (complete) arguments.insert(arguments.end(), {"--model", "m.onnx", "--data", "d.npy", "--output", "o.onnx"});
  return ParseCommandLine(arguments, "1.2.3");
}

auto Refused(const std::string& words) { return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words)); }

TEST(CommandLine, HasPyTorchsMomentumAndAllLayersWhereNothingElseIsSaid) {
  const auto line = Parse({});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->options.model, "m.onnx");
  EXPECT_THAT(line->options.data, ElementsAre("d.npy"));
  EXPECT_EQ(line->options.output, "o.onnx");
  EXPECT_EQ(line->options.momentum, 0.1);
  EXPECT_THAT(line->options.layers, IsEmpty());
  EXPECT_EQ(line->options.batch, std::nullopt);
  EXPECT_FALSE(line->options.force);
  EXPECT_FALSE(line->json);
}

TEST(CommandLine, ReadsEveryOption) {
  const auto line =
      Parse({"--data", "a.npy", "b.npy", "--momentum", "0.25", "--layers", "x,y", "--batch=64", "--json", "--force"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_THAT(line->options.data, ElementsAre("a.npy", "b.npy", "d.npy"));
  EXPECT_EQ(line->options.momentum, 0.25);
  EXPECT_THAT(line->options.layers, ElementsAre("x", "y"));
  EXPECT_EQ(line->options.batch, 64);
  EXPECT_TRUE(line->options.force);
  EXPECT_TRUE(line->json);
  const auto cumulative = Parse({"--cumulative"});
  ASSERT_TRUE(cumulative.ok()) << cumulative.status();
  EXPECT_EQ(cumulative->options.momentum, std::nullopt);
}

TEST(CommandLine, RefusesWhatCannotBeObeyed) {
  for (const char* momentum : {"0", "-1", "1.5", "nan", "much"}) {
    EXPECT_THAT(Parse({"--momentum", momentum}), Refused("--momentum must be a number over 0 and not over 1"))
        << momentum;
  }
  for (const char* batch : {"0", "65537", "2.5"}) {
    EXPECT_THAT(Parse({"--batch", batch}), Refused("--batch must be a whole number between 1 and 65536")) << batch;
  }
  EXPECT_THAT(Parse({"--cumulative", "--momentum", "0.2"}), Refused("--cumulative"));
  EXPECT_THAT(Parse({"--modell", "x"}), Refused("--modell"));
  EXPECT_THAT(Parse({}, /*complete=*/false), Refused("--model FILE is required"));
  EXPECT_THAT(Parse({"--model", "m", "--output", "o"}, false), Refused("--data FILE… is required"));
  EXPECT_THAT(Parse({"--model", "m", "--data", "d"}, false), Refused("--output FILE is required"));
}

TEST(CommandLine, PrintsHelpAndVersion) {
  const auto help = Parse({"--help"}, false);
  ASSERT_TRUE(help.ok()) << help.status();
  EXPECT_THAT(help->print, AllOf(HasSubstr("--cumulative"), HasSubstr("Examples:"), HasSubstr("Exit status:")));
  const auto version = Parse({"--version"}, false);
  ASSERT_TRUE(version.ok()) << version.status();
  EXPECT_EQ(version->print, "stillwave-recalibrate 1.2.3\n");
}

TEST(CommandLine, MapsErrorsToExitCodes) {
  EXPECT_EQ(ExitCodeOf(absl::OutOfRangeError("x")), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(absl::AlreadyExistsError("x")), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(absl::FailedPreconditionError("x")), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeOf(absl::UnimplementedError("x")), ExitCode::kRefused);
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("x")), ExitCode::kBadInput);
  EXPECT_EQ(ExitCodeOf(absl::NotFoundError("x")), ExitCode::kBadInput);
}

}  // namespace
}  // namespace stillwave::recalibration
