// How many descriptors the process may have: each connection takes one.
#pragma once

#include <cstdint>

namespace stillwave::base {

// Raises the soft limit to the hard one, which needs no right. Returns what holds then.
int64_t RaiseDescriptorLimit();

// The soft limit as it is now.
int64_t DescriptorLimit();

}  // namespace stillwave::base
