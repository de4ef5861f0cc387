// What tells the outside how the server is: health, reflection, and the HTTP port.
#include <google/protobuf/descriptor.pb.h>

#include "gmock/gmock.h"
#include "reflection.grpc.pb.h"
#include "tests/integration/rpc.h"

namespace stillwave::integration {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::reflection::v1alpha::ServerReflection;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;
using testing::HasSubstr;

class Probes : public ServerTest {
 protected:
  static void SetUpTestSuite() { StartWith({ModelFlag("seed_block")}); }

  static grpc::Status Check(const std::string& service, HealthCheckResponse* response) {
    HealthCheckRequest request;
    request.set_service(service);
    grpc::ClientContext context;
    LimitTime(context);
    return client_->health->Check(&context, request, response);
  }

  static ServerReflectionResponse Reflect(const ServerReflectionRequest& request) {
    const auto stub = ServerReflection::NewStub(client_->channel);
    grpc::ClientContext context;
    LimitTime(context);
    const auto stream = stub->ServerReflectionInfo(&context);
    ServerReflectionResponse response;
    EXPECT_TRUE(stream->Write(request));
    EXPECT_TRUE(stream->Read(&response));
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
    return response;
  }

  static std::vector<std::string> ListServices() {
    ServerReflectionRequest request;
    request.set_list_services("*");
    const ServerReflectionResponse response = Reflect(request);
    std::vector<std::string> names;
    for (const auto& service : response.list_services_response().service()) names.push_back(service.name());
    return names;
  }
};

TEST_F(Probes, TheServerAndItsModelAreServing) {
  for (const char* service : {"", "seed_block"}) {
    HealthCheckResponse response;
    EXPECT_TRUE(Check(service, &response).ok());
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING) << "service '" << service << "'";
  }
}

TEST_F(Probes, HealthOfAnUnknownServiceIsNotFound) {
  HealthCheckResponse response;
  const grpc::Status status = Check("nobody", &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("'nobody'"));
}

TEST_F(Probes, WatchTellsTheStatusAtOnceAndAnUnknownServiceAsSuch) {
  for (const auto& [service, wanted] :
       {std::pair("", HealthCheckResponse::SERVING), std::pair("seed_block", HealthCheckResponse::SERVING),
        std::pair("nobody", HealthCheckResponse::SERVICE_UNKNOWN)}) {
    HealthCheckRequest request;
    request.set_service(service);
    grpc::ClientContext context;
    LimitTime(context);
    const auto watch = client_->health->Watch(&context, request);
    HealthCheckResponse response;
    ASSERT_TRUE(watch->Read(&response));
    EXPECT_EQ(response.status(), wanted) << "service '" << service << "'";
    context.TryCancel();
    EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
}

TEST_F(Probes, ReflectionListsAllServices) {
  EXPECT_THAT(ListServices(), testing::IsSupersetOf({"inference.GRPCInferenceService", "stillwave.v1.TimeSeriesService",
                                                     "stillwave.v1.MonitoringService", "grpc.health.v1.Health"}));
}

TEST_F(Probes, ReflectionDescribesEachServiceThatItLists) {
  for (const std::string& service : ListServices()) {
    ServerReflectionRequest request;
    request.set_file_containing_symbol(service);
    const ServerReflectionResponse response = Reflect(request);
    ASSERT_GT(response.file_descriptor_response().file_descriptor_proto_size(), 0)
        << service << ": " << response.error_response().error_message();
    google::protobuf::FileDescriptorProto file;
    EXPECT_TRUE(file.ParseFromString(response.file_descriptor_response().file_descriptor_proto(0)));
    EXPECT_GT(file.service_size(), 0) << service;
  }
}

TEST_F(Probes, HttpProbesAnswer) {
  EXPECT_EQ(HttpGet(server_->http_address(), "/livez").status, 200);
  EXPECT_EQ(HttpGet(server_->http_address(), "/readyz").status, 200);
  EXPECT_EQ(HttpGet(server_->http_address(), "/nothing").status, 404);
}

TEST_F(Probes, MetricsCountRequestsByModelAndCode) {
  inference::ModelInferResponse response;
  ASSERT_TRUE(Call(*client_->inference, &Inference::Stub::ModelInfer, SeedBlockRequest(3, 32), &response).ok());
  inference::ModelInferRequest unknown = SeedBlockRequest(1, 32);
  unknown.set_model_name("nobody");
  ASSERT_FALSE(Call(*client_->inference, &Inference::Stub::ModelInfer, unknown, &response).ok());
  const HttpAnswer metrics = HttpGet(server_->http_address(), "/metrics");
  ASSERT_EQ(metrics.status, 200);
  const std::string& text = metrics.body;
  EXPECT_THAT(text, HasSubstr("stillwave_requests_total{"));
  EXPECT_GE(Metric(text, "stillwave_samples_total{model=\"seed_block\",version=\"1\"}"), 3);
  EXPECT_EQ(Metric(text, "stillwave_model_ready{model=\"seed_block\",version=\"1\"}"), 1);
  EXPECT_THAT(text, testing::ContainsRegex("stillwave_requests_total\\{[^}]*code=\"NOT_FOUND\"[^}]*\\} 1"));
  EXPECT_THAT(text, testing::Not(HasSubstr("nobody"))) << "a client must not be able to add labels";
}

}  // namespace
}  // namespace stillwave::integration
