#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/kernels/convert.h"
#include "server/kernels/families.h"
#include "server/kernels/visit_type.h"

namespace stillwave::kernels {
namespace {

using tensor::DataType;
using CastRow = void (*)(const void* src, void* dst, int64_t count);

template <typename From, typename To>
void Row(const void* src, void* dst, int64_t count) {
  const auto* from = static_cast<const From*>(src);
  auto* to = static_cast<To*>(dst);
  for (int64_t i = 0; i < count; ++i) to[i] = Convert<To>(from[i]);
}

template <typename Visit>
bool VisitAnyType(DataType type, Visit visit) {
  if (type == DataType::kBool) return visit(bool{}), true;
  if (type == DataType::kFloat16) return visit(Half{}), true;
  if (type == DataType::kBFloat16) return visit(BFloat{}), true;
  return VisitNumber(type, visit);
}

}  // namespace

absl::StatusOr<Kernel> MakeCast(DataType to, Inputs inputs, const Output& output) {
  CastRow row = nullptr;
  VisitAnyType(inputs[0].data_type, [&](auto source) {
    VisitAnyType(to, [&](auto target) { row = Row<decltype(source), decltype(target)>; });
  });
  if (row == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat("cannot cast ", tensor::Name(inputs[0].data_type), " to ", tensor::Name(to)));
  }
  return Kernel([row, count = output.shape.num_elements()](absl::Span<const void* const> sources, void* dst) {
    row(sources[0], dst, count);
  });
}

}  // namespace stillwave::kernels
