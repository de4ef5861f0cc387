#include "server/shared_memory/region_registry.h"

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/memory_object.h"
#include "tests/support/status_matchers.h"

namespace stillwave::shared_memory {
namespace {

using absl::StatusCode;
using test_support::IsOk;
using test_support::MemoryObject;
using test_support::StatusIs;
using testing::HasSubstr;

TEST(RegionRegistryTest, ListsByNameWhatIsRegistered) {
  const MemoryObject object("list", 64);
  RegionRegistry registry;
  ASSERT_THAT(registry.Register({"b", object.key(), 8, 16}), IsOk());
  ASSERT_THAT(registry.Register({"a", object.key(), 0, 8}), IsOk());
  const std::vector<RegionInfo> all = registry.List();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "a");
  EXPECT_EQ(all[1].name, "b");
  EXPECT_EQ(all[1].key, object.key());
  EXPECT_EQ(all[1].offset, 8U);
  EXPECT_EQ(all[1].byte_size, 16U);
}

TEST(RegionRegistryTest, ANameIsRegisteredOnceUntilItIsUnregistered) {
  const MemoryObject object("once", 64);
  RegionRegistry registry;
  ASSERT_THAT(registry.Register({"a", object.key(), 0, 8}), IsOk());
  EXPECT_THAT(registry.Register({"a", object.key(), 0, 8}), StatusIs(StatusCode::kAlreadyExists, HasSubstr("'a'")));
  registry.Unregister("a");
  EXPECT_THAT(registry.Find("a"), StatusIs(StatusCode::kNotFound, HasSubstr("'a'")));
  EXPECT_THAT(registry.Register({"a", object.key(), 0, 8}), IsOk());
}

TEST(RegionRegistryTest, AnObjectThatIsRefusedTakesNoPlace) {
  RegionRegistry registry;
  EXPECT_FALSE(registry.Register({"a", "/stillwave_no_such_object", 0, 8}).ok());
  EXPECT_TRUE(registry.List().empty());
}

TEST(RegionRegistryTest, NamesAreBounded) {
  const MemoryObject object("names", 8);
  RegionRegistry registry;
  EXPECT_THAT(registry.Register({"", object.key(), 0, 8}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("1 to 255 characters; had 0")));
  EXPECT_THAT(registry.Register({std::string(256, 'n'), object.key(), 0, 8}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("had 256")));
}

TEST(RegionRegistryTest, OneRegionTooManyIsRefused) {
  const MemoryObject object("many", 8);
  RegionRegistry registry;
  for (size_t i = 0; i < RegionRegistry::kMaxRegions; ++i) {
    ASSERT_THAT(registry.Register({absl::StrCat("region", i), object.key(), 0, 8}), IsOk());
  }
  EXPECT_THAT(registry.Register({"more", object.key(), 0, 8}),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("256")));
  registry.UnregisterAll();
  EXPECT_TRUE(registry.List().empty());
  EXPECT_THAT(registry.Register({"more", object.key(), 0, 8}), IsOk());
}

TEST(RegionRegistryTest, WhoUsesARegionKeepsIt) {
  const MemoryObject object("kept", 8);
  std::memcpy(object.data(), "abcdefgh", 8);
  RegionRegistry registry;
  ASSERT_THAT(registry.Register({"a", object.key(), 0, 8}), IsOk());
  const auto region = registry.Find("a");
  registry.Unregister("a");
  char bytes[8];
  EXPECT_THAT((*region)->Read(0, absl::MakeSpan(bytes)), IsOk());
  EXPECT_EQ(std::string(bytes, 8), "abcdefgh");
}

TEST(RegionRegistryTest, ThreadsMayRegisterFindAndUnregisterAtOnce) {
  const MemoryObject object("threads", 8);
  RegionRegistry registry;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, name = absl::StrCat("region", i % 2)] {
      for (int j = 0; j < 200; ++j) {
        registry.Register({name, object.key(), 0, 8}).IgnoreError();
        if (const auto region = registry.Find(name); region.ok()) {
          char bytes[8];
          EXPECT_THAT((*region)->Read(0, absl::MakeSpan(bytes)), IsOk());
        }
        registry.Unregister(name);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(registry.List().empty());
}

}  // namespace
}  // namespace stillwave::shared_memory
