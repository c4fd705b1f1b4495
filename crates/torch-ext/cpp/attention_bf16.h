// Attention of one head over one segment in bfloat16, for processors with AVX-512 and its pairwise dot product
// (`vdpbf16ps`: 16 lanes of 32 bits, each accumulating two products in 32-bit floats).
//
// Inputs and outputs are bfloat16; scores, sums and accumulators are 32-bit floats. Probabilities and their gradients are
// rounded before they are multiplied.
#pragma once

#include <immintrin.h>

#include "attention_kernel.h"
#include "elements.h"

#define WITH_BF16 __attribute__((target("arch=x86-64-v4,avx512bf16")))
#define INLINE_BF16 static inline __attribute__((always_inline, target("arch=x86-64-v4,avx512bf16")))

typedef uint32_t Pair;   // two BFloat, the first one in the lower half

// HeadJob in bfloat16.
struct BFloatJob {
  const BFloat *q, *k, *v;
  int64_t stride, frames, head_dim;
  float scale, keep;
  uint32_t limit;
  uint64_t seed;
  BFloat* y;
  int64_t y_stride;
  float* log_sum;
  const BFloat* dy;
  BFloat *dq, *dk, *dv;
};

struct BFloatSizes {
  int64_t padded, pairs, width, row;
  INLINE BFloatSizes of(int64_t frames, int64_t head_dim) {
    return {up(frames, 16), (head_dim + 1) / 2, up(head_dim, 16), up(frames, 32) + 32};
  }
};

constexpr int64_t FORWARD_ROWS = 8, BACKWARD_ROWS = 16;

// Workspace in 32-bit words.
INLINE int64_t bfloat_forward_space(int64_t frames, int64_t head_dim) {
  const BFloatSizes s = BFloatSizes::of(frames, head_dim);
  return s.padded * s.pairs + s.padded / 2 * s.width + FORWARD_ROWS * (s.row + s.row / 2 + up(s.pairs, 16));
}
INLINE int64_t bfloat_backward_space(int64_t frames, int64_t head_dim) {
  const BFloatSizes s = BFloatSizes::of(frames, head_dim);
  return s.padded * (2 * s.pairs + s.width / 2 + 2 * s.width) + BACKWARD_ROWS * (2 * up(s.pairs, 16) + 2 * s.width + 3 * 8);
}

// The first `n` of 16 values; the others are 0.
INLINE_BF16 __m256i some(const BFloat* from, int64_t n) {
  return _mm256_maskz_loadu_epi16((__mmask16)(n >= 16 ? 0xFFFF : n <= 0 ? 0 : (1 << n) - 1), from);
}

INLINE_BF16 void put_some(BFloat* to, __m512 x, int64_t n) {
  _mm256_mask_storeu_epi16(to, (__mmask16)(n >= 16 ? 0xFFFF : (1 << n) - 1), (__m256i)_mm512_cvtneps_pbh(x));
}

// Column pairs of a row: [rows][up(pairs, 16)], 0 after the last row.
INLINE_BF16 void pairs_in(const BFloat* from, int64_t stride, int64_t n, int64_t head_dim, int64_t rows, int64_t width, Pair* to) {
  for (int64_t t = 0; t < rows; ++t)
    for (int64_t d = 0; d < head_dim; d += 16)
      _mm256_storeu_si256((__m256i*)(to + t * width + d / 2), t < n ? some(from + t * stride + d, head_dim - d) : _mm256_setzero_si256());
}

// The same in blocks of 16 rows: [block][pair][16].
INLINE_BF16 void pair_blocks_in(const BFloat* from, int64_t stride, int64_t frames, int64_t head_dim, int64_t pairs, Pair* to) {
  for (int64_t j = 0; j < frames; j += 16) {
    const int64_t n = frames - j < 16 ? frames - j : 16;
    for (int64_t d = 0; d < pairs; ++d) {
      Pair* block = to + j * pairs + d * 16;
      const BFloat* at = from + j * stride + 2 * d;
      _mm512_storeu_si512(block, _mm512_setzero_si512());
      const int64_t bytes = 2 * d + 1 < head_dim ? 4 : 2;
      if (bytes == 4)
        for (int64_t t = 0; t < n; ++t) __builtin_memcpy(block + t, at + t * stride, 4);
      else
        for (int64_t t = 0; t < n; ++t) block[t] = at[t * stride];
    }
  }
}

// Row pairs: [rows / 2][width], 0 after the last row and column.
INLINE_BF16 void row_pairs_in(const BFloat* from, int64_t stride, int64_t n, int64_t head_dim, int64_t rows, int64_t width, Pair* to) {
  for (int64_t t = 0; t < rows; t += 2)
    for (int64_t d = 0; d < width; d += 16) {
      const __m512i first = _mm512_cvtepu16_epi32(some(from + t * stride + d, t < n ? head_dim - d : 0));
      const __m512i second = _mm512_cvtepu16_epi32(some(from + (t + 1) * stride + d, t + 1 < n ? head_dim - d : 0));
      _mm512_storeu_si512(to + t / 2 * width + d, _mm512_or_si512(first, _mm512_slli_epi32(second, 16)));
    }
}

INLINE_BF16 void bfloats_out(const float* from, int64_t n, int64_t head_dim, float factor, int64_t width, BFloat* to, int64_t stride) {
  for (int64_t t = 0; t < n; ++t)
    for (int64_t d = 0; d < head_dim; d += 16)
      put_some(to + t * stride + d, (__m512)(factor * load<16>(from + t * width + d)), head_dim - d);
}

INLINE_BF16 __m512 dot(__m512 to, Pair a, const Pair* b) {
  return _mm512_dpbf16_ps(to, (__m512bh)_mm512_set1_epi32((int)a), (__m512bh)_mm512_load_si512(b));
}

// 2^x for x <= 0 with an error of 3e-6, far below the precision of bfloat16; 0 on underflow.
INLINE_BF16 F<16> bfloat_exp2(F<16> x) {
  const __m512 n = _mm512_roundscale_ps((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const F<16> f = x - (F<16>)n;
  F<16> p = all<16>(0.0095701017f);
  p = p * f + 0.0559178603f;
  p = p * f + 0.240247448f;
  p = p * f + 0.693121815f;
  p = p * f + 0.999999261f;
  return (F<16>)_mm512_scalef_ps((__m512)p, n);
}

// out[r] = scores of R rows for 16 columns.
template <int R>
INLINE_BF16 void bfloat_tile(const Pair* a, int64_t width, const Pair* block, int64_t pairs, F<16> out[R]) {
  __m512 total[R];
  for (int r = 0; r < R; ++r) total[r] = _mm512_setzero_ps();
  for (int64_t d = 0; d < pairs; ++d)
    for (int r = 0; r < R; ++r) total[r] = dot(total[r], a[r * width + d], block + d * 16);
  for (int r = 0; r < R; ++r) out[r] = (F<16>)total[r];
}

WITH_BF16 static void bfloat_forward_head(const BFloatJob& job, Pair* space) {
  constexpr int R = FORWARD_ROWS;
  const BFloatSizes s = BFloatSizes::of(job.frames, job.head_dim);
  Pair* k = space;
  Pair* v = k + s.padded * s.pairs;
  float* score = (float*)(v + s.padded / 2 * s.width);
  Pair* p = (Pair*)(score + R * s.row);
  Pair* q = p + R * s.row / 2;
  const int64_t q_width = up(s.pairs, 16);
  pair_blocks_in(job.k, job.stride, job.frames, job.head_dim, s.pairs, k);
  row_pairs_in(job.v, job.stride, job.frames, job.head_dim, s.padded, s.width, v);
  const float base_2 = job.scale * LOG2_E;
  for (int64_t i = 0; i < job.frames; i += R) {
    const int64_t rows = job.frames - i < R ? job.frames - i : R;
    pairs_in(job.q + i * job.stride, job.stride, rows, job.head_dim, R, q_width, q);
    F<16> top[R];
    for (int r = 0; r < R; ++r) top[r] = all<16>(NEVER);
    for (int64_t j = 0; j < s.padded; j += 16) {
      F<16> x[R];
      bfloat_tile<R>(q, q_width, k + j * s.pairs, s.pairs, x);
      const I<16> inside = lanes_below<16>(job.frames - j);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        x[r] = inside ? x[r] : all<16>(NEVER);
        top[r] = (F<16>)_mm512_max_ps((__m512)x[r], (__m512)top[r]);
        store<16>(score + r * s.row + j, x[r]);
      }
    }
    float factor[R];
    for (int64_t r = 0; r < R; ++r) {
      const float high = base_2 * largest<16>(top[r]);
      const uint32_t key = row_key(job.seed, i + r);
      const float* row = score + r * s.row;
      F<16> total = F<16>{};
      for (int64_t j = 0; j < s.padded; j += 32) {
        F<16> low = bfloat_exp2(load<16>(row + j) * base_2 - high), up = F<16>{};
        if (j + 16 < s.padded) up = bfloat_exp2(load<16>(row + j + 16) * base_2 - high);
        total += low + up;
        if (job.limit) {
          const U<16> hash = row_hash<16>(key, j / 2);
          low = kept<16>(low, hash, false, job.limit);
          up = kept<16>(up, hash, true, job.limit);
        }
        _mm512_store_si512(p + (r * s.row + j) / 2, (__m512i)_mm512_cvtne2ps_pbh((__m512)up, (__m512)low));
      }
      const float sum_of_row = sum<16>(total);
      factor[r] = job.keep / sum_of_row;
      if (r < rows) job.log_sum[i + r] = high + __builtin_log2f(sum_of_row);
    }
    for (int64_t c = 0; c < s.width; c += 16) {
      __m512 y[R];
      for (int r = 0; r < R; ++r) y[r] = _mm512_setzero_ps();
      for (int64_t j = 0; j < s.padded / 2; ++j)
        for (int r = 0; r < R; ++r) y[r] = dot(y[r], p[r * s.row / 2 + j], v + j * s.width + c);
      for (int64_t r = 0; r < rows; ++r)
        put_some(job.y + (i + r) * job.y_stride + c, (__m512)((F<16>)y[r] * factor[r]), job.head_dim - c);
    }
  }
}

// to[t][:] += sum over row pairs of weight[pair][t] rows[pair][:], for 16 columns t.
INLINE_BF16 void bfloat_add_outer(const Pair* weight, const Pair* rows, int64_t width, float* to) {
  __m512 total[16];
  for (int t = 0; t < 16; ++t) total[t] = _mm512_load_ps(to + t * width);
  for (int r = 0; r < BACKWARD_ROWS / 2; ++r)
    for (int t = 0; t < 16; ++t) total[t] = dot(total[t], weight[r * 16 + t], rows + r * width);
  for (int t = 0; t < 16; ++t) _mm512_store_ps(to + t * width, total[t]);
}

WITH_BF16 static void bfloat_backward_head(const BFloatJob& job, Pair* space) {
  constexpr int R = BACKWARD_ROWS;
  const BFloatSizes s = BFloatSizes::of(job.frames, job.head_dim);
  const int64_t q_width = up(s.pairs, 16);
  Pair* kb = space;
  Pair* vb = kb + s.padded * s.pairs;
  Pair* k = vb + s.padded * s.pairs;
  float* dk = (float*)(k + s.padded / 2 * s.width);
  float* dv = dk + s.padded * s.width;
  Pair* q = (Pair*)(dv + s.padded * s.width);   // column pairs of the current rows
  Pair* g = q + R * q_width;
  Pair* q_rows = g + R * q_width;               // the same as row pairs
  Pair* g_rows = q_rows + R / 2 * s.width;
  float* dq = (float*)(g_rows + R / 2 * s.width);
  Pair* p = (Pair*)(dq + R * s.width);          // [R / 2][16], row pairs
  Pair* ds = p + R / 2 * 16;
  Pair* ds_row = ds + R / 2 * 16;               // [R][8], column pairs
  pair_blocks_in(job.k, job.stride, job.frames, job.head_dim, s.pairs, kb);
  pair_blocks_in(job.v, job.stride, job.frames, job.head_dim, s.pairs, vb);
  row_pairs_in(job.k, job.stride, job.frames, job.head_dim, s.padded, s.width, k);
  for (int64_t i = 0; i < 2 * s.padded * s.width; ++i) dk[i] = 0;
  const float base_2 = job.scale * LOG2_E;
  const __m512i by_turns = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3,
                                            18, 2, 17, 1, 16, 0);
  for (int64_t i = 0; i < job.frames; i += R) {
    const int64_t rows = job.frames - i < R ? job.frames - i : R;
    const BFloat *q_at = job.q + i * job.stride, *g_at = job.dy + i * job.y_stride;
    // Rows after the end of the segment have zero queries and gradients, so they contribute nothing.
    pairs_in(q_at, job.stride, rows, job.head_dim, R, q_width, q);
    pairs_in(g_at, job.y_stride, rows, job.head_dim, R, q_width, g);
    row_pairs_in(q_at, job.stride, rows, job.head_dim, R, s.width, q_rows);
    row_pairs_in(g_at, job.y_stride, rows, job.head_dim, R, s.width, g_rows);
    for (int64_t d = 0; d < R * s.width; ++d) dq[d] = 0;
    float inner[R], log_sum[R];
    uint32_t key[R];
    for (int64_t r = 0; r < R; ++r) {
      const BFloat *y = job.y + (i + r) * job.y_stride, *dy = job.dy + (i + r) * job.y_stride;
      F<16> products = F<16>{};
      for (int64_t d = 0; r < rows && d < job.head_dim; d += 16)
        products += widened<16>((BFloats<16>::Vector)some(y + d, job.head_dim - d)) * widened<16>((BFloats<16>::Vector)some(dy + d, job.head_dim - d));
      inner[r] = sum<16>(products);
      log_sum[r] = r < rows ? job.log_sum[i + r] : 0.0f;
      key[r] = row_key(job.seed, i + r);
    }
    for (int64_t j = 0; j < s.padded; j += 16) {
      const bool upper = j % 32 != 0;
      // A column after the end of the segment has probability 0; its score would be 0, not -inf.
      const I<16> inside = lanes_below<16>(job.frames - j);
      for (int r0 = 0; r0 < R; r0 += 8) {
        F<16> score[8], dp[8];
        bfloat_tile<8>(q + r0 * q_width, q_width, kb + j * s.pairs, s.pairs, score);
        bfloat_tile<8>(g + r0 * q_width, q_width, vb + j * s.pairs, s.pairs, dp);
#pragma GCC unroll 4
        for (int r = 0; r < 8; r += 2) {
          F<16> e[2], slope[2];
#pragma GCC unroll 2
          for (int n = 0; n < 2; ++n) {
            const int at = r0 + r + n;
            e[n] = (F<16>)((I<16>)bfloat_exp2(score[r + n] * base_2 - log_sum[at]) & inside);
            F<16> through = dp[r + n], chance = e[n];
            if (job.limit) {
              const U<16> hash = row_hash<16>(key[at], j / 32 * 16);
              through = kept<16>(through, hash, upper, job.limit);
              chance = kept<16>(chance, hash, upper, job.limit);
            }
            slope[n] = e[n] * (through * job.keep - inner[at]);
            e[n] = chance;
          }
          const __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)e[1], (__m512)e[0]);
          const __m512i slopes = (__m512i)_mm512_cvtne2ps_pbh((__m512)slope[1], (__m512)slope[0]);
          _mm512_store_si512(p + (r0 + r) / 2 * 16, _mm512_permutexvar_epi16(by_turns, both));
          _mm512_store_si512(ds + (r0 + r) / 2 * 16, _mm512_permutexvar_epi16(by_turns, slopes));
          _mm512_store_si512(ds_row + (r0 + r) * 8, slopes);
        }
      }
      for (int64_t c = 0; c < s.width; c += 16) {
        bfloat_add_outer(p, g_rows + c, s.width, dv + j * s.width + c);
        bfloat_add_outer(ds, q_rows + c, s.width, dk + j * s.width + c);
        __m512 total[R];
        for (int r = 0; r < R; ++r) total[r] = _mm512_load_ps(dq + r * s.width + c);
        for (int t = 0; t < 8; ++t)
          for (int r = 0; r < R; ++r) total[r] = dot(total[r], ds_row[r * 8 + t], k + (j / 2 + t) * s.width + c);
        for (int r = 0; r < R; ++r) _mm512_store_ps(dq + r * s.width + c, total[r]);
      }
    }
    bfloats_out(dq, rows, job.head_dim, job.scale, s.width, job.dq + i * job.stride, job.stride);
  }
  bfloats_out(dk, job.frames, job.head_dim, job.scale, s.width, job.dk, job.stride);
  bfloats_out(dv, job.frames, job.head_dim, job.keep, s.width, job.dv, job.stride);
}
