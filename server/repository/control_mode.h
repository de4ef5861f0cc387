// Who decides which models are loaded, by the names that Triton gives the modes.
#pragma once

namespace stillwave::repository {

enum class ControlMode {
  kNone,      // what lies in the repository at the start
  kPoll,      // the repository's folder, looked at again and again
  kExplicit,  // clients, with RepositoryModelLoad and RepositoryModelUnload
};

// "none", "poll", "explicit": the values of --model_control_mode.
inline const char* Name(ControlMode mode) {
  switch (mode) {
    case ControlMode::kNone:
      return "none";
    case ControlMode::kPoll:
      return "poll";
    case ControlMode::kExplicit:
      return "explicit";
  }
  return "none";
}

}  // namespace stillwave::repository
