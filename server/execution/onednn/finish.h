#pragma once

#include <string>
#include <utility>
#include <vector>

#include "server/execution/onednn/primitive.h"

namespace stillwave::execution::onednn {

// The last lines of every maker: adds the scratchpad and the implementation's name.
template <typename PrimitiveDesc>
Primitive Finish(absl::string_view kind, const PrimitiveDesc& desc, dnnl::primitive primitive,
                 std::vector<Argument> arguments) {
  Primitive result{std::move(primitive), std::move(arguments), std::string(kind), desc.impl_info_str(), 0};
  const dnnl::memory::desc scratchpad = desc.scratchpad_desc();
  result.scratchpad_bytes = scratchpad.get_size();
  if (result.scratchpad_bytes > 0) result.arguments.push_back({DNNL_ARG_SCRATCHPAD, scratchpad});
  return result;
}

}  // namespace stillwave::execution::onednn
