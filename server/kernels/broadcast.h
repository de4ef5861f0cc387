// numpy's broadcasting of up to three operands, as rows along which each operand either steps or stands still.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "server/tensor/shape.h"

namespace stillwave::kernels {

// Prepared once, walked often without allocating. Axes that all operands walk alike are one, so that rows are long.
// Value type, thread-safe once made.
class BroadcastPlan {
 public:
  static constexpr size_t kMaxOperands = 3;
  using Offsets = std::array<int64_t, kMaxOperands>;  // in elements, one per operand

  // REQUIRES: at most kMaxOperands operands; each broadcasts to `output`, which is concrete.
  BroadcastPlan(std::initializer_list<tensor::Shape> operands, const tensor::Shape& output);

  int64_t row_length() const { return row_.length; }
  // 1 where the operand steps along a row, 0 where it stands still.
  const Offsets& row_strides() const { return row_.strides; }

  // Calls row(offsets) with where each operand's row begins; the output's rows follow each other.
  template <typename Row>
  void ForEachRow(Row row) const {
    if (empty_) return;
    Offsets at{};
    std::array<int64_t, tensor::kMaxRank> index{};
    while (true) {
      row(at);
      int axis = outer_rank_ - 1;
      for (; axis >= 0; --axis) {
        const Axis& outer = outer_[static_cast<size_t>(axis)];
        int64_t& i = index[static_cast<size_t>(axis)];
        for (size_t operand = 0; operand < kMaxOperands; ++operand) at[operand] += outer.strides[operand];
        if (++i < outer.length) break;
        for (size_t operand = 0; operand < kMaxOperands; ++operand)
          at[operand] -= outer.strides[operand] * outer.length;
        i = 0;
      }
      if (axis < 0) return;
    }
  }

 private:
  struct Axis {
    int64_t length = 1;
    Offsets strides{};
  };

  bool empty_ = false;
  Axis row_;
  int outer_rank_ = 0;
  std::array<Axis, tensor::kMaxRank> outer_;  // slowest first
};

}  // namespace stillwave::kernels
