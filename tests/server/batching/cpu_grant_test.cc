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

// As a container without a cgroup namespace sees version 2: its path is the host's, and only its own part is mounted.
TEST_F(CpuGrantTest, APathIsReadBelowWhatItsMountShows) {
  Write("proc/self/cgroup", "0::/system.slice/docker-abc.scope/app\n");
  Write("proc/self/mountinfo",
        "22 1 0:20 / / rw,relatime - overlay overlay rw\n"
        "31 22 0:26 /system.slice/docker-abc.scope /sys/fs/cgroup ro,nosuid shared:4 - cgroup2 cgroup rw,nsdelegate\n");
  Write("sys/fs/cgroup/cpu.max", "400000 100000\n");
  Write("sys/fs/cgroup/app/cpu.max", "250000 100000\n");
  EXPECT_EQ(Grant(8).cpus, 3);
}

TEST_F(CpuGrantTest, APathOutsideOfTheNamespaceLeavesTheMountsRoot) {
  Write("proc/self/cgroup", "0::/../../other\n");
  Write("proc/self/mountinfo", "31 22 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  Write("sys/fs/cgroup/cpu.max", "100000 100000\n");
  EXPECT_EQ(Grant(8).cpus, 1);
}

// systemd's hybrid layout: controllers of version 1, and version 2 without controllers beside them.
TEST_F(CpuGrantTest, ReadsBothVersionsWhereBothAreMounted) {
  Write("proc/self/cgroup", "3:cpuset:/\n1:cpu,cpuacct:/job\n0::/job\n");
  Write("proc/self/mountinfo",
        "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
        "34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"
        "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n");
  Write("sys/fs/cgroup/cpuset/cpuset.cpus", "0-5\n");
  EXPECT_EQ(Grant(8).cpus, 6);
  EXPECT_THAT(Grant(8).reason, HasSubstr("cpuset has 6 CPUs"));
  Write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "400000\n");
  Write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Grant(8).cpus, 4);
  Write("sys/fs/cgroup/unified/job/cpu.max", "200000 100000\n");
  EXPECT_EQ(Grant(8).cpus, 2);
}

TEST_F(CpuGrantTest, AMountPointMayHaveBlanks) {
  Write("proc/self/cgroup", "0::/\n");
  Write("proc/self/mountinfo", "31 22 0:26 / /my\\040cgroups rw - cgroup2 cgroup rw\n");
  Write("my cgroups/cpu.max", "200000 100000\n");
  EXPECT_EQ(Grant(8).cpus, 2);
}

TEST_F(CpuGrantTest, TheInnermostCpusetHolds) {
  Write("proc/self/cgroup", "0::/pod/app\n");
  Write("sys/fs/cgroup/cpuset.cpus.effective", "0-15\n");
  Write("sys/fs/cgroup/pod/cpuset.cpus.effective", "2-4\n");
  EXPECT_EQ(Grant(8).cpus, 3) << "the application's own folder has no such file: it has its parent's";
  Write("sys/fs/cgroup/pod/app/cpuset.cpus.effective", "2,4\n");
  EXPECT_EQ(Grant(8).cpus, 2);
  EXPECT_EQ(Grant(1).cpus, 1) << "the affinity may be narrower";
}

TEST_F(CpuGrantTest, MountsThatMakeNoSenseArePassedOver) {
  Write("proc/self/cgroup", "0::/a\n4:cpu:/b\n");
  Write("proc/self/mountinfo", "- - -\n31 22 0:26 / /sys rw - cgroup2\n1 2 3 4 5 6 7\n\n - cgroup2 x y\n");
  Write("sys/fs/cgroup/a/cpu.max", "200000 100000\n");
  EXPECT_EQ(Grant(8).cpus, 2) << "none is left, so the usual places are looked at";
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
