// Attention of one head over one segment, for processors with vectors of L floats, in tiles of R query rows.
//
// Scores are in base 2 (queries are multiplied by the scale and log2 e), so that a probability is a single 2^x.
#pragma once

#include "lanes.h"

// One head of one segment. Strides are in elements.
struct HeadJob {
  const float *q, *k, *v;  // [T, head_dim] at `stride`
  int64_t stride, frames, head_dim;
  float scale;     // 1 / sqrt(head_dim)
  float keep;      // 1 / (1 - p)
  uint32_t limit;  // dropout rate in 1/65536, in the upper 16 bits; 0 disables dropout
  uint64_t seed;   // for this segment and head
  float* y;        // [T, head_dim] at `y_stride`
  int64_t y_stride;
  float* log_sum;  // [T], base 2
  const float* dy;  // as y
  float *dq, *dk, *dv;  // as q, k, v
};

constexpr float LN_2 = 0.693147181f;

INLINE int64_t up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// Buffer sizes of a job.
template <int L, int R>
struct Sizes {
  int64_t padded, width, row;
  INLINE Sizes of(int64_t frames, int64_t head_dim) {
    Sizes s;
    s.padded = up(frames, L);      // number of columns, in whole vectors
    s.width = up(head_dim, L);     // head width, in whole vectors
    s.row = s.padded + 16;         // stride of probability rows; a power of 2 would cause cache conflicts
    return s;
  }
};

// Workspace of the kernels, in floats.
template <int L, int R>
INLINE int64_t forward_space(int64_t frames, int64_t head_dim) {
  const Sizes<L, R> s = Sizes<L, R>::of(frames, head_dim);
  return s.padded * (head_dim + s.width) + R * s.row + R * s.width;
}
template <int L, int R>
INLINE int64_t backward_space(int64_t frames, int64_t head_dim) {
  const Sizes<L, R> s = Sizes<L, R>::of(frames, head_dim);
  return s.padded * (2 * head_dim + 3 * s.width) + 4 * R * L + 3 * R * s.width + 16 * R;
}

// x[i][j] -> x[j][i]
template <int L>
INLINE void transpose(F<L> x[L]) {
  const U<L> lane = Lanes<L>::NUMBERS;
#pragma GCC unroll 8
  for (uint32_t k = 1; k < L; k *= 2)
#pragma GCC unroll 16
    for (int i = 0; i < L; ++i)
      if (!(i & k)) {
        const F<L> a = x[i], b = x[i | k];
        x[i] = __builtin_shuffle(a, b, (I<L>)((lane & k) ? (lane ^ k) + L : lane));
        x[i | k] = __builtin_shuffle(a, b, (I<L>)((lane & k) ? lane + L : (lane | k)));
      }
}

// [T, head_dim] with a stride -> [block][head_dim][L], 0 after the last frame.
template <int L>
INLINE void blocks_in(const float* from, int64_t stride, int64_t frames, int64_t head_dim, float* to) {
  for (int64_t j = 0; j < frames; j += L) {
    float* block = to + j * head_dim;
    int64_t d = 0;
    const int64_t n = frames - j < L ? frames - j : L;
    for (; d + L <= head_dim; d += L) {
      F<L> x[L];
      for (int t = 0; t < L; ++t) x[t] = t < n ? load<L>(from + (j + t) * stride + d) : F<L>{};
      transpose<L>(x);
      for (int t = 0; t < L; ++t) store<L>(block + (d + t) * L, x[t]);
    }
    for (; d < head_dim; ++d)
      for (int t = 0; t < L; ++t) block[d * L + t] = t < n ? from[(j + t) * stride + d] : 0.0f;
  }
}

// [n, head_dim] with a stride -> [rows, width], times a factor, 0 elsewhere.
template <int L>
INLINE void rows_in(const float* from, int64_t stride, int64_t n, int64_t head_dim, float factor, int64_t rows, int64_t width, float* to) {
  for (int64_t t = 0; t < rows; ++t, from += stride, to += width) {
    int64_t d = 0;
    if (t < n) {
      for (; d + L <= head_dim; d += L) store<L>(to + d, factor * load<L>(from + d));
      for (; d < head_dim; ++d) to[d] = factor * from[d];
    }
    for (; d < width; ++d) to[d] = 0.0f;
  }
}

template <int L>
INLINE void rows_out(const float* from, int64_t n, int64_t head_dim, float factor, int64_t width, float* to, int64_t stride) {
  for (int64_t t = 0; t < n; ++t, from += width, to += stride) {
    int64_t d = 0;
    for (; d + L <= head_dim; d += L) store<L>(to + d, factor * load<L>(from + d));
    for (; d < head_dim; ++d) to[d] = factor * from[d];
  }
}

// out[r][c] = sum_d a[r][d] b[c][d] for R rows and C blocks of columns.
template <int L, int R, int C>
INLINE void tile(const float* a, int64_t width, const float* b, int64_t head_dim, F<L> out[R][C]) {
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) out[r][c] = F<L>{};
  for (int64_t d = 0; d < head_dim; ++d) {
    F<L> column[C];
    for (int c = 0; c < C; ++c) column[c] = load<L>(b + c * head_dim * L + d * L);
    for (int r = 0; r < R; ++r)
      for (int c = 0; c < C; ++c) out[r][c] += a[r * width + d] * column[c];
  }
}

// sum[r][c] += sum_t weight[r][t] row[t][c] for R rows, `n` values of t, and C vectors of a head's width.
template <int L, int R, int C>
INLINE void add_rows(const float* weight, int64_t stride, const float* row, int64_t width, int64_t n, F<L> sum[R][C]) {
  for (int64_t t = 0; t < n; ++t) {
    F<L> x[C];
    for (int c = 0; c < C; ++c) x[c] = load<L>(row + t * width + c * L);
    for (int r = 0; r < R; ++r)
      for (int c = 0; c < C; ++c) sum[r][c] += weight[r * stride + t] * x[c];
  }
}

// The scores of R rows and C blocks of columns from column `j`, and the highest of each row and lane.
template <int L, int R, int C>
INLINE void scores(const float* q, int64_t width, const float* k, int64_t head_dim, int64_t frames, int64_t j, float* p, int64_t stride, F<L> top[R]) {
  F<L> score[R][C];
  tile<L, R, C>(q, width, k + j * head_dim, head_dim, score);
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) {
      const F<L> x = C == 1 ? (lanes_below<L>(frames - j) ? score[r][c] : all<L>(NEVER)) : score[r][c];
      top[r] = x > top[r] ? x : top[r];
      store<L>(p + r * stride + j + c * L, x);
    }
}

// y = factor p v for R rows and C vectors of a head's width, of which `rows` rows and `n` columns are kept.
template <int L, int R, int C>
INLINE void weighted(const float* p, int64_t stride, const float* v, int64_t width, int64_t frames, const float* factor, int64_t rows, int64_t n, float* y,
                     int64_t y_stride) {
  F<L> sum[R][C];
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) sum[r][c] = F<L>{};
  add_rows<L, R, C>(p, stride, v, width, frames, sum);
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) {
      if (r >= rows) continue;
      const F<L> x = factor[r] * sum[r][c];
      float* out = y + r * y_stride + c * L;
      if ((c + 1) * L <= n) store<L>(out, x);
      else
        for (int64_t d = 0; d < n - c * L; ++d) out[d] = x[d];
    }
}

template <int L, int R>
INLINE void forward_head(const HeadJob& job, float* space) {
  const Sizes<L, R> s = Sizes<L, R>::of(job.frames, job.head_dim);
  float* k = space;
  float* v = k + s.padded * job.head_dim;
  float* p = v + s.padded * s.width;
  float* q = p + R * s.row;
  blocks_in<L>(job.k, job.stride, job.frames, job.head_dim, k);
  rows_in<L>(job.v, job.stride, job.frames, job.head_dim, 1.0f, job.frames, s.width, v);
  for (int64_t i = 0; i < job.frames; i += R) {
    const int64_t rows = job.frames - i < R ? job.frames - i : R;
    rows_in<L>(job.q + i * job.stride, job.stride, rows, job.head_dim, job.scale * LOG2_E, R, s.width, q);
    F<L> top[R];
    for (int r = 0; r < R; ++r) top[r] = all<L>(NEVER);
    int64_t j = 0;
    for (; j + 2 * L <= job.frames; j += 2 * L) scores<L, R, 2>(q, s.width, k, job.head_dim, job.frames, j, p, s.row, top);
    for (; j < s.padded; j += L) scores<L, R, 1>(q, s.width, k, job.head_dim, job.frames, j, p, s.row, top);
    float factor[R];
    for (int64_t r = 0; r < R; ++r) {
      const float high = largest<L>(top[r]);
      const uint32_t key = row_key(job.seed, i + r);
      F<L> total = F<L>{};
      float* row = p + r * s.row;
      if (job.limit == 0) {
        for (int64_t j = 0; j < s.padded; j += L) {
          const F<L> e = exp2<L>(load<L>(row + j) - high);
          total += e;
          store<L>(row + j, e);
        }
      } else {
        for (int64_t word = 0; column_of(word) < s.padded; word += L) {
          const U<L> hash = row_hash<L>(key, word);
          const int64_t j = column_of(word);
          for (int upper = 0; upper < 2; ++upper) {
            const int64_t at = j + 16 * upper;
            if (at >= s.padded) break;
            const F<L> e = exp2<L>(load<L>(row + at) - high);
            total += e;
            store<L>(row + at, kept<L>(e, hash, upper, job.limit));
          }
        }
      }
      const float sum_of_row = sum<L>(total);
      factor[r] = job.keep / sum_of_row;
      if (r < rows) job.log_sum[i + r] = high + __builtin_log2f(sum_of_row);
    }
    float* y = job.y + i * job.y_stride;
    int64_t c = 0;
    for (; c + 2 * L <= s.width; c += 2 * L)
      weighted<L, R, 2>(p, s.row, v + c, s.width, job.frames, factor, rows, job.head_dim - c, y + c, job.y_stride);
    for (; c < s.width; c += L) weighted<L, R, 1>(p, s.row, v + c, s.width, job.frames, factor, rows, job.head_dim - c, y + c, job.y_stride);
  }
}

// to[t][c] += sum_r weight[r][t] row[r][c] for `n` rows t and C vectors of a head's width.
template <int L, int R, int C>
INLINE void add_outer(const float* weight, int64_t stride, const float* row, int64_t width, int64_t n, float* to) {
  F<L> x[R][C];
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) x[r][c] = load<L>(row + r * width + c * L);
  for (int64_t t = 0; t < n; ++t) {
    F<L> sum[C];
    for (int c = 0; c < C; ++c) sum[c] = load<L>(to + t * width + c * L);
    for (int r = 0; r < R; ++r) {
      const float w = weight[r * stride + t];
      for (int c = 0; c < C; ++c) sum[c] += w * x[r][c];
    }
    for (int c = 0; c < C; ++c) store<L>(to + t * width + c * L, sum[c]);
  }
}

// What the backward pass of R rows needs.
template <int L, int R>
struct BackRows {
  const float *kb, *vb, *k;  // keys and values in blocks of columns, keys by row
  float *dk, *dv;
  float *p, *ds;             // [R][2 L]
  uint32_t* hash;            // [R][16]: of 32 columns
  float *q, *g, *dq;         // [R][width]
  float inner[R], log_sum[R];
  uint32_t key[R];
  int64_t width;
};

// Adds what `n` columns from column `j` contribute to the gradients, in C vectors of a head's width from `d`.
template <int L, int R, int C>
INLINE void add_gradients(const BackRows<L, R>& x, int64_t j, int64_t n, int64_t d) {
  add_outer<L, R, C>(x.p, 2 * L, x.g + d, x.width, n, x.dv + j * x.width + d);
  add_outer<L, R, C>(x.ds, 2 * L, x.q + d, x.width, n, x.dk + j * x.width + d);
  F<L> sum[R][C];
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) sum[r][c] = load<L>(x.dq + r * x.width + d + c * L);
  add_rows<L, R, C>(x.ds, 2 * L, x.k + j * x.width + d, x.width, n, sum);
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) store<L>(x.dq + r * x.width + d + c * L, sum[r][c]);
}

// The gradients that C blocks of columns from column `j` contribute.
template <int L, int R, int C>
INLINE void back_columns(const HeadJob& job, const BackRows<L, R>& x, int64_t j) {
  F<L> out[R][C];
  tile<L, R, C>(x.q, x.width, x.kb + j * job.head_dim, job.head_dim, out);
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) {
      F<L> e = exp2<L>(out[r][c] - x.log_sum[r]);
      // A column after the end of the segment has probability 0; its score would be 0, not -inf.
      if (C == 1) e = (F<L>)((I<L>)e & lanes_below<L>(job.frames - j));
      store<L>(x.p + r * 2 * L + c * L, e);
    }
  tile<L, R, C>(x.g, x.width, x.vb + j * job.head_dim, job.head_dim, out);
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) {
      float* p = x.p + r * 2 * L + c * L;
      F<L> e = load<L>(p), through = out[r][c];
      if (job.limit) {
        const int64_t at = j + c * L;
        const U<L> hash = (U<L>)load<L>((const float*)x.hash + r * 16 + at % 16);
        const bool upper = at % 32 >= 16;
        through = kept<L>(through, hash, upper, job.limit);
        store<L>(p, kept<L>(e, hash, upper, job.limit));
      }
      store<L>(x.ds + r * 2 * L + c * L, e * (through - x.inner[r]));
    }
  int64_t d = 0;
  for (; d + 2 * L <= x.width; d += 2 * L) add_gradients<L, R, 2>(x, j, C * L, d);
  for (; d < x.width; d += L) add_gradients<L, R, 1>(x, j, C * L, d);
}

template <int L, int R>
INLINE void backward_head(const HeadJob& job, float* space) {
  const Sizes<L, R> s = Sizes<L, R>::of(job.frames, job.head_dim);
  BackRows<L, R> x;
  x.width = s.width;
  float* kb = space;
  float* vb = kb + s.padded * job.head_dim;
  float* k = vb + s.padded * job.head_dim;
  x.dk = k + s.padded * s.width;
  x.dv = x.dk + s.padded * s.width;
  x.p = x.dv + s.padded * s.width;
  x.ds = x.p + 2 * R * L;
  x.hash = (uint32_t*)(x.ds + 2 * R * L);
  x.q = (float*)x.hash + 16 * R;
  x.g = x.q + R * s.width;
  x.dq = x.g + R * s.width;
  x.kb = kb, x.vb = vb, x.k = k;
  blocks_in<L>(job.k, job.stride, job.frames, job.head_dim, kb);
  blocks_in<L>(job.v, job.stride, job.frames, job.head_dim, vb);
  rows_in<L>(job.k, job.stride, job.frames, job.head_dim, 1.0f, s.padded, s.width, k);
  for (int64_t i = 0; i < 2 * s.padded * s.width; ++i) x.dk[i] = 0;
  for (int64_t i = 0; i < job.frames; i += R) {
    const int64_t rows = job.frames - i < R ? job.frames - i : R;
    // Rows after the end of the segment have zero queries and gradients, so they contribute nothing.
    rows_in<L>(job.q + i * job.stride, job.stride, rows, job.head_dim, job.scale * LOG2_E, R, s.width, x.q);
    rows_in<L>(job.dy + i * job.y_stride, job.y_stride, rows, job.head_dim, job.keep, R, s.width, x.g);
    for (int64_t d = 0; d < R * s.width; ++d) x.dq[d] = 0;
    for (int64_t r = 0; r < R; ++r) {
      x.inner[r] = 0;
      const float *y = job.y + (i + r) * job.y_stride, *dy = job.dy + (i + r) * job.y_stride;
      for (int64_t d = 0; r < rows && d < job.head_dim; ++d) x.inner[r] += y[d] * dy[d];
      x.log_sum[r] = r < rows ? job.log_sum[i + r] : 0.0f;
      x.key[r] = row_key(job.seed, i + r);
    }
    for (int64_t group = 0; group < s.padded; group += 32) {
      if (job.limit)
        for (int r = 0; r < R; ++r)
          for (int w = 0; w < 16; w += L) store<L>((float*)x.hash + r * 16 + w, (F<L>)row_hash<L>(x.key[r], group / 2 + w));
      const int64_t end = s.padded - group < 32 ? s.padded : group + 32;
      int64_t j = group;
      for (; j + 2 * L <= end && j + 2 * L <= job.frames; j += 2 * L) back_columns<L, R, 2>(job, x, j);
      for (; j < end; j += L) back_columns<L, R, 1>(job, x, j);
    }
    rows_out<L>(x.dq, rows, job.head_dim, job.scale, s.width, job.dq + i * job.stride, job.stride);
  }
  // The queries contain the scale and log2 e, and the gradients of y contain the dropout scale.
  rows_out<L>(x.dk, job.frames, job.head_dim, LN_2, s.width, job.dk, job.stride);
  rows_out<L>(x.dv, job.frames, job.head_dim, 1.0f, s.width, job.dv, job.stride);
}
