// The elements of rows, a vector at a time: 32-bit floats or bfloat16 in memory, 32-bit floats in registers.
#pragma once

#include <cstdint>

#include "lanes.h"

typedef uint16_t BFloat;  // a bfloat16: the upper half of a 32-bit float

template <int L>
struct BFloats {
  typedef BFloat Vector __attribute__((vector_size(2 * L)));
  typedef BFloat Loose __attribute__((vector_size(2 * L), aligned(2), may_alias));
};

template <int L>
INLINE F<L> get(const float* from) { return load<L>(from); }

template <int L>
INLINE F<L> widened(typename BFloats<L>::Vector x) { return (F<L>)(__builtin_convertvector(x, U<L>) << 16); }

template <int L>
INLINE F<L> get(const BFloat* from) { return widened<L>(*(const typename BFloats<L>::Loose*)from); }

template <int L>
INLINE void put(float* to, F<L> x) { store<L>(to, x); }

// Rounds to nearest, ties to even; NaN stays NaN.
template <int L>
INLINE void put(BFloat* to, F<L> x) {
  const U<L> bits = (U<L>)x;
  const U<L> rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
  const I<L> is_nan = (I<L>)(bits & 0x7FFFFFFFu) > 0x7F800000;
  *(typename BFloats<L>::Loose*)to = __builtin_convertvector(is_nan ? (bits >> 16 | 0x40u) : rounded, typename BFloats<L>::Vector);
}

// Loads the last elements of a row, fewer than L, padded with 0.
template <int L, typename T>
INLINE F<L> get(const T* from, int64_t n) {
  if (n >= L) return get<L>(from);
  T part[L] = {};
  for (int64_t i = 0; i < n; ++i) part[i] = from[i];
  return get<L>(part);
}

template <int L, typename T>
INLINE void put(T* to, F<L> x, int64_t n) {
  if (n >= L) return put<L>(to, x);
  T part[L];
  put<L>(part, x);
  for (int64_t i = 0; i < n; ++i) to[i] = part[i];
}

// Applies dropout to the elements of a row from column `c`, a multiple of L.
template <int L>
INLINE F<L> dropped(const Drop& drop, uint32_t key, int64_t c, F<L> x) {
  if (drop.limit == 0) return x;
  return drop.keep * kept<L>(x, row_hash<L>(key, c / 32 * 16 + c % 16), c % 32 >= 16, drop.limit);
}
