// Sixteen elements of a row at a time: 32-bit floats or bfloat16 in memory, 32-bit floats in registers.
#pragma once

#include <cstdint>
#include <cstring>

#include "lanes.h"
#include "processor.h"

// The compiler creates one version of a function for each of these processors, and the loader selects one.
#if defined(X86_KERNELS) && defined(__linux__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

typedef uint16_t BFloat;  // a bfloat16: the upper half of a 32-bit float
typedef uint16_t BFloats __attribute__((vector_size(32)));

INLINE F<16> widened(BFloats x) { return (F<16>)(__builtin_convertvector(x, U<16>) << 16); }

INLINE F<16> get(const float* from) { return load<16>(from); }

INLINE F<16> get(const BFloat* from) {
  typedef BFloats Loose __attribute__((aligned(2), may_alias));
  return widened(*(const Loose*)from);
}

INLINE void put(float* to, F<16> x) { store<16>(to, x); }

// Rounds to nearest, ties to even; NaN stays NaN.
INLINE void put(BFloat* to, F<16> x) {
  typedef BFloats Loose __attribute__((aligned(2), may_alias));
  const U<16> bits = (U<16>)x;
  const U<16> rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
  const I<16> is_nan = (bits & 0x7FFFFFFFu) > 0x7F800000u;
  *(Loose*)to = __builtin_convertvector(is_nan ? (bits >> 16 | 0x40u) : rounded, BFloats);
}

// Loads the last elements of a row, fewer than 16, padded with 0.
template <typename T>
INLINE F<16> get(const T* from, int64_t n) {
  if (n >= 16) return get(from);
  T part[16] = {};
  for (int64_t i = 0; i < n; ++i) part[i] = from[i];
  return get(part);
}

template <typename T>
INLINE void put(T* to, F<16> x, int64_t n) {
  if (n >= 16) return put(to, x);
  T part[16];
  put(part, x);
  for (int64_t i = 0; i < n; ++i) to[i] = part[i];
}

// Applies dropout to 16 elements of a row, from column `c` (a multiple of 16).
INLINE F<16> dropped(const Drop& drop, uint32_t key, int64_t c, F<16> x) {
  if (drop.limit == 0) return x;
  return drop.keep * kept<16>(x, row_hash<16>(key, c / 32 * 16), c % 32 != 0, drop.limit);
}
