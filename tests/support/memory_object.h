// A POSIX shared memory object as a client makes it: mapped, and gone at the end.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"

namespace stillwave::test_support {

class MemoryObject {
 public:
  // `name` need only differ within the test.
  MemoryObject(const std::string& name, size_t size)
      : key_(absl::StrCat("/stillwave_", getpid(), "_", name)), size_(size) {
    descriptor_ = shm_open(key_.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    SW_CHECK(descriptor_ >= 0);
    SetSize(size);
    data_ = static_cast<char*>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0));
    SW_CHECK(data_ != MAP_FAILED);
  }
  ~MemoryObject() {
    munmap(data_, size_);
    close(descriptor_);
    shm_unlink(key_.c_str());
  }
  MemoryObject(const MemoryObject&) = delete;
  MemoryObject& operator=(const MemoryObject&) = delete;

  const std::string& key() const { return key_; }
  // The first `size` bytes of the constructor; those that SetSize took away must not be touched.
  char* data() const { return data_; }
  void SetSize(size_t size) const { SW_CHECK(ftruncate(descriptor_, static_cast<off_t>(size)) == 0); }
  size_t CurrentSize() const { return static_cast<size_t>(lseek(descriptor_, 0, SEEK_END)); }

 private:
  const std::string key_;
  const size_t size_;
  int descriptor_ = -1;
  char* data_ = nullptr;
};

}  // namespace stillwave::test_support
