// The other end of the wire for what a real server does seldom or never: it answers as a test tells it to, through
// real gRPC on a free port.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace stillwave::client {

// The server has the model "m": input x FP32 [-1,1,4], output y FP32 [-1,2] = the window's first and last sample.
struct Script {
  bool lists_models = true;             // false: RepositoryIndex is UNIMPLEMENTED
  std::string refused_model;            // a second model of this name that is not ready, because "node 3: bad"
  bool ready = true;                    // ServerReady
  bool typed_contents = false;          // outputs in fp32_contents instead of raw bytes
  std::string infer_error;              // ModelInfer: INVALID_ARGUMENT with these words
  bool short_output = false;            // outputs with too few bytes for their shape
  std::vector<std::string> after_open;  // StreamWindowsResponse in protobuf's text form, sent after SeriesOpened
  bool end_after_open = false;          // ends the call then, with UNAVAILABLE "draining"
  int broken_calls = 0;                 // of StreamWindows: so many end with UNAVAILABLE "restarting" …
  int windows_before_break = 0;         // … after so many windows
  bool counts_on = true;                // obeys first_window_index, as servers do that know it
};

// Answers ServerLive, ServerReady, ServerMetadata, ModelReady, ModelMetadata, ModelInfer, RepositoryIndex and
// StreamWindows (windows of 4 samples, hop as asked). Thread-safe after construction.
class ScriptedServer {
 public:
  explicit ScriptedServer(Script script = {});
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string address() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stillwave::client
