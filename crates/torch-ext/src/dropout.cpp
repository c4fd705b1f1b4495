// Dropout of whole tensors by a hash of each element's place. libtorch draws element after element from one serial
// generator where the processor is not Intel's, and keeps the mask; this keeps nothing but the seed.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "guard.h"
#include "keyed.h"

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr int64_t BLOCK = 4096;  // elements under one key

FOR_EACH_PROCESSOR
void drop_block(const float* in, float* out, uint32_t n, uint32_t key, uint32_t limit, float keep) {
  for (uint32_t i = 0; i < n; ++i) out[i] = mix32(i * 0x9E3779B9u + key) >= limit ? keep * in[i] : 0.0f;
}

Tensor drop(const Tensor& given, double dropout, uint64_t seed) {
  const Tensor x = given.contiguous();
  Tensor y = at::empty_like(x);
  const float* in = x.data_ptr<float>();
  float* out = y.data_ptr<float>();
  const int64_t n = x.numel(), blocks = (n + BLOCK - 1) / BLOCK;
  const uint32_t limit = (uint32_t)(dropout * 4294967296.0);
  const float keep = (float)(1.0 / (1.0 - dropout));
  at::parallel_for(0, blocks, 8, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t from = b * BLOCK;
      const uint32_t key = (uint32_t)(mix(seed + 0x9E3779B97F4A7C15ull * (uint64_t)(b + 1)) >> 32);
      drop_block(in + from, out + from, (uint32_t)std::min(BLOCK, n - from), key, limit, keep);
    }
  });
  return y;
}

struct Dropout : Function<Dropout> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, double dropout) {
    const uint64_t seed = draw_seed();
    ctx->saved_data["seed"] = (int64_t)seed;
    ctx->saved_data["dropout"] = dropout;
    return drop(x, dropout, seed);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grad) {
    return {drop(grad[0], ctx->saved_data["dropout"].toDouble(), (uint64_t)ctx->saved_data["seed"].toInt()), Tensor()};
  }
};

}  // namespace

extern "C" char* te_dropout(Tensor* x, double dropout, Tensor** out) {
  return guarded([&] {
    TORCH_CHECK(x->scalar_type() == at::kFloat && x->device().is_cpu(), "keyed dropout wants 32-bit floats on the CPU");
    TORCH_CHECK(dropout >= 0 && dropout < 1, "dropout ", dropout, ": expected a share from 0 to below 1");
    *out = new Tensor(Dropout::apply(*x, dropout));
  });
}
