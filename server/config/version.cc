#include "server/config/version.h"

namespace stillwave::config {

absl::string_view Version() { return STILLWAVE_VERSION; }

}  // namespace stillwave::config
