// The words of --help.
#pragma once

namespace stillwave::client {

extern const char kProgramHelp[];
extern const char kProgramFooter[];
extern const char kInferHelp[];
extern const char kInferFooter[];
extern const char kStreamHelp[];
extern const char kStreamFooter[];
extern const char kModelsHelp[];
extern const char kModelsFooter[];
extern const char kHealthHelp[];
extern const char kHealthFooter[];
extern const char kDriftHelp[];
extern const char kDriftFooter[];
extern const char kBenchHelp[];
extern const char kBenchFooter[];

}  // namespace stillwave::client
