// From an element type that is known when a kernel is prepared to the C++ type that its loop is compiled for.
#pragma once

#include "server/tensor/data_type.h"

namespace stillwave::kernels {

// Calls `visit` with a value of the C++ type; false, without a call, for BOOL, FP16 and BF16.
template <typename Visit>
bool VisitNumber(tensor::DataType type, Visit visit) {
  using tensor::DataType;
  switch (type) {
    case DataType::kUint8:
      return visit(uint8_t{}), true;
    case DataType::kUint16:
      return visit(uint16_t{}), true;
    case DataType::kUint32:
      return visit(uint32_t{}), true;
    case DataType::kUint64:
      return visit(uint64_t{}), true;
    case DataType::kInt8:
      return visit(int8_t{}), true;
    case DataType::kInt16:
      return visit(int16_t{}), true;
    case DataType::kInt32:
      return visit(int32_t{}), true;
    case DataType::kInt64:
      return visit(int64_t{}), true;
    case DataType::kFloat32:
      return visit(float{}), true;
    case DataType::kFloat64:
      return visit(double{}), true;
    default:
      return false;
  }
}

}  // namespace stillwave::kernels
