#include "server/repository/repository_scan.h"

#include <filesystem>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/repository/test_repository.h"
#include "tests/support/status_matchers.h"

namespace stillwave::repository {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RepositoryScanTest : public testing::Test {
 protected:
  RepositoryScan Scan() {
    auto scan = ScanRepository(folder_.path());
    EXPECT_THAT(scan, IsOk());
    return *std::move(scan);
  }
  static std::vector<int64_t> Versions(const ModelCandidate& model) {
    std::vector<int64_t> versions;
    for (const VersionCandidate& version : model.versions) versions.push_back(version.version);
    return versions;
  }
  TestFolder folder_;
};

TEST_F(RepositoryScanTest, FindsModelsByNameAndVersionsByNumber) {
  folder_.Write("b/2/model.onnx", "");
  folder_.Write("b/10/model.onnx", "");
  folder_.Write("b/1/model.onnx", "");
  folder_.Write("b/config.pbtxt", "");
  folder_.Write("a/1/model.onnx", "");
  const RepositoryScan scan = Scan();
  ASSERT_EQ(scan.models.size(), 2u);
  EXPECT_EQ(scan.models[0].name, "a");
  EXPECT_EQ(scan.models[0].config_file, "");
  EXPECT_EQ(scan.models[1].name, "b");
  EXPECT_EQ(scan.models[1].config_file, folder_.path() + "/b/config.pbtxt");
  EXPECT_THAT(Versions(scan.models[1]), ElementsAre(1, 2, 10));
  EXPECT_EQ(scan.models[1].versions[2].model_file, folder_.path() + "/b/10/model.onnx");
  EXPECT_THAT(scan.ignored, IsEmpty());
}

TEST_F(RepositoryScanTest, WhatIsNoModelIsPassedOverWithAReason) {
  folder_.Write("readme.txt", "");
  folder_.Write("a/notes.txt", "");
  folder_.Write("a/first/model.onnx", "");
  folder_.Write("a/01/model.onnx", "");
  folder_.Write("a/0/model.onnx", "");
  folder_.Write("a/-1/model.onnx", "");
  folder_.Write("a/99999999999999999999/model.onnx", "");
  folder_.Write("a/7/weights.bin", "");
  folder_.Write("a/8/model.onnx/trap", "");
  const RepositoryScan scan = Scan();
  ASSERT_EQ(scan.models.size(), 1u);
  EXPECT_THAT(scan.models[0].versions, IsEmpty());
  EXPECT_THAT(scan.ignored,
              testing::UnorderedElementsAre(
                  "'readme.txt' is not a model folder", HasSubstr("'a/notes.txt' is neither config.pbtxt nor"),
                  HasSubstr("'a/first' is not a version"), HasSubstr("'a/01' is not a version"),
                  HasSubstr("'a/0' is not a version"), HasSubstr("'a/-1' is not a version"),
                  HasSubstr("'a/99999999999999999999' is not a version"), HasSubstr("'a/7' has no model.onnx"),
                  HasSubstr("'a/8' has no model.onnx")));
}

TEST_F(RepositoryScanTest, DotEntriesAreSilentAndLinksAreFollowed) {
  folder_.Write(".git/config", "");
  folder_.Write("..data/ecg/1/model.onnx", "");
  std::filesystem::create_directory_symlink(folder_.path() + "/..data/ecg", folder_.path() + "/ecg");
  const RepositoryScan scan = Scan();
  ASSERT_EQ(scan.models.size(), 1u);
  EXPECT_EQ(scan.models[0].name, "ecg");
  EXPECT_THAT(Versions(scan.models[0]), ElementsAre(1));
  EXPECT_THAT(scan.ignored, IsEmpty());
}

TEST_F(RepositoryScanTest, TheStampOfAModelChangesWithEachOfItsFiles) {
  folder_.Write("a/1/model.onnx", "x");
  folder_.Write("a/config.pbtxt", "");
  folder_.Write("b/1/model.onnx", "x");
  const RepositoryScan before = Scan();
  EXPECT_EQ(StampOf(Scan().models[0]), StampOf(before.models[0]));
  folder_.Write("a/config.pbtxt", "max_batch_size: 4");
  const RepositoryScan configured = Scan();
  EXPECT_NE(StampOf(configured.models[0]), StampOf(before.models[0]));
  EXPECT_EQ(configured.models[0].versions[0].stamp, before.models[0].versions[0].stamp);
  folder_.Write("a/1/weights.bin", "");
  EXPECT_NE(Scan().models[0].versions[0].stamp, configured.models[0].versions[0].stamp);
  EXPECT_EQ(StampOf(Scan().models[1]), StampOf(before.models[1]));
}

TEST_F(RepositoryScanTest, OneModelIsScannedAlone) {
  folder_.Write("a/1/model.onnx", "");
  folder_.Write("b/1/model.onnx", "");
  const auto scan = ScanOneModel(folder_.path(), "b");
  ASSERT_THAT(scan, IsOk());
  ASSERT_EQ(scan->models.size(), 1u);
  EXPECT_EQ(scan->models[0].name, "b");
  EXPECT_EQ(StampOf(scan->models[0]), StampOf(Scan().models[1]));
  EXPECT_THAT(ScanOneModel(folder_.path(), "c"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("the repository has no folder 'c'")));
}

TEST_F(RepositoryScanTest, ANameThatLeadsOutOfTheRepositoryIsRefused) {
  folder_.Write("inside/1/model.onnx", "");
  const std::string inside = folder_.path() + "/inside";
  for (const std::string& name :
       {std::string("../inside"), std::string(".."), std::string("."), std::string(""), std::string("a/b"),
        std::string("/etc"), std::string(".hidden"), std::string("a\0b", 3), std::string(256, 'x')}) {
    EXPECT_THAT(ScanOneModel(inside, name),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("must be that of a folder in the repository")))
        << name;
  }
}

TEST_F(RepositoryScanTest, ModelsAreListedByName) {
  folder_.Write("b/1/model.onnx", "");
  folder_.Write("a/readme.txt", "");
  folder_.Write("file", "");
  const auto names = ListModels(folder_.path());
  ASSERT_THAT(names, IsOk());
  EXPECT_THAT(*names, ElementsAre("a", "b"));
  EXPECT_THAT(ListModels(folder_.path() + "/nowhere"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("nowhere")));
}

TEST_F(RepositoryScanTest, AModelThatCannotBeLookedIntoSaysSo) {
  if (geteuid() == 0) GTEST_SKIP() << "root may look into everything";
  folder_.Write("a/1/model.onnx", "");
  std::filesystem::permissions(folder_.path() + "/a", std::filesystem::perms::none);
  const RepositoryScan scan = Scan();
  std::filesystem::permissions(folder_.path() + "/a", std::filesystem::perms::owner_all);
  ASSERT_EQ(scan.models.size(), 1u);
  EXPECT_THAT(scan.models[0].unreadable, HasSubstr("Permission denied"));
}

TEST_F(RepositoryScanTest, AnEmptyFolderHasNoModels) { EXPECT_THAT(Scan().models, IsEmpty()); }

TEST_F(RepositoryScanTest, AFolderThatCannotBeReadIsAnError) {
  EXPECT_THAT(ScanRepository(folder_.path() + "/nowhere"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nowhere' cannot be read: No such file")));
  folder_.Write("file", "");
  EXPECT_THAT(ScanRepository(folder_.path() + "/file"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("Not a directory")));
}

}  // namespace
}  // namespace stillwave::repository
