// Max pooling of tensors that lie channels last.
#pragma once

#include "server/kernels/kernel.h"

namespace stillwave::kernels {

// {N,T,C} -> {N,T',C} or {N,H,W,C} -> {N,H',W',C}: each output row is the element-wise maximum of the rows under its
// window. `src` is {N,C,T} or {N,C,H,W}. REQUIRES: no window sees padding alone, which shape inference makes sure of.
Kernel MakeMaxPoolChannelsLast(const graph::Window& window, const graph::ResolvedWindow& resolved,
                               const tensor::Shape& src);

}  // namespace stillwave::kernels
