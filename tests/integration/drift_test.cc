// Drift through the real server: the demonstration model, a real electrocardiogram, and what becomes of its figures
// when the signal changes.
#include <signal.h>

#include <cmath>
#include <functional>
#include <random>

#include "gmock/gmock.h"
#include "tests/integration/rpc.h"
#include "tests/support/ecg_recording.h"
#include "tests/support/onnx_file.h"

namespace stillwave::integration {
namespace {

using test_support::kEcgHeldBack;
using test_support::kEcgRate;
using test_support::ServerProcess;
using testing::HasSubstr;
using testing::Not;
using v1::DriftReport;

constexpr int64_t kDriftWindow = 128;
constexpr int64_t kDriftHop = 90;
constexpr char kFirstLayer[] = "/1/BatchNormalization";

constexpr char kWatchAll[] = R"pb(
  parameters {
    key: "drift_sample_rate"
    value: { string_value: "1" }
  }
  parameters {
    key: "drift_half_life"
    value: { string_value: "1000" }
  }
  parameters {
    key: "drift_minimum_samples"
    value: { string_value: "20" }
  }
)pb";

// A convolution and nothing else, as exporters leave of a layer whose normalization they folded.
std::string ModelWithoutNormalization() {
  test_support::OnnxFile file;
  file.Input("x", {-1, 1, -1}).Weight("w", {1, 1, 1}, {2}).Node("Conv", {"x", "w"}, "y").Output("y");
  return file.Bytes();
}

class DriftServerTest : public ServerTest {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder();
    std::filesystem::create_directories(folder_->path() / "ecg" / "1");
    std::filesystem::copy_file(absl::StrCat(test_support::DataDir(), "/ecg/ecg_beats.onnx"),
                               folder_->path() / "ecg" / "1" / "model.onnx");
    folder_->Write("ecg/config.pbtxt", kWatchAll);
    folder_->AddModel("seed_block", "unwatched", "1");
    folder_->Write("unwatched/config.pbtxt",
                   "parameters { key: \"drift_sample_rate\" value: { string_value: \"0\" } }");
    folder_->Write("plain/1/model.onnx", ModelWithoutNormalization());
    StartWith({folder_->RepositoryFlag()});
  }
  static void TearDownTestSuite() {
    ServerTest::TearDownTestSuite();
    delete folder_;
    folder_ = nullptr;
  }
  void SetUp() override {
    ServerTest::SetUp();
    Reset();
  }

  static v1::ResetDriftResponse Reset() {
    v1::ResetDriftRequest request;
    request.set_model_name("ecg");
    v1::ResetDriftResponse response;
    grpc::ClientContext context;
    LimitTime(context);
    const grpc::Status status = client_->monitoring->ResetDrift(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  static grpc::Status GetDrift(const std::string& model, DriftReport* report) {
    v1::GetDriftRequest request;
    request.set_model_name(model);
    grpc::ClientContext context;
    LimitTime(context);
    return client_->monitoring->GetDrift(&context, request, report);
  }
  static DriftReport Report() {
    DriftReport report;
    const grpc::Status status = GetDrift("ecg", &report);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return report;
  }

  // The report once so many samples were observed or dropped.
  static DriftReport AwaitAccounted(int64_t samples) {
    v1::WatchDriftRequest request;
    request.set_model_name("ecg");
    request.set_interval_seconds(0.1);
    grpc::ClientContext context;
    LimitTime(context);
    const auto reader = client_->monitoring->WatchDrift(&context, request);
    DriftReport report;
    while (reader->Read(&report) && report.samples() + report.dropped_samples() < samples) {
    }
    EXPECT_EQ(report.samples() + report.dropped_samples(), samples);
    context.TryCancel();
    (void)reader->Finish();
    return report;
  }
  // Of all that was sampled since the server's start.
  static int64_t Dropped() { return Report().dropped_samples(); }

  // A hundred windows of the held-back minute in small batches, each observed before the next is sent, so that few are
  // dropped.
  static DriftReport Infer(const std::vector<float>& signal) {
    constexpr int64_t kBatch = 20;
    const int64_t dropped = Dropped();
    DriftReport report;
    for (int64_t done = 0; done < 100; done += kBatch) {
      std::vector<float> batch;
      for (int64_t i = done; i < done + kBatch; ++i) {
        const auto first = signal.begin() + static_cast<std::ptrdiff_t>(kEcgHeldBack) + i * kDriftHop;
        batch.insert(batch.end(), first, first + kDriftWindow);
      }
      inference::ModelInferRequest request;
      request.set_model_name("ecg");
      AddRawInput(request, "ecg", "FP32", {kBatch, 1, kDriftWindow}, BytesOf(batch));
      inference::ModelInferResponse response;
      const grpc::Status status = Call(*client_->inference, &Inference::Stub::ModelInfer, request, &response);
      EXPECT_TRUE(status.ok()) << status.error_message();
      report = AwaitAccounted(dropped + done + kBatch);
    }
    return report;
  }

  static void Stream(const std::vector<float>& signal, int64_t hop, int64_t windows) {
    grpc::ClientContext context;
    LimitTime(context);
    const auto stream = client_->streams->StreamWindows(&context);
    v1::StreamWindowsRequest request;
    request.mutable_open()->set_series_id("s");
    request.mutable_open()->set_model_name("ecg");
    request.mutable_open()->set_window_length(kDriftWindow);
    request.mutable_open()->set_hop(hop);
    ASSERT_TRUE(stream->Write(request));
    request.mutable_chunk()->set_series_id("s");
    request.mutable_chunk()->set_fp32_samples(BytesOf(
        absl::MakeConstSpan(signal).subspan(kEcgHeldBack, static_cast<size_t>(kDriftWindow + (windows - 1) * hop))));
    ASSERT_TRUE(stream->Write(request));
    stream->WritesDone();
    int64_t answered = 0;
    for (v1::StreamWindowsResponse response; stream->Read(&response);) answered += response.has_window() ? 1 : 0;
    EXPECT_TRUE(stream->Finish().ok());
    EXPECT_EQ(answered, windows);
  }

  static std::vector<float> Changed(const std::function<double(double value, double seconds)>& change) {
    std::vector<float> changed = test_support::ReadEcgRecording();
    for (size_t i = 0; i < changed.size(); ++i) {
      changed[i] = static_cast<float>(change(static_cast<double>(changed[i]), static_cast<double>(i) / kEcgRate));
    }
    return changed;
  }

  static double Divergence(const DriftReport& report, int layer) { return report.layers(layer).mean().divergence(); }
  static std::string Metrics() { return HttpGet(server_->http_address(), "/metrics").body; }

  static inline TemporaryFolder* folder_ = nullptr;
};

TEST_F(DriftServerTest, WhatTheModelWasTrainedOnDivergesLittle) {
  const DriftReport report = Infer(test_support::ReadEcgRecording());
  EXPECT_EQ(report.model_name(), "ecg");
  EXPECT_EQ(report.model_version(), "1");
  EXPECT_EQ(report.sample_rate(), 1);
  EXPECT_EQ(report.half_life_samples(), 1000);
  EXPECT_EQ(report.minimum_samples(), 20);
  EXPECT_TRUE(report.sufficient());
  ASSERT_EQ(report.layers_size(), 3);
  EXPECT_EQ(report.layers(0).name(), kFirstLayer);
  EXPECT_EQ(report.layers(0).channels_size(), 64);
  EXPECT_EQ(report.layers(1).channels_size(), 128);
  for (int layer = 0; layer < 3; ++layer) EXPECT_LT(Divergence(report, layer), 0.25) << layer;
  const double divergence = Metric(Metrics(), absl::StrCat("stillwave_batchnorm_divergence{layer=\"", kFirstLayer,
                                                           "\",model=\"ecg\",statistic=\"mean\",version=\"1\"}"));
  EXPECT_NEAR(divergence, Divergence(report, 0), 1e-6);
}

TEST_F(DriftServerTest, AReportWithoutChannelsHasTheLayersFigures) {
  v1::GetDriftRequest request;
  request.set_model_name("ecg");
  request.set_without_channels(true);
  grpc::ClientContext context;
  LimitTime(context);
  DriftReport report;
  ASSERT_TRUE(client_->monitoring->GetDrift(&context, request, &report).ok());
  ASSERT_EQ(report.layers_size(), 3);
  EXPECT_EQ(report.layers(0).channels_size(), 0);
}

TEST_F(DriftServerTest, AnotherGainABaselineThatWandersAndNoiseAreSeen) {
  const DriftReport clean = Infer(test_support::ReadEcgRecording());
  Reset();
  const DriftReport louder = Infer(Changed([](double value, double) { return 2 * value; }));
  Reset();
  const DriftReport wandering =
      Infer(Changed([](double value, double seconds) { return value + 2.5 * std::sin(1.5 * seconds); }));
  Reset();
  std::mt19937_64 random(1);
  std::normal_distribution<double> noise(0, 0.2);
  const DriftReport noisy = Infer(Changed([&](double value, double) { return value + noise(random); }));
  // The last layer for those that make strokes larger or more; a baseline is seen by the first, and filtered out behind
  // it.
  EXPECT_GT(Divergence(louder, 2), 3 * Divergence(clean, 2));
  EXPECT_GT(Divergence(noisy, 2), 3 * Divergence(clean, 2));
  EXPECT_GT(Divergence(wandering, 0), 3 * Divergence(clean, 0));
}

TEST_F(DriftServerTest, WindowsOfStreamsAreSampledWhetherTheyReuseTheirOverlapOrNot) {
  const std::vector<float> signal = test_support::ReadEcgRecording();
  Reset();
  const int64_t dropped = Dropped();
  // A hop as long as the window: each window is new, and computed in full.
  Stream(signal, kDriftWindow, /*windows=*/30);
  EXPECT_GT(AwaitAccounted(dropped + 30).samples(), 0);

  // Seven eighths of a window are those of the one before: about one in eight is observed.
  Reset();
  const int64_t dropped_before = Dropped();
  Stream(signal, kDriftWindow / 8, /*windows=*/400);
  DriftReport report;
  do {
    report = Report();
  } while (report.samples() + report.dropped_samples() - dropped_before < 20);
  EXPECT_LT(report.samples() + report.dropped_samples() - dropped_before, 100);
  EXPECT_GT(report.samples(), 0);
}

TEST_F(DriftServerTest, AResetForgetsAndTakesTheMetricsAway) {
  const DriftReport before = Infer(test_support::ReadEcgRecording());
  EXPECT_THAT(Metrics(), HasSubstr("stillwave_batchnorm_divergence{"));
  const v1::ResetDriftResponse reset = Reset();
  EXPECT_EQ(reset.model_name(), "ecg");
  EXPECT_EQ(reset.model_version(), "1");
  EXPECT_EQ(reset.forgotten_samples(), before.samples());
  const DriftReport after = Report();
  EXPECT_EQ(after.samples(), 0);
  EXPECT_FALSE(after.sufficient());
  EXPECT_EQ(Divergence(after, 0), 0);
  EXPECT_EQ(after.layers(0).channels(0).stored_mean(), before.layers(0).channels(0).stored_mean());
  EXPECT_THAT(Metrics(), Not(HasSubstr("stillwave_batchnorm_divergence{")));
}

TEST_F(DriftServerTest, AModelThatIsNotWatchedSaysWhy) {
  DriftReport report;
  EXPECT_EQ(GetDrift("nothing", &report).error_code(), grpc::StatusCode::NOT_FOUND);
  const grpc::Status off = GetDrift("unwatched", &report);
  EXPECT_EQ(off.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(off.error_message(), HasSubstr("drift_sample_rate must be above 0"));
  const grpc::Status folded = GetDrift("plain", &report);
  EXPECT_EQ(folded.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(folded.error_message(), HasSubstr("no batch normalization layer"));
  EXPECT_TRUE(server_->WaitForLog("drift cannot be watched: the file has no batch normalization layer model=plain"));
}

grpc::Status WatchOnce(const Client& client, const std::string& model, double interval) {
  v1::WatchDriftRequest request;
  request.set_model_name(model);
  request.set_interval_seconds(interval);
  grpc::ClientContext context;
  LimitTime(context);
  const auto reader = client.monitoring->WatchDrift(&context, request);
  DriftReport report;
  EXPECT_FALSE(reader->Read(&report));
  return reader->Finish();
}

TEST_F(DriftServerTest, AWatchThatCannotBeIsRefused) {
  EXPECT_EQ(WatchOnce(*client_, "nothing", 1).error_code(), grpc::StatusCode::NOT_FOUND);
  for (const double interval : {0.05, -1.0, 4000.0, std::nan("")}) {
    const grpc::Status status = WatchOnce(*client_, "ecg", interval);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << interval;
    EXPECT_THAT(status.error_message(), HasSubstr("interval_seconds must be 0.1 to 3600, or 0; was "));
  }
}

// Declared in the order in which they need each other; a call that is left open is cancelled.
struct OpenWatch {
  explicit OpenWatch(const Client& client) {
    LimitTime(context);
    v1::WatchDriftRequest request;
    request.set_model_name("ecg");
    request.set_interval_seconds(3600);
    reader = client.monitoring->WatchDrift(&context, request);
  }
  ~OpenWatch() {
    context.TryCancel();
    (void)reader->Finish();
  }
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<DriftReport>> reader;
};

TEST_F(DriftServerTest, WatchersAreBounded) {
  std::vector<std::unique_ptr<OpenWatch>> watches;
  DriftReport report;
  for (int i = 0; i < 64; ++i) {
    watches.push_back(std::make_unique<OpenWatch>(*client_));
    ASSERT_TRUE(watches.back()->reader->Read(&report)) << i;
  }
  const grpc::Status refused = WatchOnce(*client_, "ecg", 1);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("at most 64"));
}

TEST(DriftDrainTest, AWatchEndsWhenTheServerStops) {
  auto server = ServerProcess::Start({"--drift_sample_rate=1"});
  ASSERT_TRUE(server.ok()) << server.status();
  Client client((*server)->grpc_address());
  grpc::ClientContext context;
  LimitTime(context);
  v1::WatchDriftRequest request;
  request.set_model_name("ecg-beats");
  request.set_interval_seconds(3600);
  const auto reader = client.monitoring->WatchDrift(&context, request);
  DriftReport report;
  ASSERT_TRUE(reader->Read(&report));
  EXPECT_EQ(report.sample_rate(), 1);
  (*server)->Signal(SIGTERM);
  EXPECT_FALSE(reader->Read(&report));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ((*server)->Wait(), 0) << (*server)->Log();
}

}  // namespace
}  // namespace stillwave::integration
