// Linked into tests that run under the thread sanitizer. Debian's Abseil is built without it, so the sanitizer sees
// neither who holds an absl::Mutex nor what its conditions read, and reports races where there are none. Here the
// mutex's functions are taken over: each tells the sanitizer, then calls the library's own.
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>

#include "absl/base/config.h"
#include "absl/synchronization/mutex.h"

#if ABSL_LTS_RELEASE_VERSION > 20220623
#error "Written for Debian 12's Abseil. Later ones have Await inline: take over Mutex::AwaitCommon there."
#endif

extern "C" {
void __tsan_ignore_thread_begin();
void __tsan_ignore_thread_end();
}

namespace {

#define STILLWAVE_TEXT_OF(name) #name
#define STILLWAVE_EXPAND_TEXT_OF(name) STILLWAVE_TEXT_OF(name)

// The library's function with this mangled name behind "absl::<inline namespace>::".
template <typename Function>
Function Original(const char* mangled) {
  const std::string space = STILLWAVE_EXPAND_TEXT_OF(ABSL_OPTION_INLINE_NAMESPACE_NAME);
  const std::string name = "_ZN4absl" + std::to_string(space.size()) + space + mangled;
  void* function = dlsym(RTLD_NEXT, name.c_str());
  if (function == nullptr) {
    std::fprintf(stderr, "tsan_absl_mutex: no %s in the libraries\n", name.c_str());
    std::abort();
  }
  return reinterpret_cast<Function>(function);
}

// While the library runs, it evaluates conditions, also those of other threads, under a lock that cannot be seen.
template <typename Call>
auto Unseen(Call call) {
  __tsan_ignore_thread_begin();
  if constexpr (std::is_void_v<decltype(call())>) {
    call();
    __tsan_ignore_thread_end();
  } else {
    auto result = call();
    __tsan_ignore_thread_end();
    return result;
  }
}

using Plain = void (*)(absl::Mutex*);
using Waiting = void (*)(absl::Mutex*, const absl::Condition&);
using WaitingFor = bool (*)(absl::Mutex*, const absl::Condition&, absl::Duration);

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

// It keeps a graph of all mutexes behind a lock of its own.
Mutex::~Mutex() {
  static const auto original = Original<Plain>("5MutexD1Ev");
  Unseen([&] { original(this); });
}

void Mutex::Lock() {
  static const auto original = Original<Plain>("5Mutex4LockEv");
  Unseen([&] { original(this); });
  __tsan_acquire(this);
}

void Mutex::Unlock() {
  static const auto original = Original<Plain>("5Mutex6UnlockEv");
  __tsan_release(this);
  Unseen([&] { original(this); });
}

void Mutex::ReaderLock() {
  static const auto original = Original<Plain>("5Mutex10ReaderLockEv");
  Unseen([&] { original(this); });
  __tsan_acquire(this);
}

void Mutex::ReaderUnlock() {
  static const auto original = Original<Plain>("5Mutex12ReaderUnlockEv");
  __tsan_release(this);
  Unseen([&] { original(this); });
}

void Mutex::Await(const Condition& cond) {
  static const auto original = Original<Waiting>("5Mutex5AwaitERKNS0_9ConditionE");
  __tsan_release(this);
  Unseen([&] { original(this, cond); });
  __tsan_acquire(this);
}

bool Mutex::AwaitWithTimeout(const Condition& cond, Duration timeout) {
  static const auto original = Original<WaitingFor>("5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  __tsan_release(this);
  const bool result = Unseen([&] { return original(this, cond, timeout); });
  __tsan_acquire(this);
  return result;
}

ABSL_NAMESPACE_END
}  // namespace absl
