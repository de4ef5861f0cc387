#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/exit_code.h"
#include "client/prediction_writer.h"

namespace stillwave::client {
namespace {

constexpr size_t kNpyPreambleBytes = 10;      // magic, version, length of the dictionary
constexpr size_t kNpyAlignment = 64;          // what NumPy pads to
constexpr size_t kMaxNpyDictionary = 65535;   // of version 1
constexpr int64_t kMostRows = INT64_MAX / 2;  // as wide as a count can be

template <typename T>
void AppendBytes(T value, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Names of fields are unique and need no quoting.
std::string FieldName(absl::string_view name, std::set<std::string>* taken) {
  std::string field = name.empty() ? "output" : std::string(name);
  for (char& c : field) {
    const bool plain = absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                       absl::string_view("_.-/").find(c) != absl::string_view::npos;
    if (!plain) c = '_';
  }
  while (!taken->insert(field).second) field += '_';
  return field;
}

class NpyWriter final : public PredictionWriter {
 public:
  absl::StatusOr<std::string> Begin(const ResultRow& first) override {
    std::set<std::string> taken;
    std::vector<std::string> fields;
    for (const char* name : {"window", "first_sample", "last_sample"}) {
      fields.push_back(absl::StrCat("('", FieldName(name, &taken), "', '<i8')"));
    }
    for (const OutputValues& output : first.outputs) {
      const std::string shape =
          output.shape.empty() ? "" : absl::StrCat(", (", absl::StrJoin(output.shape, ", "), ",)");
      fields.push_back(absl::StrCat("('", FieldName(output.name, &taken), "', '<f4'", shape, ")"));
      shapes_.push_back(output.shape);
    }
    fields_ = absl::StrJoin(fields, ", ");
    const size_t longest = kNpyPreambleBytes + Dictionary(kMostRows).size() + 1;
    header_bytes_ = (longest + kNpyAlignment - 1) / kNpyAlignment * kNpyAlignment;
    if (header_bytes_ - kNpyPreambleBytes > kMaxNpyDictionary) {
      return UsageError(
          absl::StrCat(first.outputs.size(), " outputs do not fit into an .npy file; choose with --output"));
    }
    return BeginOf(0);
  }

  absl::StatusOr<std::string> Row(const ResultRow& row) override {
    bool same = row.outputs.size() == shapes_.size();
    for (size_t i = 0; same && i < shapes_.size(); ++i) same = row.outputs[i].shape == shapes_[i];
    if (!same) return absl::InternalError(absl::StrCat("window ", row.index, " has other outputs than the first one"));
    const SampleRange samples = row.samples.value_or(SampleRange{});
    std::string bytes;
    AppendBytes<int64_t>(row.index, &bytes);
    AppendBytes<int64_t>(samples.first, &bytes);
    AppendBytes<int64_t>(samples.last, &bytes);
    for (const OutputValues& output : row.outputs) {
      for (const double value : output.values) AppendBytes<float>(static_cast<float>(value), &bytes);
    }
    return bytes;
  }

  std::string BeginOf(int64_t rows) const override {
    std::string header("\x93NUMPY\x01\x00", 8);
    AppendBytes<uint16_t>(static_cast<uint16_t>(header_bytes_ - kNpyPreambleBytes), &header);
    header += Dictionary(rows);
    header.resize(header_bytes_ - 1, ' ');
    return header + '\n';
  }

 private:
  std::string Dictionary(int64_t rows) const {
    return absl::StrCat("{'descr': [", fields_, "], 'fortran_order': False, 'shape': (", rows, ",), }");
  }

  std::string fields_;
  std::vector<std::vector<int64_t>> shapes_;
  size_t header_bytes_ = 0;
};

}  // namespace

std::unique_ptr<PredictionWriter> MakeNpyWriter() { return std::make_unique<NpyWriter>(); }

}  // namespace stillwave::client
