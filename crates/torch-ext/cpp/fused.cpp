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
#include "processor.h"

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

template <int L, typename B, typename N>
INLINE void norm_forward(const NormRows<B, N>& x) {
  for (int64_t r = x.from; r < x.to; ++r) {
    const uint32_t key = row_key(x.drop.seed, r);
    const float* residual = x.residual + r * x.width;
    float* sum = x.sum + r * x.width;
    F<L> total = F<L>{};
    for (int64_t c = 0; c < x.width; c += L) {
      const int64_t n = x.width - c;
      F<L> h = get<L>(residual + c, n);
      if (x.branch) {
        h += dropped<L>(x.drop, key, c, get<L>(x.branch + r * x.width + c, n));
        put<L>(sum + c, h, n);
      }
      total += h;
    }
    const float mean = ::sum<L>(total) / (float)x.width;
    const float* row = x.branch ? sum : residual;
    F<L> square = F<L>{};
    for (int64_t c = 0; c < x.width; c += L) {
      F<L> d = get<L>(row + c, x.width - c) - mean;
      if (c + L > x.width)
        for (int64_t i = x.width - c; i < L; ++i) d[i] = 0;
      square += d * d;
    }
    const float rstd = 1.0f / __builtin_sqrtf(::sum<L>(square) / (float)x.width + EPSILON);
    x.mean[r] = mean;
    x.rstd[r] = rstd;
    for (int64_t c = 0; c < x.width; c += L) {
      const int64_t n = x.width - c;
      put<L>(x.normed + r * x.width + c, (get<L>(row + c, n) - mean) * rstd * get<L>(x.weight + c, n) + get<L>(x.bias + c, n), n);
    }
  }
}

template <int L, typename B, typename N>
INLINE void norm_backward(const NormRows<B, N>& x) {
  for (int64_t r = x.from; r < x.to; ++r) {
    const uint32_t key = row_key(x.drop.seed, r);
    const float mean = x.mean[r], rstd = x.rstd[r];
    const float* row = x.sum + r * x.width;
    const N* dn = x.d_normed + r * x.width;
    float first = 0, second = 0;
    if (x.d_normed) {
      F<L> sum_d = F<L>{}, sum_dx = F<L>{};
      for (int64_t c = 0; c < x.width; c += L) {
        const int64_t n = x.width - c;
        const F<L> d = get<L>(dn + c, n), hat = (get<L>(row + c, n) - mean) * rstd, dw = d * get<L>(x.weight + c, n);
        put<L>(x.d_weight + c, get<L>(x.d_weight + c, n) + d * hat, n);
        put<L>(x.d_bias + c, get<L>(x.d_bias + c, n) + d, n);
        sum_d += dw;
        sum_dx += dw * hat;
      }
      first = ::sum<L>(sum_d) / (float)x.width;
      second = ::sum<L>(sum_dx) / (float)x.width;
    }
    for (int64_t c = 0; c < x.width; c += L) {
      const int64_t n = x.width - c;
      F<L> d = F<L>{};
      if (x.d_normed) {
        const F<L> hat = (get<L>(row + c, n) - mean) * rstd;
        d = rstd * (get<L>(dn + c, n) * get<L>(x.weight + c, n) - first - hat * second);
      }
      if (x.d_sum) d += get<L>(x.d_sum + r * x.width + c, n);
      put<L>(x.d_residual + r * x.width + c, d, n);
      if (x.d_branch) put<L>(x.d_branch + r * x.width + c, dropped<L>(x.drop, key, c, d), n);
    }
  }
}

// Runs a kernel that is compiled for each family of processors on this machine's.
#ifdef X86_KERNELS
#define FOR_EACH_PROCESSOR(kernel)                                                          \
  template <typename J> WITH_AVX512 void kernel##_avx512(const J& job) { kernel<16>(job); } \
  template <typename J> WITH_AVX2 void kernel##_avx2(const J& job) { kernel<8>(job); }      \
  template <typename J> void run_##kernel(const J& job) {                                   \
    if (best_processor() >= Processor::AVX512) return kernel##_avx512(job);                 \
    if (best_processor() >= Processor::AVX2) return kernel##_avx2(job);                     \
    kernel<4>(job);                                                                         \
  }
#else
#define FOR_EACH_PROCESSOR(kernel) \
  template <typename J> void run_##kernel(const J& job) { kernel<4>(job); }
#endif

FOR_EACH_PROCESSOR(norm_forward)
FOR_EACH_PROCESSOR(norm_backward)

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
    if (!back) return run_norm_forward(r);
    r.d_sum = data<float>(const_cast<const Tensor&>(t.d_sum));
    r.d_normed = data<N>(const_cast<const Tensor&>(t.d_normed));
    r.d_residual = floats(t.d_residual), r.d_branch = data<B>(t.d_branch);
    r.d_weight = floats(parts) + block * 2 * width, r.d_bias = r.d_weight + width;
    run_norm_backward(r);
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
template <int L>
INLINE F<L> normal(F<L> x, F<L>& density) {
  const F<L> z = (F<L>)((I<L>)x & 0x7FFFFFFF) * 0.70710678f;
  const F<L> t = 1.0f / (0.3275911f * z + 1.0f);
  const F<L> e = exp2<L>(z * z * -LOG2_E);
  F<L> p = all<L>(1.061405429f);
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const F<L> tail = 0.5f * p * t * e;  // Φ(-|x|)
  density = e * 0.39894228f;
  return x > all<L>(0.0f) ? 1.0f - tail : tail;
}

// Rows `from` to `to` of [N, width] matrices.
template <typename T>
struct ActivateRows {
  int64_t from, to, width;
  Activation activation;
  Drop drop;
  const T *x, *dy;
  T* out;  // y, or the gradient of x
};

template <int L, typename T>
INLINE void activate_forward(const ActivateRows<T>& a) {
  for (int64_t r = a.from; r < a.to; ++r) {
    const uint32_t key = row_key(a.drop.seed, r);
    for (int64_t c = 0; c < a.width; c += L) {
      const int64_t n = a.width - c;
      F<L> v = get<L>(a.x + r * a.width + c, n), density;
      if (a.activation == Activation::GELU) v *= normal<L>(v, density);
      if (a.activation == Activation::RELU) v = v > all<L>(0.0f) ? v : all<L>(0.0f);
      put<L>(a.out + r * a.width + c, dropped<L>(a.drop, key, c, v), n);
    }
  }
}

template <int L, typename T>
INLINE void activate_backward(const ActivateRows<T>& a) {
  for (int64_t r = a.from; r < a.to; ++r) {
    const uint32_t key = row_key(a.drop.seed, r);
    for (int64_t c = 0; c < a.width; c += L) {
      const int64_t n = a.width - c;
      F<L> d = dropped<L>(a.drop, key, c, get<L>(a.dy + r * a.width + c, n));
      if (a.activation != Activation::NONE) {
        const F<L> v = get<L>(a.x + r * a.width + c, n);
        F<L> density;
        if (a.activation == Activation::GELU) {
          const F<L> cdf = normal<L>(v, density);
          d *= cdf + v * density;
        }
        if (a.activation == Activation::RELU) d = v > all<L>(0.0f) ? d : all<L>(0.0f);
      }
      put<L>(a.out + r * a.width + c, d, n);
    }
  }
}

FOR_EACH_PROCESSOR(activate_forward)
FOR_EACH_PROCESSOR(activate_backward)

// The gradient of x where there is `dy`, else y.
template <typename T>
void activate_all(Activation activation, Drop drop, const Tensor& x, const Tensor& dy, Tensor& out) {
  const int64_t width = x.size(-1);
  for_each_block(x.numel() / std::max<int64_t>(1, width), [&](int64_t, int64_t from, int64_t to) {
    const ActivateRows<T> rows{from, to, width, activation, drop, data<T>(x), data<T>(dy), data<T>(out)};
    if (dy.defined()) run_activate_backward(rows);
    else run_activate_forward(rows);
  });
}

Tensor activate_by_type(Activation activation, Drop drop, const Tensor& x, const Tensor& dy) {
  Tensor out = at::empty_like(x);
  if (is_bfloat(x)) activate_all<BFloat>(activation, drop, x, dy, out);
  else activate_all<float>(activation, drop, x, dy, out);
  return out;
}

struct Activate : Function<Activate> {
  static Tensor forward(AutogradContext* ctx, const Tensor& given, int64_t activation, double dropout) {
    const Tensor x = given.contiguous();
    const uint64_t seed = dropout > 0 ? draw_seed() : 0;
    const Tensor y = activate_by_type((Activation)activation, drop_of(dropout, seed), x, Tensor());
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
    const Tensor dx = activate_by_type(activation, drop, x, dy);
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
