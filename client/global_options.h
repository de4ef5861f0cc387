// Options that every command takes.
#pragma once

#include <string>

#include "absl/time/time.h"

namespace stillwave::client {

struct GlobalOptions {
  std::string server = "127.0.0.1:8001";       // HOST:PORT
  absl::Duration timeout = absl::Seconds(30);  // to connect, and for each call; streams have no limit
  bool json = false;
};

}  // namespace stillwave::client
