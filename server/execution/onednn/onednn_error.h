// The one place where oneDNN's exceptions end.
#pragma once

#include <new>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "oneapi/dnnl/dnnl.hpp"

namespace stillwave::execution::onednn {

// What make() returns (a Status or StatusOr); UNIMPLEMENTED with oneDNN's words when it throws: the library has no
// implementation for such shapes, or the description contradicts itself. RESOURCE_EXHAUSTED when memory runs out.
template <typename Make>
auto CatchErrors(absl::string_view what, Make make) -> decltype(make()) {
  try {
    return make();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(absl::StrCat("no memory for ", what));
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) return absl::ResourceExhaustedError(absl::StrCat("no memory for ", what));
    return absl::UnimplementedError(absl::StrCat("oneDNN cannot make ", what, ": ", error.what()));
  }
}

}  // namespace stillwave::execution::onednn
