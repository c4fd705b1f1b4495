// The operations of a transformer layer between its matrix products, each in one pass over memory: the sum of residual and
// branch with its layer norm, and the activation, both with dropout. Element types are 32-bit floats or bfloat16; sums are
// floats.
//
// Dropout uses a hash of each element's position, so the backward pass needs no stored mask. Rows are processed in blocks of
// fixed size whose partial sums are added in order, so the result does not depend on the number of threads.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <optional>

#include "elements.h"
#include "generator.h"
#include "guard.h"

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr int64_t BLOCK_ROWS = 64;
constexpr float EPSILON = 1e-5f;

float* floats(Tensor& t) { return t.data_ptr<float>(); }
const float* floats(const Tensor& t) { return t.const_data_ptr<float>(); }
BFloat* bfloats(Tensor& t) { return (BFloat*)t.data_ptr<at::BFloat16>(); }
const BFloat* bfloats(const Tensor& t) { return (const BFloat*)t.const_data_ptr<at::BFloat16>(); }
bool is_bfloat(const Tensor& t) { return t.scalar_type() == at::kBFloat16; }

template <typename F>
void for_each_block(int64_t rows, F body) {
  const int64_t blocks = (rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
  at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) body(b, b * BLOCK_ROWS, std::min(rows, (b + 1) * BLOCK_ROWS));
  });
}

// --- residual + dropout(branch), and its layer norm ---

// Rows `from` to `to` of [N, width] matrices; B is the type of the branch, N of the normed rows.
template <typename B, typename N>
struct NormRows {
  int64_t from, to, width;
  Drop drop;
  const float *residual, *weight, *bias;
  const B* branch;         // null without a branch
  float *sum, *mean, *rstd;
  N* normed;
  const float* d_sum;      // null without a gradient
  const N* d_normed;       // likewise
  float* d_residual;
  B* d_branch;
  float *d_weight, *d_bias;  // [width] of this block, initially 0
};

template <typename B, typename N>
INLINE void norm_forward(const NormRows<B, N>& x) {
  for (int64_t r = x.from; r < x.to; ++r) {
    const uint32_t key = row_key(x.drop.seed, r);
    const float* residual = x.residual + r * x.width;
    float* sum = x.sum + r * x.width;
    F<16> total = F<16>{};
    for (int64_t c = 0; c < x.width; c += 16) {
      const int64_t n = x.width - c;
      F<16> h = get(residual + c, n);
      if (x.branch) {
        h += dropped(x.drop, key, c, get(x.branch + r * x.width + c, n));
        put(sum + c, h, n);
      }
      total += h;
    }
    const float mean = ::sum<16>(total) / (float)x.width;
    const float* row = x.branch ? sum : residual;
    F<16> square = F<16>{};
    for (int64_t c = 0; c < x.width; c += 16) {
      F<16> d = get(row + c, x.width - c) - mean;
      if (c + 16 > x.width)
        for (int64_t i = x.width - c; i < 16; ++i) d[i] = 0;
      square += d * d;
    }
    const float rstd = 1.0f / __builtin_sqrtf(::sum<16>(square) / (float)x.width + EPSILON);
    x.mean[r] = mean;
    x.rstd[r] = rstd;
    for (int64_t c = 0; c < x.width; c += 16) {
      const int64_t n = x.width - c;
      put(x.normed + r * x.width + c, (get(row + c, n) - mean) * rstd * get(x.weight + c, n) + get(x.bias + c, n), n);
    }
  }
}

template <typename B, typename N>
INLINE void norm_backward(const NormRows<B, N>& x) {
  for (int64_t r = x.from; r < x.to; ++r) {
    const uint32_t key = row_key(x.drop.seed, r);
    const float mean = x.mean[r], rstd = x.rstd[r];
    const float* row = x.sum + r * x.width;
    const N* dn = x.d_normed + r * x.width;
    float first = 0, second = 0;
    if (x.d_normed) {
      F<16> sum_d = F<16>{}, sum_dx = F<16>{};
      for (int64_t c = 0; c < x.width; c += 16) {
        const int64_t n = x.width - c;
        const F<16> d = get(dn + c, n), hat = (get(row + c, n) - mean) * rstd, dw = d * get(x.weight + c, n);
        put(x.d_weight + c, get(x.d_weight + c, n) + d * hat, n);
        put(x.d_bias + c, get(x.d_bias + c, n) + d, n);
        sum_d += dw;
        sum_dx += dw * hat;
      }
      first = ::sum<16>(sum_d) / (float)x.width;
      second = ::sum<16>(sum_dx) / (float)x.width;
    }
    for (int64_t c = 0; c < x.width; c += 16) {
      const int64_t n = x.width - c;
      F<16> d = F<16>{};
      if (x.d_normed) {
        const F<16> hat = (get(row + c, n) - mean) * rstd;
        d = rstd * (get(dn + c, n) * get(x.weight + c, n) - first - hat * second);
      }
      if (x.d_sum) d += get(x.d_sum + r * x.width + c, n);
      put(x.d_residual + r * x.width + c, d, n);
      if (x.d_branch) put(x.d_branch + r * x.width + c, dropped(x.drop, key, c, d), n);
    }
  }
}

FOR_EACH_PROCESSOR void norm_forward_ff(const NormRows<float, float>& x) { norm_forward(x); }
FOR_EACH_PROCESSOR void norm_forward_hh(const NormRows<BFloat, BFloat>& x) { norm_forward(x); }
FOR_EACH_PROCESSOR void norm_forward_hf(const NormRows<BFloat, float>& x) { norm_forward(x); }
FOR_EACH_PROCESSOR void norm_forward_fh(const NormRows<float, BFloat>& x) { norm_forward(x); }
FOR_EACH_PROCESSOR void norm_backward_ff(const NormRows<float, float>& x) { norm_backward(x); }
FOR_EACH_PROCESSOR void norm_backward_hh(const NormRows<BFloat, BFloat>& x) { norm_backward(x); }
FOR_EACH_PROCESSOR void norm_backward_hf(const NormRows<BFloat, float>& x) { norm_backward(x); }
FOR_EACH_PROCESSOR void norm_backward_fh(const NormRows<float, BFloat>& x) { norm_backward(x); }
void run_forward(const NormRows<float, float>& x) { norm_forward_ff(x); }
void run_forward(const NormRows<BFloat, BFloat>& x) { norm_forward_hh(x); }
void run_forward(const NormRows<BFloat, float>& x) { norm_forward_hf(x); }
void run_forward(const NormRows<float, BFloat>& x) { norm_forward_fh(x); }
void run_backward(const NormRows<float, float>& x) { norm_backward_ff(x); }
void run_backward(const NormRows<BFloat, BFloat>& x) { norm_backward_hh(x); }
void run_backward(const NormRows<BFloat, float>& x) { norm_backward_hf(x); }
void run_backward(const NormRows<float, BFloat>& x) { norm_backward_fh(x); }

template <typename T> const T* data(const Tensor& t);
template <> const float* data<float>(const Tensor& t) { return t.defined() ? floats(t) : nullptr; }
template <> const BFloat* data<BFloat>(const Tensor& t) { return t.defined() ? bfloats(t) : nullptr; }
template <typename T> T* data(Tensor& t);
template <> float* data<float>(Tensor& t) { return t.defined() ? floats(t) : nullptr; }
template <> BFloat* data<BFloat>(Tensor& t) { return t.defined() ? bfloats(t) : nullptr; }

struct NormTensors {
  Tensor residual, branch, weight, bias, sum, mean, rstd, normed;
  Tensor d_sum, d_normed, d_residual, d_branch, d_weight, d_bias;
};

template <typename B, typename N>
void norm_all(bool back, NormTensors& t, Drop drop) {
  const Tensor& x = t.residual.defined() ? t.residual : t.sum;
  const int64_t rows = x.size(0), width = x.size(1), blocks = (rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
  Tensor parts = back ? at::zeros({blocks, 2, width}, x.options()) : Tensor();
  for_each_block(rows, [&](int64_t block, int64_t from, int64_t to) {
    NormRows<B, N> r{};
    r.from = from, r.to = to, r.width = width, r.drop = drop;
    r.weight = floats(t.weight), r.bias = floats(t.bias);
    r.branch = data<B>(const_cast<const Tensor&>(t.branch));
    r.residual = data<float>(const_cast<const Tensor&>(t.residual));
    r.sum = data<float>(t.sum), r.mean = floats(t.mean), r.rstd = floats(t.rstd), r.normed = data<N>(t.normed);
    if (!back) return run_forward(r);
    r.d_sum = data<float>(const_cast<const Tensor&>(t.d_sum));
    r.d_normed = data<N>(const_cast<const Tensor&>(t.d_normed));
    r.d_residual = floats(t.d_residual), r.d_branch = data<B>(t.d_branch);
    r.d_weight = floats(parts) + block * 2 * width, r.d_bias = r.d_weight + width;
    run_backward(r);
  });
  if (back) {
    const Tensor sums = parts.sum(0);
    t.d_weight = sums.select(0, 0);
    t.d_bias = sums.select(0, 1);
  }
}

void norm_by_type(bool back, NormTensors& t, Drop drop, bool bfloat_branch, bool bfloat_normed) {
  if (bfloat_branch) return bfloat_normed ? norm_all<BFloat, BFloat>(back, t, drop) : norm_all<BFloat, float>(back, t, drop);
  return bfloat_normed ? norm_all<float, BFloat>(back, t, drop) : norm_all<float, float>(back, t, drop);
}

struct AddNorm : Function<AddNorm> {
  // Without a branch: {normed}; with one: {sum, normed}.
  static variable_list forward(AutogradContext* ctx, const Tensor& residual, std::optional<Tensor> branch, const Tensor& weight, const Tensor& bias,
                               double dropout, bool bfloat) {
    ctx->set_materialize_grads(false);
    NormTensors t;
    t.residual = residual.contiguous();
    t.branch = branch ? branch->contiguous() : Tensor();
    t.weight = weight;
    t.bias = bias;
    t.sum = branch ? at::empty_like(t.residual) : t.residual;
    t.mean = at::empty({residual.size(0)}, residual.options());
    t.rstd = at::empty_like(t.mean);
    t.normed = at::empty(residual.sizes(), residual.options().dtype(bfloat ? at::kBFloat16 : at::kFloat));
    const bool bfloat_branch = branch && is_bfloat(*branch);
    const uint64_t seed = branch && dropout > 0 ? draw_seed() : 0;
    norm_by_type(false, t, drop_of(dropout, seed), bfloat_branch, bfloat);
    ctx->save_for_backward({t.sum, t.mean, t.rstd, weight, bias});
    ctx->saved_data["dropout"] = dropout;
    ctx->saved_data["seed"] = (int64_t)seed;
    ctx->saved_data["branch"] = branch.has_value();
    ctx->saved_data["bfloat_branch"] = bfloat_branch;
    ctx->saved_data["bfloat"] = bfloat;
    if (branch) return {t.sum, t.normed};
    return {t.normed};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad) {
    const auto saved = ctx->get_saved_variables();
    auto& d = ctx->saved_data;
    const bool branch = d["branch"].toBool(), bfloat_branch = d["bfloat_branch"].toBool();
    NormTensors t;
    t.sum = saved[0], t.mean = saved[1], t.rstd = saved[2], t.weight = saved[3], t.bias = saved[4];
    const Tensor &d_sum = branch ? grad[0] : Tensor(), &d_normed = grad[branch ? 1 : 0];
    if (d_sum.defined()) t.d_sum = d_sum.contiguous();
    if (d_normed.defined()) t.d_normed = d_normed.contiguous();
    t.d_residual = at::empty_like(t.sum);
    if (branch) t.d_branch = at::empty(t.sum.sizes(), t.sum.options().dtype(bfloat_branch ? at::kBFloat16 : at::kFloat));
    norm_by_type(true, t, drop_of(d["dropout"].toDouble(), (uint64_t)d["seed"].toInt()), bfloat_branch, d["bfloat"].toBool());
    return {t.d_residual, t.d_branch, t.d_weight, t.d_bias, Tensor(), Tensor()};
  }
};

// --- dropout(activation(x)) ---

enum class Activation { NONE, RELU, GELU };

// Φ(x), the normal distribution function, with an error of 1e-7, and its density φ(x) (Abramowitz and Stegun, 7.1.26).
INLINE F<16> normal(F<16> x, F<16>& density) {
  const F<16> z = (F<16>)((I<16>)x & 0x7FFFFFFF) * 0.70710678f;
  const F<16> t = 1.0f / (0.3275911f * z + 1.0f);
  const F<16> e = exp2<16>(z * z * -LOG2_E);
  F<16> p = all<16>(1.061405429f);
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const F<16> tail = 0.5f * p * t * e;  // Φ(-|x|)
  density = e * 0.39894228f;
  return x > all<16>(0.0f) ? 1.0f - tail : tail;
}

template <typename T>
INLINE void activate_rows(Activation activation, const Drop& drop, const T* x, T* y, int64_t from, int64_t to, int64_t width) {
  for (int64_t r = from; r < to; ++r) {
    const uint32_t key = row_key(drop.seed, r);
    for (int64_t c = 0; c < width; c += 16) {
      const int64_t n = width - c;
      F<16> v = get(x + r * width + c, n), density;
      if (activation == Activation::GELU) v *= normal(v, density);
      if (activation == Activation::RELU) v = v > all<16>(0.0f) ? v : all<16>(0.0f);
      put(y + r * width + c, dropped(drop, key, c, v), n);
    }
  }
}

template <typename T>
INLINE void activate_rows_back(Activation activation, const Drop& drop, const T* x, const T* dy, T* dx, int64_t from, int64_t to, int64_t width) {
  for (int64_t r = from; r < to; ++r) {
    const uint32_t key = row_key(drop.seed, r);
    for (int64_t c = 0; c < width; c += 16) {
      const int64_t n = width - c;
      F<16> d = dropped(drop, key, c, get(dy + r * width + c, n));
      if (activation != Activation::NONE) {
        const F<16> v = get(x + r * width + c, n);
        F<16> density;
        if (activation == Activation::GELU) {
          const F<16> cdf = normal(v, density);
          d *= cdf + v * density;
        }
        if (activation == Activation::RELU) d = v > all<16>(0.0f) ? d : all<16>(0.0f);
      }
      put(dx + r * width + c, d, n);
    }
  }
}

FOR_EACH_PROCESSOR void activate_f(Activation a, const Drop& drop, const float* x, float* y, int64_t from, int64_t to, int64_t width) {
  activate_rows(a, drop, x, y, from, to, width);
}
FOR_EACH_PROCESSOR void activate_h(Activation a, const Drop& drop, const BFloat* x, BFloat* y, int64_t from, int64_t to, int64_t width) {
  activate_rows(a, drop, x, y, from, to, width);
}
FOR_EACH_PROCESSOR void activate_back_f(Activation a, const Drop& drop, const float* x, const float* dy, float* dx, int64_t from, int64_t to, int64_t width) {
  activate_rows_back(a, drop, x, dy, dx, from, to, width);
}
FOR_EACH_PROCESSOR void activate_back_h(Activation a, const Drop& drop, const BFloat* x, const BFloat* dy, BFloat* dx, int64_t from, int64_t to,
                                        int64_t width) {
  activate_rows_back(a, drop, x, dy, dx, from, to, width);
}

struct Activate : Function<Activate> {
  static Tensor forward(AutogradContext* ctx, const Tensor& given, int64_t activation, double dropout) {
    const Tensor x = given.contiguous();
    Tensor y = at::empty_like(x);
    const uint64_t seed = dropout > 0 ? draw_seed() : 0;
    const Drop drop = drop_of(dropout, seed);
    const int64_t width = x.size(-1);
    for_each_block(x.numel() / std::max<int64_t>(1, width), [&](int64_t, int64_t from, int64_t to) {
      if (is_bfloat(x)) activate_h((Activation)activation, drop, bfloats(x), bfloats(y), from, to, width);
      else activate_f((Activation)activation, drop, floats(x), floats(y), from, to, width);
    });
    // Without an activation the gradient does not depend on x.
    if ((Activation)activation != Activation::NONE) ctx->save_for_backward({x});
    ctx->saved_data["activation"] = activation;
    ctx->saved_data["dropout"] = dropout;
    ctx->saved_data["seed"] = (int64_t)seed;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad) {
    auto& d = ctx->saved_data;
    const auto activation = (Activation)d["activation"].toInt();
    const Tensor dy = grad[0].contiguous();
    const Tensor x = activation == Activation::NONE ? dy : ctx->get_saved_variables()[0];
    const Drop drop = drop_of(d["dropout"].toDouble(), (uint64_t)d["seed"].toInt());
    Tensor dx = at::empty_like(dy);
    const int64_t width = dy.size(-1);
    for_each_block(dy.numel() / std::max<int64_t>(1, width), [&](int64_t, int64_t from, int64_t to) {
      if (is_bfloat(dy)) activate_back_h(activation, drop, bfloats(x), bfloats(dy), bfloats(dx), from, to, width);
      else activate_back_f(activation, drop, floats(x), floats(dy), floats(dx), from, to, width);
    });
    return {dx, Tensor(), Tensor()};
  }
};

bool is_float(const Tensor& t) { return t.scalar_type() == at::kFloat && t.device().is_cpu(); }

}  // namespace

// `branch` may be null; then `sum` is null too.
extern "C" char* te_add_norm(Tensor* residual, Tensor* branch, Tensor* weight, Tensor* bias, double dropout, bool bfloat, Tensor** sum, Tensor** normed) {
  return guarded([&] {
    TORCH_CHECK(residual->dim() == 2 && is_float(*residual), "add_norm: expected a [N, D] matrix of 32-bit floats on the CPU");
    const int64_t width = residual->size(1);
    TORCH_CHECK(!branch || (branch->sizes() == residual->sizes() && branch->device().is_cpu() && (is_bfloat(*branch) || is_float(*branch))),
                "add_norm: expected a branch of the residual's shape, of 32-bit floats or bfloat16 on the CPU");
    TORCH_CHECK(weight->dim() == 1 && weight->size(0) == width && is_float(*weight) && bias->dim() == 1 && bias->size(0) == width && is_float(*bias),
                "add_norm: expected weight and bias of ", width, " 32-bit floats");
    TORCH_CHECK(dropout >= 0 && dropout < 1, "dropout ", dropout, ": expected a probability from 0 to below 1");
    const auto out = AddNorm::apply(*residual, branch ? std::optional<Tensor>(*branch) : std::nullopt, *weight, *bias, dropout, bfloat);
    *sum = branch ? new Tensor(out[0]) : nullptr;
    *normed = new Tensor(out.back());
  });
}

extern "C" char* te_activate(Tensor* x, int activation, double dropout, Tensor** out) {
  return guarded([&] {
    TORCH_CHECK(x->device().is_cpu() && (is_bfloat(*x) || is_float(*x)) && x->dim() > 0, "activate: expected 32-bit floats or bfloat16 on the CPU");
    TORCH_CHECK(dropout >= 0 && dropout < 1, "dropout ", dropout, ": expected a probability from 0 to below 1");
    *out = new Tensor(Activate::apply(*x, activation, dropout));
  });
}
