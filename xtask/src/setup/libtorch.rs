//! libtorch: an exported one, or the part of PyTorch's wheel that a CPU run needs.

use super::cache::{Cache, CacheLock};
use super::wheel::{Part, Wheel, download, is_downloaded, unpack};
use super::{link, say};
use crate::workspace::LIBTORCH_LINK;
use anyhow::{Context, Result, bail};
use std::env;
use std::env::consts::{ARCH, OS};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The version that the binding `tch` 0.24 is made for.
const VERSION: &str = "2.11.0";
const NAME: &str = "libtorch-2.11.0";
/// What the parts that are unpacked take on disk, with some to spare.
const UNPACKED_MIB: u64 = 600;

/// How the wheels of a platform are to be read.
struct Platform {
    torch: Wheel,
    /// Libraries of the vendor that the CPU library names.
    vendor: &'static [(Wheel, &'static str)],
    wanted: fn(&str) -> bool,
}

const LINUX_X86_64: Platform = Platform {
    torch: Wheel {
        requirement: "torch==2.11.0",
        platform: "manylinux_2_28_x86_64",
        sha256: "0f68f4ac6d95d12e896c3b7a912b5871619542ec54d3649cf48cc1edd4dd2756",
        mib: 510,
        part: Some(Part {
            record_sha256: "64d76220aff1572ba2ee949e3c4e5633a21f7aa626c634ee1730609464777fc5",
            prefixes: &LINUX_X86_64_MEMBERS,
            mib: 130,
        }),
    },
    // The CPU library finds these by its own path, `torch/lib/../../nvidia/cu13/lib`, so the
    // wheels' layout is kept.
    vendor: &[
        (
            Wheel {
                requirement: "nvidia-cuda-runtime==13.0.96",
                platform: "manylinux2014_x86_64",
                sha256: "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
                mib: 3,
                part: None,
            },
            "nvidia/cu13/lib/libcudart.so.13",
        ),
        (
            Wheel {
                requirement: "nvidia-cuda-cupti==13.0.85",
                platform: "manylinux_2_25_x86_64",
                sha256: "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
                mib: 11,
                part: None,
            },
            "nvidia/cu13/lib/libcupti.so.13",
        ),
    ],
    wanted: |name| {
        LINUX_X86_64_MEMBERS
            .iter()
            .any(|member| name.starts_with(member))
    },
};

const LINUX_X86_64_MEMBERS: [&str; 4] = [
    "torch/include/",
    "torch/lib/libtorch_cpu.so",
    "torch/lib/libc10.so",
    "torch/lib/libgomp.so.1",
];

/// Not tried: no such machine was at hand. All libraries but the graphics card's and Python's are
/// taken.
const LINUX_AARCH64: Platform = Platform {
    torch: Wheel {
        requirement: "torch==2.11.0",
        platform: "manylinux_2_28_aarch64",
        sha256: "f99924682ef0aa6a4ab3b1b76f40dc6e273fca09f367d15a524266db100a723f",
        mib: 450,
        part: None,
    },
    vendor: &[],
    wanted: |name| {
        name.starts_with("torch/include/")
            || name.starts_with("torch.libs/")
            || (name.starts_with("torch/lib/lib")
                && name.contains(".so")
                && !["cuda", "python", "nccl", "nvshmem", "libtorch.so"]
                    .iter()
                    .any(|part| name.contains(part)))
    },
};

/// Not tried: no such machine was at hand.
const MACOS_AARCH64: Platform = Platform {
    torch: Wheel {
        requirement: "torch==2.11.0",
        platform: "macosx_11_0_arm64",
        sha256: "4b5866312ee6e52ea625cd211dcb97d6a2cdc1131a5f15cc0d87eec948f6dd34",
        mib: 100,
        part: None,
    },
    vendor: &[],
    wanted: |name| {
        name.starts_with("torch/include/")
            || (name.starts_with("torch/lib/lib")
                && name.ends_with(".dylib")
                && !name.contains("python"))
    },
};

/// Makes `.libtorch` in the checkout lead to a libtorch of the right version.
pub fn ensure(root: &Path, verbose: bool) -> Result<()> {
    let link = root.join(LIBTORCH_LINK);
    // `.cargo/config.toml` sets LIBTORCH to the link itself: that is not the user's export.
    let exported = env::var_os("LIBTORCH")
        .filter(|v| !v.is_empty())
        .map(PathBuf::from);
    if let Some(exported) = exported.filter(|path| !link::same_place(path, &link)) {
        let folder = exported.canonicalize().with_context(|| {
            format!(
                "LIBTORCH is exported as {}, which does not exist\n  next: unset it, or correct it",
                exported.display()
            )
        })?;
        check(&folder).with_context(|| {
            format!(
                "LIBTORCH is exported as {}, which cannot be used\n  next: unset it, or correct it",
                exported.display()
            )
        })?;
        if link::point(&link, &folder)? || verbose {
            say(&format!(
                "libtorch: {LIBTORCH_LINK} leads to the exported {}",
                folder.display()
            ));
        }
        return Ok(());
    }
    let cache = Cache::find()?;
    let target = link.canonicalize().ok();
    // What is in the cache is held against its list; what an earlier export left is only looked at.
    let usable = target.filter(|target| {
        let ours = cache
            .place(NAME)
            .canonicalize()
            .is_ok_and(|place| target.starts_with(place));
        if ours {
            cache.complete(NAME).is_some()
        } else {
            check(target).is_ok()
        }
    });
    if let Some(target) = usable {
        if verbose {
            say(&format!(
                "libtorch: {LIBTORCH_LINK} leads to {}, nothing to do",
                target.display()
            ));
        }
        return Ok(());
    }
    let place = install(&cache)?;
    link::point(&link, &place.join("torch"))?;
    say(&format!(
        "libtorch: {LIBTORCH_LINK} leads to {}",
        place.join("torch").display()
    ));
    Ok(())
}

/// The cache's libtorch, made where it is not whole.
fn install(cache: &Cache) -> Result<PathBuf> {
    if let Some(place) = cache.complete(NAME) {
        return Ok(place);
    }
    let platform = match (OS, ARCH) {
        ("linux", "x86_64") => LINUX_X86_64,
        ("linux", "aarch64") => LINUX_AARCH64,
        ("macos", "aarch64") => MACOS_AARCH64,
        _ => bail!(
            "no libtorch {VERSION} is to be had for {OS} on {ARCH}\n  next: build one, export LIBTORCH=FOLDER, and run \
             cargo xtask setup again"
        ),
    };
    let lock = cache.lock()?;
    // Another set-up may have made it while we waited.
    if let Some(place) = cache.complete(NAME) {
        return Ok(place);
    }
    say(&format!(
        "libtorch {VERSION} goes to {}",
        cache.place(NAME).display()
    ));
    build(&lock, &platform)
}

fn build(lock: &CacheLock<'_>, platform: &Platform) -> Result<PathBuf> {
    let wheels =
        || std::iter::once(&platform.torch).chain(platform.vendor.iter().map(|(wheel, _)| wheel));
    let missing_mib = wheels()
        .filter(|w| !is_downloaded(lock, NAME, w))
        .map(|w| w.mib)
        .sum::<u64>();
    lock.check_space("libtorch", missing_mib + UNPACKED_MIB)?;
    let folder = lock.tmp().join(NAME);
    let torch = download(lock, NAME, &platform.torch)?;
    if unpack(&torch, &folder, &platform.wanted)? == 0 {
        bail!(
            "{} holds none of the files of a libtorch",
            platform.torch.requirement
        );
    }
    for (wheel, library) in platform.vendor {
        let file = download(lock, NAME, wheel)?;
        if unpack(&file, &folder, &|name| name == *library)? != 1 {
            bail!("{} holds no {library}", wheel.requirement);
        }
    }
    let home = folder.join("torch");
    // The wheel's own libtorch.so wants the graphics card's library; nothing here needs more than
    // the CPU's.
    if OS == "linux" {
        symlink("libtorch_cpu.so", home.join("lib/libtorch.so"))
            .context("failed to link libtorch.so")?;
    }
    fs::write(home.join("build-version"), VERSION).context("failed to write build-version")?;
    check(&home)?;
    lock.commit(&folder, NAME)
}

/// Whether a folder is a libtorch that the workspace can be built against.
fn check(folder: &Path) -> Result<()> {
    let suffix = if OS == "macos" { "dylib" } else { "so" };
    let mut needed = vec![
        "include/ATen/ATen.h".to_string(),
        "include/torch/csrc/api/include/torch/torch.h".to_string(),
    ];
    needed
        .extend(["libtorch", "libtorch_cpu", "libc10"].map(|name| format!("lib/{name}.{suffix}")));
    if let Some(missing) = needed.iter().find(|file| !folder.join(file).is_file()) {
        bail!(
            "{} holds no {missing}, so it is no libtorch",
            folder.display()
        );
    }
    match version(folder) {
        Some(found) if found.split('+').next() == Some(VERSION) => Ok(()),
        Some(found) => bail!(
            "{}: expected libtorch {VERSION}, found {found}",
            folder.display()
        ),
        None => {
            eprintln!(
                "setup: warning: {} does not say its version; {VERSION} is needed",
                folder.display()
            );
            Ok(())
        }
    }
}

/// What a libtorch says of its version: a release in `build-version`, a Python package in
/// `version.py`.
fn version(folder: &Path) -> Option<String> {
    if let Ok(text) = fs::read_to_string(folder.join("build-version")) {
        return Some(text.trim().to_string());
    }
    let text = fs::read_to_string(folder.join("version.py")).ok()?;
    let line = text.lines().find(|l| l.starts_with("__version__"))?;
    Some(line.split(['\'', '"']).nth(1)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fake(folder: &Path) {
        let suffix = if OS == "macos" { "dylib" } else { "so" };
        for file in [
            "include/ATen/ATen.h",
            "include/torch/csrc/api/include/torch/torch.h",
        ]
        .map(str::to_string)
        .into_iter()
        .chain(["libtorch", "libtorch_cpu", "libc10"].map(|n| format!("lib/{n}.{suffix}")))
        {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
    }

    #[test]
    fn a_libtorch_is_known_by_its_files_and_version() {
        let dir = tempfile::tempdir().unwrap();
        assert!(
            check(dir.path())
                .unwrap_err()
                .to_string()
                .contains("holds no include/ATen/ATen.h")
        );
        fake(dir.path());
        check(dir.path()).unwrap();
        fs::write(
            dir.path().join("version.py"),
            "from x import y\n__version__ = '2.10.0+cu130'\n",
        )
        .unwrap();
        let message = check(dir.path()).unwrap_err().to_string();
        assert!(
            message.contains("expected libtorch 2.11.0, found 2.10.0+cu130"),
            "{message}"
        );
        fs::write(dir.path().join("build-version"), "2.11.0+cu130\n").unwrap();
        check(dir.path()).unwrap();
        fs::write(dir.path().join("build-version"), "2.11.1").unwrap();
        assert!(check(dir.path()).is_err());
    }

    #[test]
    fn only_what_a_cpu_run_needs_is_unpacked() {
        let wanted = LINUX_X86_64.wanted;
        assert!(wanted("torch/lib/libtorch_cpu.so") && wanted("torch/include/ATen/ATen.h"));
        assert!(
            !wanted("torch/lib/libtorch_cuda.so")
                && !wanted("torch/lib/libtorch.so")
                && !wanted("torch/nn/init.py")
        );
    }
}
