// The server's drift messages as our own structs.
#pragma once

#include "client/drift_info.h"
#include "stillwave/v1/monitoring.pb.h"

namespace stillwave::client {

DriftInfo FromDriftReport(const v1::DriftReport& report);

}  // namespace stillwave::client
