// What an ONNX file may ask for at most. Each number from a file is held against one of these before it is used.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stillwave::onnx_import {

// Protobuf itself cannot read more; larger weights lie in external data files.
inline constexpr int64_t kMaxModelBytes = INT32_MAX;

inline constexpr int64_t kMinIrVersion = 3;
inline constexpr int64_t kMaxIrVersion = 13;
inline constexpr int64_t kMinOpset = 1;
inline constexpr int64_t kMaxOpset = 25;

// Messages and strings in the file, over all. An empty message takes two bytes there and up to 250 in memory; a network
// of 100,000 nodes has about half a million.
inline constexpr int64_t kMaxParts = 1'500'000;

// Of nodes, and of initializers, graph inputs and graph outputs each.
inline constexpr int kMaxGraphEntries = 1'000'000;
inline constexpr int kMaxNodeInputs = 4096;
inline constexpr int kMaxNodeOutputs = 4096;
inline constexpr int kMaxNodeAttributes = 64;
// Entries of a list attribute; longer data belongs into a tensor.
inline constexpr int kMaxListLength = 1 << 24;
inline constexpr size_t kMaxNameLength = 4096;

// Kernel, stride, dilation and padding of one axis, and the reach of a dilated kernel. Larger than any signal that
// fits into a tensor, and sums of a few of them cannot overflow int64.
inline constexpr int64_t kMaxWindowExtent = INT32_MAX;

// Over all external data of one model; bounds a file whose many initializers all point at the same bytes.
inline constexpr int64_t kMaxExternalBytes = int64_t{16} << 30;

}  // namespace stillwave::onnx_import
