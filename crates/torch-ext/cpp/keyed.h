// Random decisions as a function of (key, position): without state or order, equal in the backward pass and in any thread.
#pragma once

#include <cstdint>

#define INLINE static inline __attribute__((always_inline))

// Mixes 64 bits (the finaliser of splitmix64).
INLINE uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// Mixes 32 bits, or lanes of them (Wellons' lowbias32).
template <typename T>
INLINE T mix32(T x) {
  x ^= x >> 16;
  x *= 0x7FEB352Du;
  x ^= x >> 15;
  x *= 0x846CA68Bu;
  x ^= x >> 16;
  return x;
}
