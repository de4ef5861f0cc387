// Writes small ONNX models field by field, for tests of what the server makes of files that no exporter here writes.
// Independent of the server's reader; links no message classes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace stillwave::test_support {

// Fluent; each call appends. The default opset is 17.
class OnnxFile {
 public:
  explicit OnnxFile(int64_t opset = 17) : opset_(opset) {}

  // FP32; a dimension of -1 is dynamic.
  OnnxFile& Input(const std::string& name, const std::vector<int64_t>& dims);
  OnnxFile& Output(const std::string& name);
  OnnxFile& Weight(const std::string& name, const std::vector<int64_t>& dims, const std::vector<float>& values);
  // Two bytes each.
  OnnxFile& EmptyInitializers(int count);
  OnnxFile& Integers(const std::string& name, const std::vector<int64_t>& values);
  OnnxFile& Node(const std::string& op, const std::vector<std::string>& inputs, const std::string& output,
                 const std::vector<std::pair<std::string, std::vector<int64_t>>>& int_lists = {},
                 const std::vector<std::pair<std::string, int64_t>>& ints = {}, const std::string& name = "");

  // Of the ModelProto.
  std::string Bytes() const;
  // Writes Bytes() to TempPath(name) and returns the path.
  std::string Write(const std::string& name) const;

 private:
  int64_t opset_;
  std::string graph_;
};

}  // namespace stillwave::test_support
