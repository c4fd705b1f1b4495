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
  int64_t blocks, padded, chunks, width, row;
  INLINE Sizes of(int64_t frames, int64_t head_dim) {
    Sizes s;
    s.blocks = (frames + L - 1) / L;     // blocks of columns
    s.padded = s.blocks * L;             // padded number of columns
    s.chunks = (head_dim + L - 1) / L;   // vectors per head width
    s.width = s.chunks * L;              // head width padded to whole vectors
    s.row = s.padded + 16;               // stride of probability rows; a power of 2 would cause cache conflicts
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
  return s.padded * (2 * head_dim + 3 * s.width) + 2 * R * L + 3 * R * s.width;
}

// [T, head_dim] with a stride -> [block][head_dim][L], 0 after the last frame.
template <int L>
INLINE void blocks_in(const float* from, int64_t stride, int64_t frames, int64_t head_dim, float* to) {
  for (int64_t j = 0; j < frames; j += L) {
    float* block = to + j * head_dim;
    if (j + L > frames)
      for (int64_t i = 0; i < L * head_dim; ++i) block[i] = 0;
    const int64_t n = frames - j < L ? frames - j : L;
    for (int64_t t = 0; t < n; ++t)
      for (int64_t d = 0; d < head_dim; ++d) block[d * L + t] = from[(j + t) * stride + d];
  }
}

// [n, head_dim] with a stride -> [rows, width], times a factor, 0 elsewhere.
INLINE void rows_in(const float* from, int64_t stride, int64_t n, int64_t head_dim, float factor, int64_t rows, int64_t width, float* to) {
  for (int64_t t = 0; t < rows; ++t)
    for (int64_t d = 0; d < width; ++d) to[t * width + d] = t < n && d < head_dim ? factor * from[t * stride + d] : 0.0f;
}

INLINE void rows_out(const float* from, int64_t n, int64_t head_dim, float factor, int64_t width, float* to, int64_t stride) {
  for (int64_t t = 0; t < n; ++t)
    for (int64_t d = 0; d < head_dim; ++d) to[t * stride + d] = factor * from[t * width + d];
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

template <int L, int R>
INLINE void forward_head(const HeadJob& job, float* space) {
  const Sizes<L, R> s = Sizes<L, R>::of(job.frames, job.head_dim);
  float* k = space;
  float* v = k + s.padded * job.head_dim;
  float* p = v + s.padded * s.width;
  float* q = p + R * s.row;
  blocks_in<L>(job.k, job.stride, job.frames, job.head_dim, k);
  rows_in(job.v, job.stride, job.frames, job.head_dim, 1.0f, job.frames, s.width, v);
  const int64_t whole = job.frames / L * L;
  for (int64_t i = 0; i < job.frames; i += R) {
    const int64_t rows = job.frames - i < R ? job.frames - i : R;
    rows_in(job.q + i * job.stride, job.stride, rows, job.head_dim, job.scale * LOG2_E, R, s.width, q);
    F<L> top[R];
    for (int r = 0; r < R; ++r) top[r] = all<L>(NEVER);
    int64_t j = 0;
    for (; j + 2 * L <= whole; j += 2 * L) {
      F<L> score[R][2];
      tile<L, R, 2>(q, s.width, k + j * job.head_dim, job.head_dim, score);
      for (int r = 0; r < R; ++r)
        for (int c = 0; c < 2; ++c) {
          top[r] = score[r][c] > top[r] ? score[r][c] : top[r];
          store<L>(p + r * s.row + j + c * L, score[r][c]);
        }
    }
    for (; j < s.padded; j += L) {
      F<L> score[R][1];
      tile<L, R, 1>(q, s.width, k + j * job.head_dim, job.head_dim, score);
      for (int r = 0; r < R; ++r) {
        const F<L> x = lanes_below<L>(job.frames - j) ? score[r][0] : all<L>(NEVER);
        top[r] = x > top[r] ? x : top[r];
        store<L>(p + r * s.row + j, x);
      }
    }
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
    for (int64_t c = 0; c < s.chunks; ++c) {
      F<L> y[R];
      for (int r = 0; r < R; ++r) y[r] = F<L>{};
      for (int64_t j = 0; j < job.frames; ++j) {
        const F<L> value = load<L>(v + j * s.width + c * L);
        for (int r = 0; r < R; ++r) y[r] += p[r * s.row + j] * value;
      }
      const int64_t n = job.head_dim - c * L < L ? job.head_dim - c * L : L;
      for (int64_t r = 0; r < rows; ++r) {
        y[r] *= factor[r];
        float* out = job.y + (i + r) * job.y_stride + c * L;
        if (n == L) store<L>(out, y[r]);
        else
          for (int64_t d = 0; d < n; ++d) out[d] = y[r][d];
      }
    }
  }
}

// to[t][:] += sum_r weight[r][t] row[r][:] for L columns t and one chunk of a head's width.
template <int L, int R>
INLINE void add_outer(const float* weight, const float* row, int64_t width, float* to) {
  F<L> total[L];
  for (int t = 0; t < L; ++t) total[t] = load<L>(to + t * width);
  for (int r = 0; r < R; ++r) {
    const F<L> x = load<L>(row + r * width);
    for (int t = 0; t < L; ++t) total[t] += weight[r * L + t] * x;
  }
  for (int t = 0; t < L; ++t) store<L>(to + t * width, total[t]);
}

template <int L, int R>
INLINE void backward_head(const HeadJob& job, float* space) {
  const Sizes<L, R> s = Sizes<L, R>::of(job.frames, job.head_dim);
  float* kb = space;                          // keys and values in blocks of columns
  float* vb = kb + s.padded * job.head_dim;
  float* k = vb + s.padded * job.head_dim;    // keys by row
  float* dk = k + s.padded * s.width;
  float* dv = dk + s.padded * s.width;
  float* p = dv + s.padded * s.width;         // [R][L] of one block
  float* ds = p + R * L;
  float* q = ds + R * L;
  float* g = q + R * s.width;
  float* dq = g + R * s.width;
  blocks_in<L>(job.k, job.stride, job.frames, job.head_dim, kb);
  blocks_in<L>(job.v, job.stride, job.frames, job.head_dim, vb);
  rows_in(job.k, job.stride, job.frames, job.head_dim, 1.0f, s.padded, s.width, k);
  for (int64_t i = 0; i < 2 * s.padded * s.width; ++i) dk[i] = 0;
  for (int64_t i = 0; i < job.frames; i += R) {
    const int64_t rows = job.frames - i < R ? job.frames - i : R;
    // Rows after the end of the segment have zero queries and gradients, so they contribute nothing.
    rows_in(job.q + i * job.stride, job.stride, rows, job.head_dim, job.scale * LOG2_E, R, s.width, q);
    rows_in(job.dy + i * job.y_stride, job.y_stride, rows, job.head_dim, job.keep, R, s.width, g);
    for (int64_t d = 0; d < R * s.width; ++d) dq[d] = 0;
    float inner[R], log_sum[R];
    uint32_t key[R];
    for (int64_t r = 0; r < R; ++r) {
      inner[r] = 0;
      const float *y = job.y + (i + r) * job.y_stride, *dy = job.dy + (i + r) * job.y_stride;
      for (int64_t d = 0; r < rows && d < job.head_dim; ++d) inner[r] += y[d] * dy[d];
      log_sum[r] = r < rows ? job.log_sum[i + r] : 0.0f;
      key[r] = row_key(job.seed, i + r);
    }
    for (int64_t word = 0; column_of(word) < s.padded; word += L) {
      U<L> hash[R];
      if (job.limit)
        for (int r = 0; r < R; ++r) hash[r] = row_hash<L>(key[r], word);
      for (int upper = 0; upper < 2; ++upper) {
        const int64_t j = column_of(word) + 16 * upper;
        if (j >= s.padded) break;
        // A column after the end of the segment has probability 0; its score would be 0, not -inf.
        const I<L> inside = lanes_below<L>(job.frames - j);
        F<L> score[R][1], dp[R][1];
        tile<L, R, 1>(q, s.width, kb + j * job.head_dim, job.head_dim, score);
        tile<L, R, 1>(g, s.width, vb + j * job.head_dim, job.head_dim, dp);
        for (int r = 0; r < R; ++r) {
          const F<L> e = (F<L>)((I<L>)exp2<L>(score[r][0] - log_sum[r]) & inside);
          const F<L> through = job.limit ? kept<L>(dp[r][0], hash[r], upper, job.limit) : dp[r][0];
          store<L>(p + r * L, job.limit ? kept<L>(e, hash[r], upper, job.limit) : e);
          store<L>(ds + r * L, e * (through - inner[r]));
        }
        for (int64_t c = 0; c < s.width; c += L) {
          add_outer<L, R>(p, g + c, s.width, dv + j * s.width + c);
          add_outer<L, R>(ds, q + c, s.width, dk + j * s.width + c);
          F<L> total[R];
          for (int r = 0; r < R; ++r) total[r] = load<L>(dq + r * s.width + c);
          for (int t = 0; t < L; ++t) {
            const F<L> row = load<L>(k + (j + t) * s.width + c);
            for (int r = 0; r < R; ++r) total[r] += ds[r * L + t] * row;
          }
          for (int r = 0; r < R; ++r) store<L>(dq + r * s.width + c, total[r]);
        }
      }
    }
    rows_out(dq, rows, job.head_dim, job.scale, s.width, job.dq + i * job.stride, job.stride);
  }
  // The queries contain the scale and log2 e, and the gradients of y contain the dropout scale.
  rows_out(dk, job.frames, job.head_dim, LN_2, s.width, job.dk, job.stride);
  rows_out(dv, job.frames, job.head_dim, 1.0f, s.width, job.dv, job.stride);
}
