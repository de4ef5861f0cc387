// Compiles a function several times, for the vector units that CPUs have, and lets the loader choose: the rest of the
// program stays at the baseline that every x86-64 runs.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
// Not under sanitizers: their runtimes are not up yet when the loader chooses.
#define SW_VECTORIZED __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#else
#define SW_VECTORIZED
#endif

// Before a loop whose iterations do not read what others write.
#if defined(__GNUC__) && !defined(__clang__)
#define SW_INDEPENDENT _Pragma("GCC ivdep")
#else
#define SW_INDEPENDENT
#endif
