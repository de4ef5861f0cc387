// One repository with every broken, hostile and foreign file, and a good model among them.
#include <signal.h>

#include <map>

#include "gmock/gmock.h"
#include "tests/integration/rpc.h"
#include "tests/support/bad_models.h"

namespace stillwave::integration {
namespace {

namespace fs = std::filesystem;
using test_support::BadModel;
using test_support::BadModelOutcome;
using testing::ContainsRegex;

// <folder>/<name>/1/model.onnx, with the data files that lie beside it.
void AddBadModel(const TemporaryFolder& repository, const BadModel& model) {
  const fs::path folder = repository.path() / model.name / "1";
  fs::create_directories(folder);
  fs::copy_file(model.path, folder / "model.onnx");
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(model.path).parent_path())) {
    if (entry.path().extension() == ".bin") fs::copy_file(entry.path(), folder / entry.path().filename());
  }
}

inference::ModelInferResponse MustInfer(Client& client) {
  inference::ModelInferResponse response;
  const grpc::Status status = Call(*client.inference, &Inference::Stub::ModelInfer, SeedBlockRequest(2, 33), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

TEST(BadRepository, RefusesTheBadModelsWithTheirReasonsAndServesTheGoodOne) {
  const std::vector<BadModel> models = test_support::BadModels();
  if (models.empty()) GTEST_SKIP() << "the folder of test data is not beside the repository";
  TemporaryFolder repository;
  repository.AddModel("seed_block", "seed_block", "1");
  for (const BadModel& model : models) AddBadModel(repository, model);
  auto server = test_support::ServerProcess::Start({repository.RepositoryFlag()});
  ASSERT_TRUE(server.ok()) << server.status();
  Client client((*server)->grpc_address());
  EXPECT_EQ(HttpGet((*server)->http_address(), "/readyz").status, 200);

  inference::RepositoryIndexResponse index;
  ASSERT_TRUE(Call(*client.inference, &Inference::Stub::RepositoryIndex, {}, &index).ok());
  std::map<std::string, const inference::RepositoryIndexResponse::ModelIndex*> listed;
  for (const auto& entry : index.models()) listed[entry.name()] = &entry;
  ASSERT_EQ(listed.size(), models.size() + 1);
  EXPECT_EQ(listed["seed_block"]->state(), "READY");
  for (const BadModel& model : models) {
    SCOPED_TRACE(model.file + ": " + model.why);
    const auto& entry = *listed[model.name];
    if (model.outcome == BadModelOutcome::kServed) {
      EXPECT_EQ(entry.state(), "READY") << entry.reason();
    } else if (model.outcome == BadModelOutcome::kRefused || entry.state() != "READY") {
      EXPECT_EQ(entry.state(), "UNAVAILABLE");
      EXPECT_THAT(entry.reason(), ContainsRegex(model.words));
    }
  }

  const inference::ModelInferResponse before = MustInfer(client);
  // Those that could be loaded and must fail when they run.
  for (const BadModel& model : models) {
    if (model.outcome != BadModelOutcome::kNotServed || listed[model.name]->state() != "READY") continue;
    inference::ModelInferRequest request;
    request.set_model_name(model.name);
    AddRawInput(request, "x", "FP32", {1, 3, model.time_steps}, BytesOf(Signal(1, 3, model.time_steps)));
    inference::ModelInferResponse response;
    EXPECT_FALSE(Call(*client.inference, &Inference::Stub::ModelInfer, request, &response).ok()) << model.file;
  }
  EXPECT_EQ(MustInfer(client).raw_output_contents(0), before.raw_output_contents(0));
  (*server)->Signal(SIGTERM);
  EXPECT_EQ((*server)->Wait(), 0);
}

}  // namespace
}  // namespace stillwave::integration
