#include "tests/server/recalibration/npy_files.h"

#include <fstream>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/temp_path.h"

namespace stillwave::recalibration {

std::string WriteNpy(const std::string& name, const std::vector<int64_t>& shape, const std::vector<float>& values) {
  const std::string header =
      absl::StrCat("{'descr': '<f4', 'fortran_order': False, 'shape': (", absl::StrJoin(shape, ", "), ",), }\n");
  const std::string path = test_support::TempPath(name + ".npy");
  std::ofstream file(path, std::ios::binary);
  file << std::string("\x93NUMPY\x01\x00", 8) << static_cast<char>(header.size() & 0xff)
       << static_cast<char>(header.size() >> 8) << header;
  file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
  return path;
}

std::vector<float> CountUp(size_t count, float first) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

}  // namespace stillwave::recalibration
