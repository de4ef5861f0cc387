#include "server/service/request_budget.h"

#include "absl/strings/str_cat.h"
#include "server/base/check.h"

namespace stillwave::service {

absl::StatusOr<RequestBudget::Share> RequestBudget::Take(int64_t bytes) {
  SW_CHECK(bytes >= 0);
  int64_t held = held_.load();
  do {
    if (bytes > max_bytes_ - held) {
      return absl::ResourceExhaustedError(absl::StrCat("requests that wait must have at most ", max_bytes_,
                                                       " bytes in all (--max_request_megabytes); they have ", held,
                                                       " and this one ", bytes));
    }
  } while (!held_.compare_exchange_weak(held, held + bytes));
  return Share(this, bytes);
}

}  // namespace stillwave::service
