//! Compiles the shim against the headers of the libtorch that `torch-sys` links.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=cpp");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let Some(root) = std::env::var_os("LIBTORCH").map(PathBuf::from) else {
        eprintln!("LIBTORCH is not set: run `cargo xtask setup` in the checkout, or export LIBTORCH");
        std::process::exit(1);
    };
    let include = root.join("include");
    if !include.join("ATen/ATen.h").exists() {
        eprintln!("{}: no libtorch headers there: run `cargo xtask setup`, or export LIBTORCH", include.display());
        std::process::exit(1);
    }
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        // The headers' warnings are not ours to mend.
        .warnings(false)
        // The kernels are as fast in a debug build: tests run them too.
        .opt_level(3)
        .flag_if_supported("-ffp-contract=fast")
        // Vectors are passed between inlined functions only: how a call would pass them does not matter.
        .flag_if_supported("-Wno-psabi")
        .file("cpp/shim.cpp")
        .file("cpp/attention.cpp")
        .file("cpp/fused.cpp")
        .compile("torch_ext_shim");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-link-lib=dl");
    }
}
