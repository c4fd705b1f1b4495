// Functions that tch lacks, with a C interface: each returns null, or an error message that the caller frees.
//
// A `Tensor*` is tch's `C_tensor*`: both are at::Tensor on the heap.

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/ops/_fused_adamw.h>
#include <dlfcn.h>
#ifdef _OPENMP
#include <omp.h>
#endif
#ifdef __linux__
#include <malloc.h>
#endif
#include <torch/csrc/autograd/custom_function.h>
#include <torch/version.h>

#include "guard.h"

#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// The backward pass of libtorch's index_select must support repeated rows, so it adds row by row. Distinct rows can be copied.
struct GatherRows : Function<GatherRows> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& rows) {
    ctx->save_for_backward({rows});
    ctx->saved_data["n"] = x.size(0);
    return x.index_select(0, rows);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grad) {
    auto rows = ctx->get_saved_variables()[0];
    auto sizes = grad[0].sizes().vec();
    sizes[0] = ctx->saved_data["n"].toInt();
    return {at::zeros(sizes, grad[0].options()).index_copy_(0, rows, grad[0]), Tensor()};
  }
};

struct ScatterRows : Function<ScatterRows> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& rows, int64_t n) {
    ctx->save_for_backward({rows});
    auto sizes = x.sizes().vec();
    sizes[0] = n;
    return at::zeros(sizes, x.options()).index_copy_(0, rows, x);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grad) {
    auto rows = ctx->get_saved_variables()[0];
    return {grad[0].index_select(0, rows), Tensor(), Tensor()};
  }
};

}  // namespace

extern "C" {

void te_free(char* text) { free(text); }

// Each training step allocates the same large tensors as the one before. By default the C library returns them to the kernel
// and requests them again page by page; with these limits it keeps them.
void te_keep_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the maximum
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

// Measured, because a `parallel_for` that was compiled without OpenMP is silently a sequential loop.
int te_kernel_threads() {
  std::vector<std::thread::id> ids(at::get_num_threads());
  at::parallel_for(0, (int64_t)ids.size(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ids[i] = std::this_thread::get_id();
  });
  return (int)std::set<std::thread::id>(ids.begin(), ids.end()).size();
}

// Whether OpenMP may dynamically give a parallel region fewer threads than were set.
int te_threads_vary() {
#ifdef _OPENMP
  return omp_get_dynamic();
#else
  return 0;
#endif
}

// Whether the kernels here were compiled with OpenMP.
int te_has_openmp() {
#ifdef _OPENMP
  return 1;
#else
  return 0;
#endif
}

char* te_cpu_capability(char** out) {
  return guarded([&] { *out = message(at::get_cpu_capability()); });
}

const char* te_version() { return TORCH_VERSION; }

char* te_gather_rows(Tensor* x, Tensor* rows, Tensor** out) {
  return guarded([&] { *out = new Tensor(GatherRows::apply(*x, *rows)); });
}

char* te_scatter_rows(Tensor* x, Tensor* rows, int64_t n, Tensor** out) {
  return guarded([&] { *out = new Tensor(ScatterRows::apply(*x, *rows, n)); });
}

char* te_adamw_step(Tensor* const* parameters, Tensor* const* first, Tensor* const* second, Tensor* const* steps, size_t n,
                    double learning_rate, double beta1, double beta2, double weight_decay, double epsilon) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    std::vector<Tensor> p, g, m, v, s;
    for (size_t i = 0; i < n; ++i) {
      const auto& grad = parameters[i]->grad();
      if (!grad.defined()) continue;
      p.push_back(*parameters[i]);
      g.push_back(grad);
      m.push_back(*first[i]);
      v.push_back(*second[i]);
      s.push_back(*steps[i]);
    }
    if (p.empty()) return;
    at::_foreach_add_(s, 1);
    at::_fused_adamw_(p, g, m, v, {}, s, learning_rate, beta1, beta2, weight_decay, epsilon, /*amsgrad=*/false, /*maximize=*/false);
  });
}

char* te_clip_gradients(Tensor* const* parameters, size_t n, double limit, double* norm) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    std::vector<Tensor> g;
    for (size_t i = 0; i < n; ++i) {
      const auto& grad = parameters[i]->grad();
      if (grad.defined()) g.push_back(grad);
    }
    *norm = 0.0;
    if (g.empty()) return;
    *norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(g, 2)), 2).item<double>();
    // torch.nn.utils.clip_grad_norm_ adds the same 1e-6.
    if (limit > 0 && *norm > limit) at::_foreach_mul_(g, limit / (*norm + 1e-6));
  });
}

char* te_clear_gradients(Tensor* const* parameters, size_t n) {
  return guarded([&] {
    for (size_t i = 0; i < n; ++i) parameters[i]->mutable_grad() = Tensor();
  });
}

// The folder of the libtorch that this process has loaded.
char* te_library_folder(char** out) {
  return guarded([&] {
    Dl_info info;
    if (!dladdr(reinterpret_cast<void*>(&at::globalContext), &info) || !info.dli_fname) TORCH_CHECK(false, "the loader does not report the path of libtorch");
    std::string path(info.dli_fname);
    const auto slash = path.rfind('/');
    *out = message(slash == std::string::npos ? "." : path.substr(0, slash));
  });
}

// Loading the library registers the CUDA backend. It must happen before any query for CUDA,
// because libtorch caches the first answer.
char* te_load_library(const char* path) {
  if (dlopen(path, RTLD_NOW | RTLD_GLOBAL)) return nullptr;
  const char* reason = dlerror();
  return message(reason ? reason : "unknown error of the loader");
}
}
