// Any bytes whatever, as config.pbtxt or as the JSON of RepositoryModelLoad, must give a configuration within its
// limits, or an error with words.
#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/base/check.h"
#include "server/model/model_config.h"

namespace {

void Check(const absl::StatusOr<stillwave::model::ModelConfig>& config) {
  if (!config.ok()) {
    SW_CHECK(!config.status().message().empty());
    return;
  }
  SW_CHECK(config->name == "m");
  SW_CHECK(config->max_batch_size > 0 && config->max_queue_samples > 0 && config->version_policy.latest > 0);
  SW_CHECK(config->max_running_batches >= 0 && config->window_length >= 0 && config->hop >= 0);
  for (const stillwave::model::WarmUpRun& run : config->warm_ups) SW_CHECK(run.batch_size > 0 && run.count > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  Check(stillwave::model::ParseModelConfig(text, "m"));
  Check(stillwave::model::ParseModelConfigJson(text, "m"));
  return 0;
}
