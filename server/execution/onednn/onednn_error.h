// The one place where oneDNN's exceptions end.
#pragma once

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "oneapi/dnnl/dnnl.hpp"

namespace stillwave::execution::onednn {

// What make() returns (a StatusOr); UNIMPLEMENTED with oneDNN's words when it throws: the library has no implementation
// for such shapes, or the description contradicts itself.
template <typename Make>
auto CatchErrors(absl::string_view what, Make make) -> decltype(make()) {
  try {
    return make();
  } catch (const dnnl::error& error) {
    return absl::UnimplementedError(absl::StrCat("oneDNN cannot make ", what, ": ", error.what()));
  }
}

}  // namespace stillwave::execution::onednn
