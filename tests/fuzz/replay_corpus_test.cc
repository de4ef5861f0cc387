// Runs a fuzz target's entry over its corpus, so that what fuzzing found stays fixed in every test run.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

TEST(FuzzCorpus, EveryInputIsHandled) {
  const std::filesystem::path folder =
      std::filesystem::path(STILLWAVE_SOURCE_DIR) / "tests/fuzz/corpus" / STILLWAVE_FUZZ_TARGET;
  ASSERT_TRUE(std::filesystem::is_directory(folder)) << folder;
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().filename().string());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()), 0);
    // Cut off in the middle, each input is another one.
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size() / 2), 0);
    ++count;
  }
  EXPECT_GT(count, 0U);
}

}  // namespace
