#include "tests/server/model/load_process.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/sanitizers.h"
#include "tests/support/server_fixture.h"

namespace stillwave::model {

nlohmann::json LoadAndRun(const std::string& path, int samples, int time_steps, Limits limits) {
  const bool limited = limits == Limits::kOn && !test_support::kSanitized;
  const test_support::ProgramResult result = test_support::RunProgram(
      "load_one_model",
      {limited ? "512" : "0", limited ? "2" : "0", path, absl::StrCat(samples), absl::StrCat(time_steps)});
  EXPECT_EQ(result.exit_code, 0) << path << "\n" << result.err << result.out;
  if (result.exit_code != 0) return {};
  return nlohmann::json::parse(result.out, nullptr, /*allow_exceptions=*/false);
}

}  // namespace stillwave::model
