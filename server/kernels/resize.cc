// Resize in one step over all axes: {batch, outer axes…, last axis, block}, where `batch` and `block` are leading and
// trailing axes that keep their elements. For each output row the taps of the outer axes pick and weigh input rows.
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/resize_geometry.h"
#include "server/kernels/families.h"
#include "server/kernels/resize_taps.h"

namespace stillwave::kernels {
namespace {

using tensor::Shape;

constexpr size_t kMaxOuterAxes = tensor::kMaxRank;

struct Plan {
  int64_t batch = 1;
  std::vector<ResizeTaps> outer;
  ResizeTaps last;
  int64_t block = 1;
  bool copies = true;
  float extrapolation = 0;

  int64_t input_plane = 1;             // elements of one batch entry
  std::vector<int64_t> outer_strides;  // of the input, in elements
};

Plan MakePlan(const graph::Resize& op, const std::vector<graph::ResizedAxis>& axes) {
  Plan plan;
  std::vector<ResizeTaps> taps;
  for (const graph::ResizedAxis& axis : axes) taps.push_back(MakeResizeTaps(op, axis));
  size_t first = 0;
  size_t end = taps.size();
  while (first < end && taps[first].IsIdentity()) plan.batch *= taps[first++].input;
  while (end > first && taps[end - 1].IsIdentity()) plan.block *= taps[--end].input;
  if (first == end) {
    plan.last.index = {0};
    plan.last.weight = {1};
    plan.last.outside = {0};
  } else {
    plan.last = std::move(taps[end - 1]);
    for (size_t i = first; i + 1 < end; ++i) plan.outer.push_back(std::move(taps[i]));
  }
  plan.extrapolation = op.extrapolation_value;
  plan.copies = plan.last.IsCopy();
  plan.input_plane = plan.last.input * plan.block;
  plan.outer_strides.resize(plan.outer.size());
  for (size_t i = plan.outer.size(); i-- > 0;) {
    plan.outer_strides[i] = plan.input_plane;
    plan.input_plane *= plan.outer[i].input;
    plan.copies = plan.copies && plan.outer[i].IsCopy();
  }
  return plan;
}

void CopyRow(const ResizeTaps& taps, int64_t block, const float* from, float* to) {
  if (block == 1) {
    for (int64_t j = 0; j < taps.output; ++j) to[j] = from[taps.index[static_cast<size_t>(j)]];
    return;
  }
  for (int64_t j = 0; j < taps.output; ++j, to += block) {
    std::memcpy(to, from + taps.index[static_cast<size_t>(j)] * block, static_cast<size_t>(block) * sizeof(float));
  }
}

// to += row_weight * (the taps' weighted elements of `from`)
void AddRow(const ResizeTaps& taps, int64_t block, float row_weight, const float* from, float* to) {
  for (int64_t t = 0; t < taps.taps; ++t) {
    const int64_t* index = &taps.index[static_cast<size_t>(t * taps.output)];
    const float* weight = &taps.weight[static_cast<size_t>(t * taps.output)];
    if (block == 1) {
      for (int64_t j = 0; j < taps.output; ++j) to[j] += row_weight * weight[j] * from[index[j]];
      continue;
    }
    for (int64_t j = 0; j < taps.output; ++j) {
      const float factor = row_weight * weight[j];
      if (factor == 0) continue;
      const float* src = from + index[j] * block;
      float* sum = to + j * block;
      for (int64_t i = 0; i < block; ++i) sum[i] += factor * src[i];
    }
  }
}

// Steps `at` to the next coordinates, the last one fastest. False after the last, when all are 0 again.
template <typename Length>
bool Next(size_t rank, Length length, std::array<int64_t, kMaxOuterAxes>& at) {
  for (size_t i = rank; i-- > 0;) {
    if (++at[i] < length(i)) return true;
    at[i] = 0;
  }
  return false;
}

// One row of the output: `at` are its outer coordinates.
void MakeRow(const Plan& plan, const std::array<int64_t, kMaxOuterAxes>& at, const float* plane, float* to) {
  const size_t rank = plan.outer.size();
  const int64_t length = plan.last.output * plan.block;
  bool outside = false;
  for (size_t i = 0; i < rank; ++i) outside = outside || plan.outer[i].outside[static_cast<size_t>(at[i])] != 0;
  if (outside) {
    std::fill(to, to + length, plan.extrapolation);
    return;
  }
  if (!plan.copies) std::fill(to, to + length, 0.0F);
  std::array<int64_t, kMaxOuterAxes> tap{};
  do {
    const float* from = plane;
    float weight = 1;
    for (size_t i = 0; i < rank; ++i) {
      const auto place = static_cast<size_t>(tap[i] * plan.outer[i].output + at[i]);
      from += plan.outer[i].index[place] * plan.outer_strides[i];
      weight *= plan.outer[i].weight[place];
    }
    if (plan.copies) {
      CopyRow(plan.last, plan.block, from, to);
    } else if (weight != 0) {
      AddRow(plan.last, plan.block, weight, from, to);
    }
  } while (Next(
      rank, [&](size_t i) { return plan.outer[i].taps; }, tap));
  for (int64_t j = 0; j < plan.last.output; ++j) {
    if (plan.last.outside[static_cast<size_t>(j)] != 0) {
      std::fill(to + j * plan.block, to + (j + 1) * plan.block, plan.extrapolation);
    }
  }
}

}  // namespace

absl::StatusOr<Kernel> MakeResize(const graph::Resize& op, Inputs inputs, const Output& output) {
  ASSIGN_OR_RETURN(const std::vector<graph::ResizedAxis> axes, graph::ResolveResize(op, inputs));
  if (output.shape.num_elements() == 0) return Kernel([](absl::Span<const void* const>, void*) {});
  return Kernel([plan = MakePlan(op, axes)](absl::Span<const void* const> sources, void* dst) {
    const auto* plane = static_cast<const float*>(sources[0]);
    auto* to = static_cast<float*>(dst);
    const int64_t row = plan.last.output * plan.block;
    for (int64_t n = 0; n < plan.batch; ++n, plane += plan.input_plane) {
      std::array<int64_t, kMaxOuterAxes> at{};
      do {
        MakeRow(plan, at, plane, to);
        to += row;
      } while (Next(
          plan.outer.size(), [&](size_t i) { return plan.outer[i].output; }, at));
    }
  });
}

}  // namespace stillwave::kernels
