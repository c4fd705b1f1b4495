// Self-attention of packed segments on the CPU: no padding is computed and no T x T matrix is kept.
//
// Here: the autograd function, and the selection of a kernel for the processor. The kernels, each for one head of one segment,
// are in attention_kernel.h and attention_bf16.h. The backward pass recomputes the probabilities from each row's log-sum-exp,
// and the dropout mask from a hash of (seed, segment, head, row, column). Each (segment, head) writes its own rows and columns,
// so the result does not depend on the number of threads.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <vector>

#include "attention_kernel.h"
#include "generator.h"
#include "guard.h"
#include "processor.h"
#ifdef X86_KERNELS
#include "attention_bf16.h"
#endif

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Forward and backward kernel for one head of one segment, with the required workspace in floats.
struct Kernel {
  int64_t (*forward_space)(int64_t frames, int64_t head_dim);
  int64_t (*backward_space)(int64_t frames, int64_t head_dim);
  void (*forward)(const HeadJob&, float*);
  void (*backward)(const HeadJob&, float*);
};

// Tiles of eight rows by two blocks fill sixteen 512-bit registers; the other processors have half the registers or half the width.
#ifdef X86_KERNELS
WITH_AVX512 void forward_avx512(const HeadJob& job, float* space) { forward_head<16, 8>(job, space); }
WITH_AVX512 void backward_avx512(const HeadJob& job, float* space) { backward_head<16, 8>(job, space); }
WITH_AVX2 void forward_avx2(const HeadJob& job, float* space) { forward_head<8, 4>(job, space); }
WITH_AVX2 void backward_avx2(const HeadJob& job, float* space) { backward_head<8, 4>(job, space); }
#endif
void forward_portable(const HeadJob& job, float* space) { forward_head<4, 4>(job, space); }
void backward_portable(const HeadJob& job, float* space) { backward_head<4, 4>(job, space); }

Kernel kernel_for(Processor processor) {
  switch (processor) {
#ifdef X86_KERNELS
    case Processor::AVX512_BF16:
    case Processor::AVX512:
      return {forward_space<16, 8>, backward_space<16, 8>, forward_avx512, backward_avx512};
    case Processor::AVX2:
      return {forward_space<8, 4>, backward_space<8, 4>, forward_avx2, backward_avx2};
#endif
    default:
      return {forward_space<4, 4>, backward_space<4, 4>, forward_portable, backward_portable};
  }
}

// Workspace of one thread, aligned to a cache line.
struct Space {
  std::vector<float> memory;
  float* aligned(int64_t floats) {
    if ((int64_t)memory.size() < floats + 16) memory.resize(floats + 16);
    return (float*)(((uintptr_t)memory.data() + 63) / 64 * 64);
  }
};

// The parameters of a call that all heads share.
struct Call {
  std::vector<int64_t> offsets;
  int64_t heads;
  double dropout;
  uint64_t seed;
  Processor processor;
};

// Calls `body` for each (segment, head) on the next free thread, with a job that lacks only its pointers.
template <typename Job, typename F>
void for_each_head(const Call& call, int64_t width, F body) {
  const int64_t pairs = ((int64_t)call.offsets.size() - 1) * call.heads;
  const Drop drop = drop_of(call.dropout, call.seed);
  std::atomic<int64_t> next{0};
  at::parallel_for(0, std::min<int64_t>(at::get_num_threads(), pairs), 1, [&](int64_t begin, int64_t end) {
    Space space;
    for (int64_t thread = begin; thread < end; ++thread)
      for (int64_t i = next++; i < pairs; i = next++) {
        const int64_t segment = i / call.heads, head = i % call.heads, from = call.offsets[segment];
        Job job{};
        job.stride = 3 * width;
        job.y_stride = width;
        job.frames = call.offsets[segment + 1] - from;
        job.head_dim = width / call.heads;
        job.scale = 1.0f / std::sqrt((float)job.head_dim);
        job.limit = drop.limit;
        job.keep = drop.keep;
        job.seed = mix(drop.seed + 0xBF58476D1CE4E5B9ull * (uint64_t)(head + 1) + 0x94D049BB133111EBull * (uint64_t)(segment + 1));
        if (job.frames > 0) body(job, from, head, space);
      }
  });
}

// Sets the pointers of a job.
template <typename Job, typename T>
void point(Job& job, const T* qkv, T* y, float* log_sum, int64_t rows, int64_t from, int64_t head) {
  const int64_t column = head * job.head_dim;
  job.q = qkv + from * job.stride + column;
  job.k = job.q + job.y_stride;
  job.v = job.k + job.y_stride;
  job.y = y + from * job.y_stride + column;
  job.log_sum = log_sum + head * rows + from;
}

template <typename Job, typename T>
void point_back(Job& job, const T* dy, T* dqkv, int64_t from, int64_t head) {
  const int64_t column = head * job.head_dim;
  job.dy = dy + from * job.y_stride + column;
  job.dq = dqkv + from * job.stride + column;
  job.dk = job.dq + job.y_stride;
  job.dv = job.dk + job.y_stride;
}

void forward_float(const Call& call, const Tensor& qkv, Tensor& y, Tensor& log_sum) {
  const Kernel kernel = kernel_for(call.processor);
  for_each_head<HeadJob>(call, y.size(1), [&](HeadJob& job, int64_t from, int64_t head, Space& space) {
    point(job, qkv.const_data_ptr<float>(), y.data_ptr<float>(), log_sum.data_ptr<float>(), y.size(0), from, head);
    kernel.forward(job, space.aligned(kernel.forward_space(job.frames, job.head_dim)));
  });
}

void backward_float(const Call& call, const Tensor& qkv, Tensor& y, Tensor& log_sum, const Tensor& dy, Tensor& dqkv) {
  const Kernel kernel = kernel_for(call.processor);
  for_each_head<HeadJob>(call, y.size(1), [&](HeadJob& job, int64_t from, int64_t head, Space& space) {
    point(job, qkv.const_data_ptr<float>(), y.data_ptr<float>(), log_sum.data_ptr<float>(), y.size(0), from, head);
    point_back(job, dy.const_data_ptr<float>(), dqkv.data_ptr<float>(), from, head);
    kernel.backward(job, space.aligned(kernel.backward_space(job.frames, job.head_dim)));
  });
}

#ifdef X86_KERNELS
const BFloat* bfloats(const Tensor& t) { return (const BFloat*)t.const_data_ptr<at::BFloat16>(); }
BFloat* bfloats(Tensor& t) { return (BFloat*)t.data_ptr<at::BFloat16>(); }

void forward_bfloat(const Call& call, const Tensor& qkv, Tensor& y, Tensor& log_sum) {
  for_each_head<BFloatJob>(call, y.size(1), [&](BFloatJob& job, int64_t from, int64_t head, Space& space) {
    point(job, bfloats(qkv), bfloats(y), log_sum.data_ptr<float>(), y.size(0), from, head);
    bfloat_forward_head(job, (Pair*)space.aligned(bfloat_forward_space(job.frames, job.head_dim)));
  });
}

void backward_bfloat(const Call& call, const Tensor& qkv, Tensor& y, Tensor& log_sum, const Tensor& dy, Tensor& dqkv) {
  for_each_head<BFloatJob>(call, y.size(1), [&](BFloatJob& job, int64_t from, int64_t head, Space& space) {
    point(job, bfloats(qkv), bfloats(y), log_sum.data_ptr<float>(), y.size(0), from, head);
    point_back(job, bfloats(dy), bfloats(dqkv), from, head);
    bfloat_backward_head(job, (Pair*)space.aligned(bfloat_backward_space(job.frames, job.head_dim)));
  });
}
#endif

bool in_bfloats(const Call& call, const Tensor& qkv) { return qkv.scalar_type() == at::kBFloat16 && call.processor == Processor::AVX512_BF16; }

struct PackedAttention : Function<PackedAttention> {
  static Tensor forward(AutogradContext* ctx, const Tensor& given, std::vector<int64_t> offsets, int64_t heads, double dropout, int64_t processor) {
    const Call call{std::move(offsets), heads, dropout, dropout > 0 ? draw_seed() : 0, (Processor)processor};
    const Tensor qkv = given.contiguous();
    const int64_t n = qkv.size(0), width = qkv.size(1) / 3;
    Tensor log_sum = at::empty({heads, n}, qkv.options().dtype(at::kFloat));
    Tensor y = at::empty({n, width}, qkv.options());
#ifdef X86_KERNELS
    if (in_bfloats(call, qkv)) {
      forward_bfloat(call, qkv, y, log_sum);
    } else
#endif
    {
      Tensor wide = at::empty_like(y, at::kFloat);
      forward_float(call, qkv.to(at::kFloat), wide, log_sum);
      y = wide.to(qkv.scalar_type());
    }
    ctx->save_for_backward({qkv, y, log_sum});
    ctx->saved_data["offsets"] = call.offsets;
    ctx->saved_data["heads"] = heads;
    ctx->saved_data["dropout"] = dropout;
    ctx->saved_data["seed"] = (int64_t)call.seed;
    ctx->saved_data["processor"] = processor;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grad) {
    auto saved = ctx->get_saved_variables();
    Tensor &qkv = saved[0], &y = saved[1], &log_sum = saved[2];
    auto& data = ctx->saved_data;
    const Call call{data["offsets"].toIntVector(), data["heads"].toInt(), data["dropout"].toDouble(), (uint64_t)data["seed"].toInt(),
                    (Processor)data["processor"].toInt()};
    const Tensor dy = grad[0].contiguous();
    Tensor dqkv = at::empty_like(qkv);
#ifdef X86_KERNELS
    if (in_bfloats(call, qkv)) {
      backward_bfloat(call, qkv, y, log_sum, dy, dqkv);
    } else
#endif
    {
      Tensor wide = at::empty_like(dqkv, at::kFloat), wide_y = y.to(at::kFloat);
      backward_float(call, qkv.to(at::kFloat), wide_y, log_sum, dy.to(at::kFloat), wide);
      dqkv = wide.to(qkv.scalar_type());
    }
    return {dqkv, Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

// `processor`: the index of a Processor that this machine can run.
extern "C" char* te_packed_attention(Tensor* qkv, const int64_t* offsets, size_t n_offsets, int64_t heads, double dropout, int processor, Tensor** out) {
  return guarded([&] {
    const auto kind = qkv->scalar_type();
    TORCH_CHECK(qkv->dim() == 2 && (kind == at::kFloat || kind == at::kBFloat16) && qkv->device().is_cpu(),
                "packed attention: expected a [N, 3 D] matrix of 32-bit floats or bfloat16 on the CPU");
    TORCH_CHECK(heads > 0 && qkv->size(1) % (3 * heads) == 0, "packed attention: ", qkv->size(1), " columns are not 3 x heads x head size for ", heads, " heads");
    TORCH_CHECK(dropout >= 0 && dropout < 1, "packed attention: dropout ", dropout);
    TORCH_CHECK(n_offsets >= 1 && offsets[0] == 0 && offsets[n_offsets - 1] == qkv->size(0), "packed attention: the offsets do not span the ", qkv->size(0), " rows");
    for (size_t i = 1; i < n_offsets; ++i) TORCH_CHECK(offsets[i] >= offsets[i - 1], "packed attention: the offsets decrease");
    TORCH_CHECK(processor >= 0 && processor <= (int)best_processor(), "packed attention: this machine cannot run the kernel of processor family ", processor);
    *out = new Tensor(PackedAttention::apply(*qkv, std::vector<int64_t>(offsets, offsets + n_offsets), heads, dropout, processor));
  });
}

extern "C" int te_best_processor() { return (int)best_processor(); }
