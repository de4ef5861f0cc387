#include "server/service/log_settings.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/log.h"
#include "tests/support/status_matchers.h"

namespace stillwave::service {
namespace {

using base::LogFormat;
using base::LogLevel;
using inference::LogSettingsRequest;
using inference::LogSettingsResponse;
using test_support::IsOk;
using test_support::StatusIs;
using testing::HasSubstr;

class LogSettingsTest : public testing::Test {
 protected:
  LogSettingsTest() { base::ConfigureLog(LogLevel::kInfo, LogFormat::kText); }
  ~LogSettingsTest() override { base::ConfigureLog(LogLevel::kInfo, LogFormat::kText); }

  LogSettingsRequest::SettingValue& Setting(const std::string& name) { return (*request_.mutable_settings())[name]; }

  void ExpectRefusal(const std::string& words) {
    const LogLevel level = base::MinimumLogLevel();
    LogSettingsResponse response;
    EXPECT_THAT(HandleLogSettings(request_, &response), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words)));
    EXPECT_EQ(base::MinimumLogLevel(), level) << "nothing of a refused request holds";
    EXPECT_EQ(base::CurrentLogFormat(), LogFormat::kText);
    request_.Clear();
  }

  LogSettingsRequest request_;
  LogSettingsResponse response_;
};

TEST_F(LogSettingsTest, AnEmptyRequestTellsWhatHolds) {
  ASSERT_THAT(HandleLogSettings(request_, &response_), IsOk());
  const auto& settings = response_.settings();
  EXPECT_TRUE(settings.at("log_error").bool_param());
  EXPECT_TRUE(settings.at("log_warning").bool_param());
  EXPECT_TRUE(settings.at("log_info").bool_param());
  EXPECT_EQ(settings.at("log_verbose_level").uint32_param(), 0U);
  EXPECT_EQ(settings.at("log_format").string_param(), "ISO8601");
  EXPECT_EQ(settings.at("log_file").string_param(), "");
}

TEST_F(LogSettingsTest, SeveritiesAreTheThreshold) {
  Setting("log_verbose_level").set_uint32_param(1);
  ASSERT_THAT(HandleLogSettings(request_, &response_), IsOk());
  EXPECT_EQ(base::MinimumLogLevel(), LogLevel::kDebug);
  EXPECT_EQ(response_.settings().at("log_verbose_level").uint32_param(), 1U);

  request_.Clear();
  Setting("log_verbose_level").set_uint32_param(0);
  Setting("log_info").set_bool_param(false);
  ASSERT_THAT(HandleLogSettings(request_, &response_), IsOk());
  EXPECT_EQ(base::MinimumLogLevel(), LogLevel::kWarning);

  request_.Clear();
  Setting("log_warning").set_bool_param(false);
  ASSERT_THAT(HandleLogSettings(request_, &response_), IsOk());
  EXPECT_EQ(base::MinimumLogLevel(), LogLevel::kError);
  EXPECT_FALSE(response_.settings().at("log_warning").bool_param());

  request_.Clear();
  Setting("log_warning").set_bool_param(true);
  Setting("log_info").set_bool_param(true);
  ASSERT_THAT(HandleLogSettings(request_, &response_), IsOk());
  EXPECT_EQ(base::MinimumLogLevel(), LogLevel::kInfo);
}

TEST_F(LogSettingsTest, TheFormatIsTextOrJson) {
  Setting("log_format").set_string_param("json");
  ASSERT_THAT(HandleLogSettings(request_, &response_), IsOk());
  EXPECT_EQ(base::CurrentLogFormat(), LogFormat::kJson);
  EXPECT_EQ(response_.settings().at("log_format").string_param(), "json");
  Setting("log_format").set_string_param("ISO8601");
  ASSERT_THAT(HandleLogSettings(request_, &response_), IsOk());
  EXPECT_EQ(base::CurrentLogFormat(), LogFormat::kText);
}

TEST_F(LogSettingsTest, WhatCannotBeIsRefusedByName) {
  Setting("log_error").set_bool_param(false);
  ExpectRefusal("log_error must be true");
  Setting("log_warning").set_bool_param(false);
  ExpectRefusal("log_warning must be true while log_info is");
  Setting("log_info").set_bool_param(false);
  Setting("log_verbose_level").set_uint32_param(1);
  ExpectRefusal("log_info must be true while log_verbose_level is not 0");
  Setting("log_verbose_level").set_uint32_param(2);
  ExpectRefusal("log_verbose_level must be 0 or 1; was 2");
  Setting("log_verbose_level").set_bool_param(true);
  ExpectRefusal("log_verbose_level must be a uint32_param");
  Setting("log_info").set_string_param("no");
  ExpectRefusal("log_info must be a bool_param");
  Setting("log_format").set_string_param("default\n");
  ExpectRefusal("log_format must be ISO8601 or json; was 'default\\n'");
  Setting("log_file").set_string_param("/tmp/log");
  ExpectRefusal("log_file must be empty");
  Setting("log_colour").set_bool_param(true);
  ExpectRefusal("'log_colour' is not known");
}

TEST_F(LogSettingsTest, ASettingWithoutAValueIsLeftAlone) {
  Setting("log_error");
  Setting("log_file");
  EXPECT_THAT(HandleLogSettings(request_, &response_), IsOk());
  EXPECT_EQ(base::MinimumLogLevel(), LogLevel::kInfo);
}

}  // namespace
}  // namespace stillwave::service
