// The processor families for which kernels are compiled, and the detection of this machine's family.
#pragma once

#include <cstdlib>
#include <string>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define X86_KERNELS
#define WITH_AVX512 __attribute__((target("arch=x86-64-v4")))
#define WITH_AVX2 __attribute__((target("arch=x86-64-v3")))
#endif

// Each can run the kernels of those before it. PORTABLE uses vectors of four floats: NEON or SSE2.
enum class Processor { PORTABLE, AVX2, AVX512, AVX512_BF16 };

// The best that this machine can run, and libtorch's ATEN_CPU_CAPABILITY (default, avx2, avx512) allows: one variable sets the
// kernels of both, so that a newer machine can be measured as an older one.
inline Processor best_processor() {
#ifdef X86_KERNELS
  static const Processor best = [] {
    const char* given = std::getenv("ATEN_CPU_CAPABILITY");
    const std::string allowed = given ? given : "";
    if (allowed == "default") return Processor::PORTABLE;
    if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))) return Processor::PORTABLE;
    if (!(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")))
      return Processor::AVX2;
    if (allowed == "avx2") return Processor::AVX2;
    return __builtin_cpu_supports("avx512bf16") ? Processor::AVX512_BF16 : Processor::AVX512;
  }();
  return best;
#else
  return Processor::PORTABLE;
#endif
}
