// ONNX's message classes, declared only: their header costs seconds of compile time, so few files include it.
#pragma once

namespace onnx {
class AttributeProto;
class GraphProto;
class ModelProto;
class NodeProto;
class TensorProto;
class ValueInfoProto;
}  // namespace onnx
