#include "server/shared_memory/region.h"

#include <sys/stat.h>

#include <cstring>
#include <limits>
#include <string>

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

RegionInfo Info(const std::string& key, uint64_t offset, uint64_t byte_size) {
  return {"region", key, offset, byte_size};
}

std::string ReadAll(const Region& region) {
  std::string bytes(region.info().byte_size, '?');
  EXPECT_THAT(region.Read(0, absl::MakeSpan(bytes.data(), bytes.size())), IsOk());
  return bytes;
}

TEST(RegionTest, ReadsAndWritesTheObjectFromItsOffsetOn) {
  const MemoryObject object("offset", 100);
  std::memcpy(object.data() + 10, "hello", 5);
  const auto region = Region::Open(Info(object.key(), 10, 5));
  ASSERT_THAT(region, IsOk());
  EXPECT_EQ(ReadAll(**region), "hello");
  EXPECT_THAT((*region)->Write(1, "EL"), IsOk());
  EXPECT_EQ(std::string(object.data() + 9, 7), std::string("\0hELlo\0", 7));
}

TEST(RegionTest, AKeyNeedsNoLeadingSlash) {
  const MemoryObject object("slash", 8);
  EXPECT_THAT(Region::Open(Info(object.key().substr(1), 0, 8)), IsOk());
}

TEST(RegionTest, AKeyIsOneFileName) {
  for (const std::string key : {"", "/", ".", "/..", "a/b", "/../etc/passwd", "//double"}) {
    EXPECT_THAT(Region::Open(Info(key, 0, 1)), StatusIs(StatusCode::kInvalidArgument, HasSubstr("key must"))) << key;
  }
  EXPECT_THAT(Region::Open(Info(std::string("a\0b", 3), 0, 1)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("key must be one name")));
  EXPECT_THAT(Region::Open(Info(std::string(256, 'k'), 0, 1)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("1 to 255 characters; had 256")));
}

TEST(RegionTest, AnObjectThatIsNotThereIsNotFound) {
  EXPECT_THAT(Region::Open(Info("/stillwave_no_such_object", 0, 1)),
              StatusIs(StatusCode::kNotFound, HasSubstr("stillwave_no_such_object")));
}

TEST(RegionTest, OnlyPlainMemoryIsOpened) {
  const std::string name = absl::StrCat("stillwave_fifo_", getpid());
  ASSERT_EQ(mkfifo(("/dev/shm/" + name).c_str(), 0600), 0);
  EXPECT_THAT(Region::Open(Info(name, 0, 1)), StatusIs(StatusCode::kInvalidArgument, HasSubstr("a memory object")));
  unlink(("/dev/shm/" + name).c_str());
}

TEST(RegionTest, ASymbolicLinkIsNotFollowed) {
  const MemoryObject object("target", 8);
  const std::string name = absl::StrCat("stillwave_link_", getpid());
  ASSERT_EQ(symlink(("/dev/shm" + object.key()).c_str(), ("/dev/shm/" + name).c_str()), 0);
  EXPECT_FALSE(Region::Open(Info(name, 0, 8)).ok());
  unlink(("/dev/shm/" + name).c_str());
}

TEST(RegionTest, ARegionLiesInsideOfItsObject) {
  const MemoryObject object("inside", 64);
  EXPECT_THAT(Region::Open(Info(object.key(), 0, 64)), IsOk());
  EXPECT_THAT(Region::Open(Info(object.key(), 1, 64)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("at most the object's 64 bytes; were 1 + 64")));
  EXPECT_THAT(Region::Open(Info(object.key(), 0, 0)), StatusIs(StatusCode::kInvalidArgument, HasSubstr("positive")));
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  for (const auto& [offset, size] : {std::pair<uint64_t, uint64_t>{kMax, 2}, {2, kMax}, {kMax, kMax}, {1, kMax / 2}}) {
    EXPECT_THAT(Region::Open(Info(object.key(), offset, size)),
                StatusIs(StatusCode::kInvalidArgument, HasSubstr("offset and byte_size")));
  }
}

TEST(RegionTest, BytesOutsideOfTheRegionAreRefusedWithoutOverflow) {
  const MemoryObject object("bounds", 64);
  const auto region = Region::Open(Info(object.key(), 16, 32));
  ASSERT_THAT(region, IsOk());
  EXPECT_THAT((*region)->CheckInside(0, 32), IsOk());
  EXPECT_THAT((*region)->CheckInside(32, 0), IsOk());
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  for (const auto& [offset, size] :
       {std::pair<uint64_t, uint64_t>{0, 33}, {1, 32}, {33, 0}, {kMax, 1}, {1, kMax}, {kMax, kMax}, {kMax - 1, 3}}) {
    EXPECT_THAT((*region)->CheckInside(offset, size),
                StatusIs(StatusCode::kInvalidArgument, HasSubstr("inside of its 32")))
        << offset << " " << size;
  }
  char byte = 0;
  EXPECT_FALSE((*region)->Read(32, absl::MakeSpan(&byte, 1)).ok());
  EXPECT_FALSE((*region)->Write(31, "ab").ok());
  EXPECT_EQ(object.data()[48], '\0') << "what lies behind the region is not touched";
}

TEST(RegionTest, AnObjectThatBecomesShorterIsAnErrorAndNotTheEndOfTheProcess) {
  const MemoryObject object("shorter", 3 * 4096);
  const auto region = Region::Open(Info(object.key(), 0, 3 * 4096));
  ASSERT_THAT(region, IsOk());
  object.SetSize(4096);
  std::string bytes(3 * 4096, '?');
  EXPECT_THAT((*region)->Read(0, absl::MakeSpan(bytes.data(), bytes.size())),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("become shorter")));
  EXPECT_THAT((*region)->Read(0, absl::MakeSpan(bytes.data(), 4096)), IsOk());
  EXPECT_FALSE((*region)->Write(8192, "x").ok());
  EXPECT_EQ(object.CurrentSize(), 4096U) << "the owner's memory is not given back to it";
}

TEST(RegionTest, TheMemoryOutlivesItsName) {
  auto object = std::make_unique<MemoryObject>("unlinked", 8);
  std::memcpy(object->data(), "12345678", 8);
  const auto region = Region::Open(Info(object->key(), 0, 8));
  ASSERT_THAT(region, IsOk());
  object.reset();
  EXPECT_EQ(ReadAll(**region), "12345678");
}

}  // namespace
}  // namespace stillwave::shared_memory
