//! Compiles the C++ code against the headers of the libtorch that `torch-sys` links.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=cpp");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let Some(root) = std::env::var_os("LIBTORCH").map(PathBuf::from) else {
        eprintln!(
            "LIBTORCH is not set: run `cargo xtask setup` in the checkout, or export LIBTORCH"
        );
        std::process::exit(1);
    };
    let include = root.join("include");
    if !include.join("ATen/ATen.h").exists() {
        eprintln!(
            "{}: no libtorch headers: run `cargo xtask setup`, or export LIBTORCH",
            include.display()
        );
        std::process::exit(1);
    }
    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++17")
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        // Warnings in libtorch's headers are out of our control.
        .warnings(false)
        // Optimised in debug builds too, because tests run the kernels.
        .opt_level(3)
        .flag_if_supported("-ffp-contract=fast")
        // Vectors are only passed between inlined functions, so their calling convention does not
        // matter.
        .flag_if_supported("-Wno-psabi")
        .file("cpp/shim.cpp")
        .file("cpp/attention.cpp")
        .file("cpp/fused.cpp");
    let threads = build.get_compiler().is_like_gnu();
    if threads {
        build.flag("-fopenmp");
    } else {
        println!(
            "cargo:warning=this C++ compiler is not GNU's: the kernels of torch-ext run on one thread"
        );
    }
    build.compile("torch_ext_shim");
    if threads {
        link_openmp(&root.join("lib"));
    }
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-link-lib=dl");
    }
}

/// `at::parallel_for` is a template that uses OpenMP; without OpenMP it is a sequential loop. The
/// library must be the one that libtorch has loaded, or there would be two thread pools. PyTorch's
/// wheels contain their own, under a name that varies.
fn link_openmp(folder: &Path) {
    let own = std::fs::read_dir(folder).ok().and_then(|files| {
        files
            .filter_map(|f| f.ok()?.file_name().into_string().ok())
            .find(|name| name.starts_with("libgomp") && name.contains(".so"))
    });
    println!("cargo:rustc-link-search=native={}", folder.display());
    match own {
        Some(name) => println!("cargo:rustc-link-lib=dylib:+verbatim={name}"),
        None => println!("cargo:rustc-link-lib=gomp"),
    }
}
