//! The C functions of `cpp/`.

use std::ffi::{c_char, c_int, c_void};

/// A `torch::Tensor` on the heap, as tch holds it.
pub(crate) type RawTensor = *mut c_void;

unsafe extern "C" {
    pub(crate) fn te_free(text: *mut c_char);
    pub(crate) fn te_version() -> *const c_char;
    pub(crate) fn te_kernel_threads() -> std::ffi::c_int;
    pub(crate) fn te_threads_vary() -> c_int;
    pub(crate) fn te_has_openmp() -> c_int;
    pub(crate) fn te_cpu_capability(out: *mut *mut c_char) -> *mut c_char;
    pub(crate) fn te_gather_rows(x: RawTensor, rows: RawTensor, out: *mut RawTensor)
    -> *mut c_char;
    pub(crate) fn te_scatter_rows(
        x: RawTensor,
        rows: RawTensor,
        n: i64,
        out: *mut RawTensor,
    ) -> *mut c_char;
    pub(crate) fn te_packed_attention(
        qkv: RawTensor,
        offsets: *const i64,
        n_offsets: usize,
        heads: i64,
        dropout: f64,
        processor: c_int,
        out: *mut RawTensor,
    ) -> *mut c_char;
    pub(crate) fn te_best_processor() -> c_int;
    pub(crate) fn te_add_norm(
        residual: RawTensor,
        branch: RawTensor,
        weight: RawTensor,
        bias: RawTensor,
        dropout: f64,
        bfloat: bool,
        sum: *mut RawTensor,
        normed: *mut RawTensor,
    ) -> *mut c_char;
    pub(crate) fn te_activate(
        x: RawTensor,
        activation: c_int,
        dropout: f64,
        out: *mut RawTensor,
    ) -> *mut c_char;
    pub(crate) fn te_keep_memory();
    pub(crate) fn te_adamw_step(
        parameters: *const RawTensor,
        first: *const RawTensor,
        second: *const RawTensor,
        steps: *const RawTensor,
        n: usize,
        learning_rate: f64,
        beta1: f64,
        beta2: f64,
        weight_decay: f64,
        epsilon: f64,
    ) -> *mut c_char;
    pub(crate) fn te_clip_gradients(
        parameters: *const RawTensor,
        n: usize,
        limit: f64,
        norm: *mut f64,
    ) -> *mut c_char;
    pub(crate) fn te_clear_gradients(parameters: *const RawTensor, n: usize) -> *mut c_char;
    pub(crate) fn te_library_folder(out: *mut *mut c_char) -> *mut c_char;
    pub(crate) fn te_load_library(path: *const c_char) -> *mut c_char;
}
