// Vectors of L floats, for any L, with the compiler's vector extension: the same source is compiled for AVX-512, AVX2, NEON and
// SSE2.
//
// Everything here is inlined into a function with an attribute for its target processor. Such code must not use headers with
// inline functions: the linker might keep a version that other processors cannot run.
#pragma once

#include <cstdint>

#include "keyed.h"

template <int L>
struct Lanes;
template <>
struct Lanes<4> {
  typedef float F __attribute__((vector_size(16)));
  typedef int32_t I __attribute__((vector_size(16)));
  typedef uint32_t U __attribute__((vector_size(16)));
  static constexpr U NUMBERS = {0, 1, 2, 3};
};
template <>
struct Lanes<8> {
  typedef float F __attribute__((vector_size(32)));
  typedef int32_t I __attribute__((vector_size(32)));
  typedef uint32_t U __attribute__((vector_size(32)));
  static constexpr U NUMBERS = {0, 1, 2, 3, 4, 5, 6, 7};
};
template <>
struct Lanes<16> {
  typedef float F __attribute__((vector_size(64)));
  typedef int32_t I __attribute__((vector_size(64)));
  typedef uint32_t U __attribute__((vector_size(64)));
  static constexpr U NUMBERS = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
};

template <int L>
using F = typename Lanes<L>::F;
template <int L>
using U = typename Lanes<L>::U;
template <int L>
using I = typename Lanes<L>::I;

template <int L>
INLINE F<L> all(float x) {
  return F<L>{} + x;
}

// A score that is never the maximum and has probability 0.
constexpr float NEVER = -1e30f;

// A mask with all bits set in the first `n` lanes.
template <int L>
INLINE I<L> lanes_below(int64_t n) {
  return (I<L>)(Lanes<L>::NUMBERS < U<L>{} + (uint32_t)n);
}

template <int L>
INLINE F<L> load(const float* from) {
  typedef float Loose __attribute__((vector_size(4 * L), aligned(4), may_alias));
  return (F<L>)*(const Loose*)from;
}

template <int L>
INLINE void store(float* to, F<L> x) {
  typedef float Loose __attribute__((vector_size(4 * L), aligned(4), may_alias));
  *(Loose*)to = (Loose)x;
}

// Adds halves pairwise, which shortens the dependency chain.
INLINE F<4> fold(F<4> x) { return x; }
INLINE F<4> fold(F<8> x) { return __builtin_shufflevector(x, x, 0, 1, 2, 3) + __builtin_shufflevector(x, x, 4, 5, 6, 7); }
INLINE F<4> fold(F<16> x) {
  return fold(__builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15));
}

template <int L>
INLINE float sum(F<L> x) {
  const F<4> y = fold(x);
  return (y[0] + y[2]) + (y[1] + y[3]);
}

template <int L>
INLINE float largest(F<L> x) {
  float top = x[0];
  for (int i = 1; i < L; ++i) top = x[i] > top ? x[i] : top;
  return top;
}

constexpr float LOG2_E = 1.44269504f;

// 2^x for x <= 0 with an error of about 1 ulp, clamped at 2^-126, which is negligible compared to a row's sum of at least 1.
template <int L>
INLINE F<L> exp2(F<L> x) {
  x = x > all<L>(-126.0f) ? x : all<L>(-126.0f);
  const F<L> shifted = x + 12582912.0f;  // rounds to the nearest integer, into the low bits
  const F<L> f = x - (shifted - 12582912.0f);
  // Minimax polynomial on [-1/2, 1/2]; maximum relative error 7.5e-8.
  F<L> p = all<L>(0.00132764718f);
  p = p * f + 0.00967554133f;
  p = p * f + 0.0555071327f;
  p = p * f + 0.240221197f;
  p = p * f + 0.693146967f;
  p = p * f + 1.00000007f;
  return (F<L>)((I<L>)p + ((I<L>)shifted << 23));
}

// Dropout: a hash of (seed, row, column) decides which elements are dropped.
struct Drop {
  uint64_t seed;
  uint32_t limit;  // dropout rate in 1/65536, in the upper 16 bits; 0 disables dropout
  float keep;      // 1 / (1 - p)
};

INLINE Drop drop_of(double dropout, uint64_t seed) {
  const uint32_t rate = (uint32_t)(dropout * 65536 + 0.5);
  return {seed, rate << 16, 65536.0f / (float)(65536 - rate)};
}

// The decisions for a row: the halves of one 32-bit hash decide for columns c and c + 16 of each 32 columns. This is the column
// for the lower half.
INLINE int64_t column_of(int64_t word) { return word / 16 * 32 + word % 16; }

INLINE uint32_t row_key(uint64_t seed, int64_t row) { return (uint32_t)(mix(seed + 0x9E3779B97F4A7C15ull * (uint64_t)(row + 1)) >> 32); }

template <int L>
INLINE U<L> row_hash(uint32_t key, int64_t word) {
  return mix32((Lanes<L>::NUMBERS + (uint32_t)word) * 0x9E3779B9u + key);
}

// x where it is kept, else 0; `limit` is the dropout rate in 1/65536, in the upper 16 bits.
template <int L>
INLINE F<L> kept(F<L> x, U<L> hash, bool upper, uint32_t limit) {
  if (!upper) hash <<= 16;
  return (F<L>)((I<L>)(hash >= limit) & (I<L>)x);
}
