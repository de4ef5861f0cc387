// The difference between oneDNN 2 (Debian 12) and 3 (Debian 13), in this one file: version 2 makes an operation
// descriptor first and then a primitive descriptor from it; version 3 takes everything at once.
#pragma once

#include "oneapi/dnnl/dnnl.hpp"
#include "server/execution/onednn/primitive.h"

namespace stillwave::execution::onednn {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;

inline dnnl::primitive_attr UserScratchpad() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

inline constexpr auto kInference = dnnl::prop_kind::forward_inference;
inline constexpr auto kTraining = dnnl::prop_kind::forward_training;

#if DNNL_VERSION_MAJOR >= 3

inline dnnl::memory::data_type TypeOf(const Desc& desc) { return desc.get_data_type(); }

inline void PointTo(const dnnl::memory& memory, void* data, const dnnl::stream&) { memory.set_data_handle(data); }

// An empty bias descriptor means no bias.
inline auto ConvolutionDesc(const Desc& src, const Desc& weights, const Desc& bias, const Desc& dst,
                            const Dims& strides, const Dims& dilates, const Dims& pads_begin, const Dims& pads_end,
                            const dnnl::primitive_attr& attr) {
  return dnnl::convolution_forward::primitive_desc(CpuEngine(), kInference, dnnl::algorithm::convolution_direct, src,
                                                   weights, bias, dst, strides, dilates, pads_begin, pads_end, attr);
}

inline auto BatchNormalizationDesc(dnnl::prop_kind kind, const Desc& data, float epsilon,
                                   dnnl::normalization_flags flags, const dnnl::primitive_attr& attr) {
  return dnnl::batch_normalization_forward::primitive_desc(CpuEngine(), kind, data, data, epsilon, flags, attr);
}

using Pooling = dnnl::pooling_forward;
inline auto PoolingDesc(dnnl::algorithm algorithm, const Desc& src, const Desc& dst, const Dims& strides,
                        const Dims& kernel, const Dims& dilates, const Dims& pads_begin, const Dims& pads_end,
                        const dnnl::primitive_attr& attr) {
  return Pooling::primitive_desc(CpuEngine(), kInference, algorithm, src, dst, strides, kernel, dilates, pads_begin,
                                 pads_end, attr);
}

inline auto InnerProductDesc(const Desc& src, const Desc& weights, const Desc& bias, const Desc& dst,
                             const dnnl::primitive_attr& attr) {
  return dnnl::inner_product_forward::primitive_desc(CpuEngine(), kInference, src, weights, bias, dst, attr);
}

inline auto MatMulDesc(const Desc& src, const Desc& weights, const Desc& dst, const dnnl::primitive_attr& attr) {
  return dnnl::matmul::primitive_desc(CpuEngine(), src, weights, dst, attr);
}

inline auto EltwiseDesc(dnnl::algorithm algorithm, const Desc& data, float alpha, float beta,
                        const dnnl::primitive_attr& attr) {
  return dnnl::eltwise_forward::primitive_desc(CpuEngine(), kInference, algorithm, data, data, alpha, beta, attr);
}

using Softmax = dnnl::softmax_forward;
inline auto SoftmaxDesc(dnnl::algorithm algorithm, const Desc& data, int axis, const dnnl::primitive_attr& attr) {
  return Softmax::primitive_desc(CpuEngine(), kInference, algorithm, data, data, axis, attr);
}

inline auto BinaryDesc(dnnl::algorithm algorithm, const Desc& a, const Desc& b, const Desc& dst,
                       const dnnl::primitive_attr& attr) {
  return dnnl::binary::primitive_desc(CpuEngine(), algorithm, a, b, dst, attr);
}

inline void AppendRelu(dnnl::post_ops& ops) { ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0F, 0.0F); }

#else

inline dnnl::memory::data_type TypeOf(const Desc& desc) { return desc.data_type(); }

// Without a stream, the library would make one each time.
inline void PointTo(const dnnl::memory& memory, void* data, const dnnl::stream& stream) {
  memory.set_data_handle(data, stream);
}

inline auto ConvolutionDesc(const Desc& src, const Desc& weights, const Desc& bias, const Desc& dst,
                            const Dims& strides, const Dims& dilates, const Dims& pads_begin, const Dims& pads_end,
                            const dnnl::primitive_attr& attr) {
  using Op = dnnl::convolution_forward;
  const Op::desc op(kInference, dnnl::algorithm::convolution_direct, src, weights, bias, dst, strides, dilates,
                    pads_begin, pads_end);
  return Op::primitive_desc(op, attr, CpuEngine());
}

inline auto BatchNormalizationDesc(dnnl::prop_kind kind, const Desc& data, float epsilon,
                                   dnnl::normalization_flags flags, const dnnl::primitive_attr& attr) {
  using Op = dnnl::batch_normalization_forward;
  return Op::primitive_desc(Op::desc(kind, data, epsilon, flags), attr, CpuEngine());
}

using Pooling = dnnl::pooling_v2_forward;
inline auto PoolingDesc(dnnl::algorithm algorithm, const Desc& src, const Desc& dst, const Dims& strides,
                        const Dims& kernel, const Dims& dilates, const Dims& pads_begin, const Dims& pads_end,
                        const dnnl::primitive_attr& attr) {
  const Pooling::desc op(kInference, algorithm, src, dst, strides, kernel, dilates, pads_begin, pads_end);
  return Pooling::primitive_desc(op, attr, CpuEngine());
}

inline auto InnerProductDesc(const Desc& src, const Desc& weights, const Desc& bias, const Desc& dst,
                             const dnnl::primitive_attr& attr) {
  using Op = dnnl::inner_product_forward;
  return Op::primitive_desc(Op::desc(kInference, src, weights, bias, dst), attr, CpuEngine());
}

inline auto MatMulDesc(const Desc& src, const Desc& weights, const Desc& dst, const dnnl::primitive_attr& attr) {
  using Op = dnnl::matmul;
  return Op::primitive_desc(Op::desc(src, weights, dst), attr, CpuEngine());
}

inline auto EltwiseDesc(dnnl::algorithm algorithm, const Desc& data, float alpha, float beta,
                        const dnnl::primitive_attr& attr) {
  using Op = dnnl::eltwise_forward;
  return Op::primitive_desc(Op::desc(kInference, algorithm, data, alpha, beta), attr, CpuEngine());
}

using Softmax = dnnl::softmax_v2_forward;
inline auto SoftmaxDesc(dnnl::algorithm algorithm, const Desc& data, int axis, const dnnl::primitive_attr& attr) {
  return Softmax::primitive_desc(Softmax::desc(kInference, algorithm, data, data, axis), attr, CpuEngine());
}

inline auto BinaryDesc(dnnl::algorithm algorithm, const Desc& a, const Desc& b, const Desc& dst,
                       const dnnl::primitive_attr& attr) {
  return dnnl::binary::primitive_desc(dnnl::binary::desc(algorithm, a, b, dst), attr, CpuEngine());
}

inline void AppendRelu(dnnl::post_ops& ops) { ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F); }

#endif

}  // namespace stillwave::execution::onednn
