// How jemalloc, which the program is linked with, treats memory that is free.

// The name that jemalloc looks for. A thread of its own gives free pages back to the system after a second: what a
// burst of requests took does not stay with the process, and no request pays for returning it.
extern "C" {
extern const char* malloc_conf;  // NOLINT(readability-identifier-naming)
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0";
}
