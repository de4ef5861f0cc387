#include "server/execution/onednn/layout.h"

#include "server/base/check.h"

namespace stillwave::execution::onednn {

dnnl::memory::dims ImageDims(const tensor::Shape& shape) {
  SW_CHECK(shape.rank() >= 2 && shape.rank() <= 5);
  dnnl::memory::dims dims = {shape[0], shape[1]};
  for (int missing = shape.rank(); missing < 4; ++missing) dims.push_back(1);
  for (int axis = 2; axis < shape.rank(); ++axis) dims.push_back(shape[axis]);
  return dims;
}

dnnl::memory::data_type ToDnnl(Element element) {
  return element == Element::kBf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

dnnl::memory::desc RowMajorDesc(const dnnl::memory::dims& dims, Element element) {
  dnnl::memory::dims strides(dims.size());
  int64_t stride = 1;
  for (size_t axis = dims.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= dims[axis];
  }
  return {dims, ToDnnl(element), strides};
}

dnnl::memory::desc ImageDesc(const tensor::Shape& shape, Layout layout, Element element) {
  const dnnl::memory::dims dims = ImageDims(shape);
  if (layout == Layout::kRowMajor) return RowMajorDesc(dims, element);
  using Tag = dnnl::memory::format_tag;
  return {dims, ToDnnl(element), dims.size() == 4 ? Tag::nhwc : Tag::ndhwc};
}

bool LayoutsCoincide(const tensor::Shape& shape) {
  if (shape.rank() < 3 || shape[1] == 1) return true;
  for (int axis = 2; axis < shape.rank(); ++axis) {
    if (shape[axis] != 1) return false;
  }
  return true;
}

}  // namespace stillwave::execution::onednn
