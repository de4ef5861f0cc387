#include "server/batching/cpu_grant.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::batching {
namespace {

using ::testing::HasSubstr;

// A folder that looks like "/" to one who reads cgroups.
class CpuGrantTest : public testing::Test {
 protected:
  CpuGrantTest()
      : root_(std::filesystem::path(testing::TempDir()) /
              (std::string("cgroup") + std::to_string(getpid()) +
               testing::UnitTest::GetInstance()->current_test_info()->name())) {}
  ~CpuGrantTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  CpuGrant Grant(int affinity_cpus) { return FindCpuGrant(root_, affinity_cpus); }

  const std::filesystem::path root_;
};

TEST_F(CpuGrantTest, WithoutACgroupTheAffinityHolds) {
  EXPECT_EQ(Grant(8).cpus, 8);
  EXPECT_THAT(Grant(8).reason, HasSubstr("affinity allows 8"));
}

TEST_F(CpuGrantTest, AQuotaIsRoundedUp) {
  Write("proc/self/cgroup", "0::/pod/app\n");
  Write("sys/fs/cgroup/pod/app/cpu.max", "150000 100000\n");
  EXPECT_EQ(Grant(8).cpus, 2);
  EXPECT_THAT(Grant(8).reason, HasSubstr("quota is 1.5 CPUs"));
}

TEST_F(CpuGrantTest, LessThanOneCpuIsOneWorker) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/cpu.max", "10000 100000\n");
  EXPECT_EQ(Grant(8).cpus, 1);
}

TEST_F(CpuGrantTest, NoQuotaIsNoLimit) {
  Write("proc/self/cgroup", "0::/app\n");
  Write("sys/fs/cgroup/app/cpu.max", "max 100000\n");
  EXPECT_EQ(Grant(3).cpus, 3);
}

TEST_F(CpuGrantTest, AParentsSmallerQuotaHolds) {
  Write("proc/self/cgroup", "0::/pod/app\n");
  Write("sys/fs/cgroup/pod/cpu.max", "200000 100000\n");
  Write("sys/fs/cgroup/pod/app/cpu.max", "600000 100000\n");
  EXPECT_EQ(Grant(8).cpus, 2);
}

TEST_F(CpuGrantTest, AQuotaLargerThanTheAffinityChangesNothing) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/cpu.max", "900000000000000000 100000\n");
  EXPECT_EQ(Grant(4).cpus, 4);
}

TEST_F(CpuGrantTest, ReadsVersionOneUnderItsJoinedName) {
  Write("proc/self/cgroup", "12:memory:/x\n4:cpu,cpuacct:/docker/abc\n");
  Write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "300000\n");
  Write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Grant(8).cpus, 3);
}

TEST_F(CpuGrantTest, InsideAContainerThePathIsTheHostsAndOnlyTheRootIsThere) {
  Write("proc/self/cgroup", "4:cpu,cpuacct:/docker/abc\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "250000\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Grant(8).cpus, 3);
}

TEST_F(CpuGrantTest, AVersionOneQuotaOfMinusOneIsNoLimit) {
  Write("proc/self/cgroup", "4:cpu:/\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Grant(5).cpus, 5);
}

TEST_F(CpuGrantTest, NonsenseInTheFilesIsNoLimit) {
  Write("proc/self/cgroup", "garbage\n0::/a\n:::\n");
  Write("sys/fs/cgroup/a/cpu.max", "12 0\n");
  Write("sys/fs/cgroup/cpu.max", "many words are here\n");
  EXPECT_EQ(Grant(5).cpus, 5);
}

TEST(CpuGrantOfThisMachineTest, IsAtLeastOne) { EXPECT_GE(FindCpuGrant().cpus, 1); }

}  // namespace
}  // namespace stillwave::batching
