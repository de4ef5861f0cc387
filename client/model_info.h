// What the server tells about itself and its models.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stillwave::client {

struct TensorInfo {
  std::string name;
  std::string datatype;        // "FP32"
  std::vector<int64_t> shape;  // -1: decided by the request; the first dimension is the batch
};

struct ModelInfo {
  std::string name;
  std::vector<std::string> versions;
  std::string platform;
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
};

// One version of one model in the server's repository.
struct IndexEntry {
  std::string name;
  std::string version;
  std::string state;   // "READY", "UNAVAILABLE", …
  std::string reason;  // why it is not ready

  bool ready() const { return state == "READY"; }
};

struct ServerInfo {
  std::string name;
  std::string version;
  std::vector<std::string> extensions;
};

// One version of a model with its state; `info` is empty when the server told nothing.
struct ListedModel {
  IndexEntry entry;
  ModelInfo info;
};

struct HealthReport {
  std::string server;  // the address asked
  ServerInfo info;
  bool live = false;
  bool ready = false;
  std::vector<IndexEntry> models;  // those asked for by name, else all that the server lists
  bool serving = false;            // live, ready, and each model asked for by name is ready
};

}  // namespace stillwave::client
