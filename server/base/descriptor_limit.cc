#include "server/base/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

#include "server/base/check.h"

namespace stillwave::base {
namespace {

rlimit DescriptorLimits() {
  rlimit limits{};
  SW_CHECK(getrlimit(RLIMIT_NOFILE, &limits) == 0);
  return limits;
}

// RLIM_INFINITY does not fit.
int64_t LimitAsInteger(rlim_t limit) {
  return static_cast<int64_t>(std::min<rlim_t>(limit, std::numeric_limits<int64_t>::max()));
}

}  // namespace

int64_t RaiseDescriptorLimit() {
  rlimit limits = DescriptorLimits();
  if (limits.rlim_cur != limits.rlim_max) {
    limits.rlim_cur = limits.rlim_max;
    // May be refused where the kernel's own limit is lower (fs.nr_open); then the old one holds.
    setrlimit(RLIMIT_NOFILE, &limits);
  }
  return DescriptorLimit();
}

int64_t DescriptorLimit() { return LimitAsInteger(DescriptorLimits().rlim_cur); }

}  // namespace stillwave::base
