// Self-attention of packed segments on the CPU: no padding is computed and no T x T matrix is kept.
//
// One (segment, head) at a time: keys and values are transposed into small buffers, eight query rows go over them
// together, and the backward pass recomputes the probabilities from each row's log-sum-exp. Dropout is a hash of
// (seed, segment, head, row, column), so that the backward pass finds the same units without a mask being stored.
// Each (segment, head) writes rows and columns of its own: the outcome is the same for any number of threads.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "guard.h"
#include "keyed.h"

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr int64_t LANES = 16;  // columns that are worked on together
constexpr int64_t ROWS = 8;    // query rows that are worked on together
typedef float Lanes __attribute__((vector_size(4 * LANES), aligned(64)));
typedef int32_t Ints __attribute__((vector_size(4 * LANES), aligned(64)));
typedef uint32_t Bits __attribute__((vector_size(4 * LANES), aligned(64)));

INLINE Lanes all(float x) { return Lanes{} + x; }

INLINE float sum(Lanes x) {
  float total = 0;
  for (int i = 0; i < LANES; ++i) total += x[i];
  return total;
}

// e^x for x <= 0 to about 1 ulp; 0 below the smallest normal number. Reduced to 2^n e^r with |r| <= ln 2 / 2, then a
// Taylor polynomial.
INLINE Lanes exponential(Lanes x) {
  const Ints too_small = x < all(-87.0f);
  const Lanes shifted = x * 1.44269504f + 12582912.0f;  // rounds to the nearest integer in the low bits
  const Lanes n = shifted - 12582912.0f;
  const Lanes r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Lanes p = all(1.0f / 5040);
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const Ints power = ((Ints)shifted - 0x4B400000 + 127) << 23;
  return (Lanes)(~too_small & (Ints)(p * (Lanes)power));
}

// One row's key of the dropout hash.
INLINE uint32_t row_key(uint64_t seed, int64_t segment, int64_t head, int64_t row) {
  return (uint32_t)(mix(seed + 0x9E3779B97F4A7C15ull * (uint64_t)(row + 1) + 0xBF58476D1CE4E5B9ull * (uint64_t)(head + 1) +
                        0x94D049BB133111EBull * (uint64_t)(segment + 1)) >>
                    16);
}

// Factors of 16 columns from `column` on: 0 where dropped, else `keep`.
INLINE Lanes dropout_factors(uint32_t key, int64_t column, uint32_t limit, float keep) {
  const Bits lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const Bits x = mix32((lane + (uint32_t)column) * 0x9E3779B9u + key);
  return (Lanes)((Ints)(x >= limit) & (Ints)all(keep));
}

struct Shape {
  int64_t heads, width, head_dim;  // H, D, D / H
  float scale;                     // 1 / sqrt(D / H)
  float keep;                      // 1 / (1 - p)
  uint32_t limit;                  // a hash below it is dropped; 0 drops nothing
  uint64_t seed;
};

// Work space of one thread: rows are padded to whole lanes.
struct Space {
  std::vector<float> memory;
  float* aligned(size_t floats) {
    if (memory.size() < floats + LANES) memory.resize(floats + LANES);
    return (float*)(((uintptr_t)memory.data() + 63) / 64 * 64);
  }
};

// [T, head_dim] at a stride -> [head_dim, padded], 0 in the padding.
INLINE void transpose_in(const float* from, int64_t stride, int64_t frames, int64_t head_dim, int64_t padded, float* to) {
  for (int64_t d = 0; d < head_dim; ++d) {
    float* row = to + d * padded;
    for (int64_t t = 0; t < frames; ++t) row[t] = from[t * stride + d];
    for (int64_t t = frames; t < padded; ++t) row[t] = 0;
  }
}

INLINE void transpose_out(const float* from, int64_t frames, int64_t head_dim, int64_t padded, float* to, int64_t stride, float scale) {
  for (int64_t t = 0; t < frames; ++t)
    for (int64_t d = 0; d < head_dim; ++d) to[t * stride + d] = scale * from[d * padded + t];
}

// out[r][j] = sum_d a[r][d] bt[d][j] for ROWS rows and one block of columns.
INLINE void block_product(const float* a, int64_t head_dim, const float* bt, int64_t padded, int64_t j, Lanes out[ROWS]) {
  for (int r = 0; r < ROWS; ++r) out[r] = Lanes{};
  for (int64_t d = 0; d < head_dim; ++d) {
    const Lanes b = *(const Lanes*)(bt + d * padded + j);
    for (int r = 0; r < ROWS; ++r) out[r] += a[r * head_dim + d] * b;
  }
}

// out[r][d] = sum_j p[r][j] bt[d][j] for the first `rows` of ROWS rows.
INLINE void row_product(const float* p, const float* bt, int64_t padded, int64_t head_dim, int64_t rows, float* out, int64_t stride, float scale) {
  for (int64_t d = 0; d < head_dim; ++d) {
    Lanes total[ROWS];
    for (int r = 0; r < ROWS; ++r) total[r] = Lanes{};
    for (int64_t j = 0; j < padded; j += LANES) {
      const Lanes b = *(const Lanes*)(bt + d * padded + j);
      for (int r = 0; r < ROWS; ++r) total[r] += *(const Lanes*)(p + r * padded + j) * b;
    }
    for (int64_t r = 0; r < rows; ++r) out[r * stride + d] = scale * sum(total[r]);
  }
}

// Copies ROWS rows of a strided matrix, 0 beyond the last.
INLINE void rows_in(const float* from, int64_t stride, int64_t rows, int64_t head_dim, float scale, float* to) {
  for (int64_t r = 0; r < ROWS; ++r)
    for (int64_t d = 0; d < head_dim; ++d) to[r * head_dim + d] = r < rows ? scale * from[r * stride + d] : 0.0f;
}

FOR_EACH_PROCESSOR
void forward_one(const Shape& s, const float* qkv, int64_t frames, int64_t segment, int64_t head, float* y, float* log_sum, Space& space) {
  const int64_t dh = s.head_dim, stride = 3 * s.width, padded = (frames + LANES - 1) / LANES * LANES;
  float* kt = space.aligned(2 * dh * padded + ROWS * padded + ROWS * dh + LANES);
  float* vt = kt + dh * padded;
  float* p = vt + dh * padded;
  float* q = p + ROWS * padded;
  const float* base = qkv + head * dh;
  transpose_in(base + s.width, stride, frames, dh, padded, kt);
  transpose_in(base + 2 * s.width, stride, frames, dh, padded, vt);
  for (int64_t i = 0; i < frames; i += ROWS) {
    const int64_t rows = std::min(ROWS, frames - i);
    rows_in(base + i * stride, stride, rows, dh, s.scale, q);
    Lanes top[ROWS];
    for (int r = 0; r < ROWS; ++r) top[r] = all(-INFINITY);
    for (int64_t j = 0; j < padded; j += LANES) {
      Lanes block[ROWS];
      block_product(q, dh, kt, padded, j, block);
      for (int r = 0; r < ROWS; ++r) {
        if (j + LANES > frames)
          for (int64_t k = frames - j; k < LANES; ++k) block[r][k] = -INFINITY;
        top[r] = block[r] > top[r] ? block[r] : top[r];
        *(Lanes*)(p + r * padded + j) = block[r];
      }
    }
    float inverse[ROWS];
    for (int64_t r = 0; r < ROWS; ++r) {
      float largest = top[r][0];
      for (int k = 1; k < LANES; ++k) largest = std::max(largest, top[r][k]);
      const uint32_t key = row_key(s.seed, segment, head, i + r);
      Lanes total = Lanes{};
      float* row = p + r * padded;
      for (int64_t j = 0; j < padded; j += LANES) {
        const Lanes e = exponential(*(Lanes*)(row + j) - largest);
        total += e;
        *(Lanes*)(row + j) = s.limit ? e * dropout_factors(key, j, s.limit, s.keep) : e;
      }
      const float sum_of_row = sum(total);
      inverse[r] = 1.0f / sum_of_row;
      if (r < rows) log_sum[i + r] = largest + std::log(sum_of_row);
    }
    float* out = y + i * s.width + head * dh;
    row_product(p, vt, padded, dh, rows, out, s.width, 1.0f);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t d = 0; d < dh; ++d) out[r * s.width + d] *= inverse[r];
  }
}

FOR_EACH_PROCESSOR
void backward_one(const Shape& s, const float* qkv, const float* y, const float* dy, const float* log_sum, int64_t frames, int64_t segment,
                  int64_t head, float* dqkv, Space& space) {
  const int64_t dh = s.head_dim, stride = 3 * s.width, padded = (frames + LANES - 1) / LANES * LANES;
  float* kt = space.aligned(4 * dh * padded + 2 * ROWS * padded + 2 * ROWS * dh + LANES);
  float* vt = kt + dh * padded;
  float* dkt = vt + dh * padded;
  float* dvt = dkt + dh * padded;
  float* p = dvt + dh * padded;
  float* ds = p + ROWS * padded;
  float* q = ds + ROWS * padded;
  float* g = q + ROWS * dh;
  const float* base = qkv + head * dh;
  transpose_in(base + s.width, stride, frames, dh, padded, kt);
  transpose_in(base + 2 * s.width, stride, frames, dh, padded, vt);
  std::memset(dkt, 0, sizeof(float) * 2 * dh * padded);
  for (int64_t i = 0; i < frames; i += ROWS) {
    const int64_t rows = std::min(ROWS, frames - i);
    rows_in(base + i * stride, stride, rows, dh, s.scale, q);
    rows_in(dy + i * s.width + head * dh, s.width, rows, dh, 1.0f, g);
    float inner[ROWS], offset[ROWS];
    uint32_t key[ROWS];
    for (int64_t r = 0; r < ROWS; ++r) {
      inner[r] = 0;
      for (int64_t d = 0; r < rows && d < dh; ++d) inner[r] += g[r * dh + d] * y[(i + r) * s.width + head * dh + d];
      offset[r] = r < rows ? log_sum[i + r] : 0.0f;
      key[r] = row_key(s.seed, segment, head, i + r);
    }
    for (int64_t j = 0; j < padded; j += LANES) {
      Lanes score[ROWS], dp[ROWS];
      block_product(q, dh, kt, padded, j, score);
      block_product(g, dh, vt, padded, j, dp);
      for (int r = 0; r < ROWS; ++r) {
        // Rows and columns beyond the segment have q, g, K and V of 0; their probability must not count either.
        Lanes e = exponential(score[r] - offset[r]);
        if (r >= rows) e = Lanes{};
        if (j + LANES > frames)
          for (int64_t k = frames - j; k < LANES; ++k) e[k] = 0;
        const Lanes factor = s.limit ? dropout_factors(key[r], j, s.limit, s.keep) : all(1.0f);
        *(Lanes*)(p + r * padded + j) = e * factor;
        *(Lanes*)(ds + r * padded + j) = e * (dp[r] * factor - inner[r]);
      }
      for (int64_t d = 0; d < dh; ++d) {
        Lanes dk = *(Lanes*)(dkt + d * padded + j), dv = *(Lanes*)(dvt + d * padded + j);
        for (int r = 0; r < ROWS; ++r) {
          dk += q[r * dh + d] * *(Lanes*)(ds + r * padded + j);
          dv += g[r * dh + d] * *(Lanes*)(p + r * padded + j);
        }
        *(Lanes*)(dkt + d * padded + j) = dk;
        *(Lanes*)(dvt + d * padded + j) = dv;
      }
    }
    row_product(ds, kt, padded, dh, rows, dqkv + i * stride + head * dh, stride, s.scale);
  }
  // q carried the scale already.
  transpose_out(dkt, frames, dh, padded, dqkv + s.width + head * dh, stride, 1.0f);
  transpose_out(dvt, frames, dh, padded, dqkv + 2 * s.width + head * dh, stride, 1.0f);
}

template <typename F>
void for_each_head(const std::vector<int64_t>& offsets, int64_t heads, F body) {
  const int64_t pairs = ((int64_t)offsets.size() - 1) * heads;
  at::parallel_for(0, pairs, 1, [&](int64_t begin, int64_t end) {
    Space space;
    for (int64_t i = begin; i < end; ++i) body(i / heads, i % heads, space);
  });
}

Shape shape_of(const Tensor& qkv, int64_t heads, double dropout, int64_t seed) {
  Shape s;
  s.heads = heads;
  s.width = qkv.size(1) / 3;
  s.head_dim = s.width / heads;
  s.scale = 1.0f / std::sqrt((float)s.head_dim);
  s.keep = (float)(1.0 / (1.0 - dropout));
  s.limit = (uint32_t)(dropout * 4294967296.0);
  s.seed = (uint64_t)seed;
  return s;
}

struct PackedAttention : Function<PackedAttention> {
  static Tensor forward(AutogradContext* ctx, const Tensor& qkv_given, std::vector<int64_t> offsets, int64_t heads, double dropout) {
    const Tensor qkv = qkv_given.contiguous();
    const int64_t seed = dropout > 0 ? (int64_t)draw_seed() : 0;
    const Shape s = shape_of(qkv, heads, dropout, seed);
    const int64_t n = qkv.size(0);
    Tensor y = at::empty({n, s.width}, qkv.options()), log_sum = at::empty({heads, n}, qkv.options());
    const float* in = qkv.data_ptr<float>();
    float *out = y.data_ptr<float>(), *logs = log_sum.data_ptr<float>();
    for_each_head(offsets, heads, [&](int64_t b, int64_t h, Space& space) {
      const int64_t from = offsets[b];
      forward_one(s, in + from * 3 * s.width, offsets[b + 1] - from, b, h, out + from * s.width, logs + h * n + from, space);
    });
    ctx->save_for_backward({qkv, y, log_sum});
    ctx->saved_data["offsets"] = offsets;
    ctx->saved_data["heads"] = heads;
    ctx->saved_data["dropout"] = dropout;
    ctx->saved_data["seed"] = seed;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &qkv = saved[0], &y = saved[1], &log_sum = saved[2];
    const Tensor dy = grad[0].contiguous();
    const auto offsets = ctx->saved_data["offsets"].toIntVector();
    const int64_t heads = ctx->saved_data["heads"].toInt(), n = qkv.size(0);
    const Shape s = shape_of(qkv, heads, ctx->saved_data["dropout"].toDouble(), ctx->saved_data["seed"].toInt());
    Tensor dqkv = at::empty_like(qkv);
    const float *in = qkv.data_ptr<float>(), *out = y.data_ptr<float>(), *dout = dy.data_ptr<float>(), *logs = log_sum.data_ptr<float>();
    float* din = dqkv.data_ptr<float>();
    for_each_head(offsets, heads, [&](int64_t b, int64_t h, Space& space) {
      const int64_t from = offsets[b];
      backward_one(s, in + from * 3 * s.width, out + from * s.width, dout + from * s.width, logs + h * n + from, offsets[b + 1] - from, b, h,
                   din + from * 3 * s.width, space);
    });
    return {dqkv, Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

extern "C" char* te_packed_attention(Tensor* qkv, const int64_t* offsets, size_t n_offsets, int64_t heads, double dropout, Tensor** out) {
  return guarded([&] {
    TORCH_CHECK(qkv->dim() == 2 && qkv->scalar_type() == at::kFloat && qkv->device().is_cpu(), "packed attention wants a [N, 3 D] matrix of 32-bit floats on the CPU");
    TORCH_CHECK(heads > 0 && qkv->size(1) % (3 * heads) == 0, "packed attention: ", qkv->size(1), " columns are not 3 x heads x head size for ", heads, " heads");
    TORCH_CHECK(dropout >= 0 && dropout < 1, "packed attention: dropout ", dropout);
    TORCH_CHECK(n_offsets >= 1 && offsets[0] == 0 && offsets[n_offsets - 1] == qkv->size(0), "packed attention: the offsets do not span the ", qkv->size(0), " rows");
    for (size_t i = 1; i < n_offsets; ++i) TORCH_CHECK(offsets[i] >= offsets[i - 1], "packed attention: the offsets fall");
    *out = new Tensor(PackedAttention::apply(*qkv, std::vector<int64_t>(offsets, offsets + n_offsets), heads, dropout));
  });
}
