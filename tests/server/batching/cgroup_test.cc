#include "server/batching/cgroup.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::batching {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

TEST(ParseQuotaTest, IsQuotaByPeriod) {
  EXPECT_THAT(ParseQuota("150000", "100000"), Optional(1.5));
  EXPECT_EQ(ParseQuota("max", "100000"), std::nullopt);
  EXPECT_EQ(ParseQuota("-1", "100000"), std::nullopt);
  EXPECT_EQ(ParseQuota("100000", "0"), std::nullopt);
  EXPECT_EQ(ParseQuota("nan", "1"), std::nullopt);
  EXPECT_EQ(ParseQuota("", ""), std::nullopt);
}

TEST(CountCpusTest, CountsRangesAndSingles) {
  EXPECT_THAT(CountCpus("0-3,8\n"), Optional(5));
  EXPECT_THAT(CountCpus("7"), Optional(1));
  EXPECT_THAT(CountCpus("0-1023"), Optional(1024));
}

TEST(CountCpusTest, NonsenseIsNoCount) {
  for (const char* list :
       {"", "\n", "a", "3-1", "-1", "1-", "0-99999999999", "0-1048577", "1,,2", "0-1048576,0-1048576"}) {
    EXPECT_EQ(CountCpus(list), std::nullopt) << list;
  }
}

TEST(FoldersTest, GoFromTheInsideOut) {
  EXPECT_THAT(Folders({2, "/sys/fs/cgroup", "/pod/app"}),
              ElementsAre("/sys/fs/cgroup/pod/app", "/sys/fs/cgroup/pod", "/sys/fs/cgroup"));
  EXPECT_THAT(Folders({2, "/sys/fs/cgroup", ""}), ElementsAre("/sys/fs/cgroup"));
}

}  // namespace
}  // namespace stillwave::batching
