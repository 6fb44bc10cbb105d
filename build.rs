//! Finds OpenBLAS, or says how to install it.
//!
//! In this order: `OPENBLAS_DIR`, pkg-config, the linker's own path, Homebrew, the active conda environment. Where the
//! library lies outside the system's folders, its folder is written into the binary (rpath), so that the program
//! starts without `LD_LIBRARY_PATH`. `scripts/setup.sh` installs what this looks for.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Fedora and its kin call the threaded library `openblasp`; their plain `openblas` is not safe to call from several
/// threads at once, so it comes second.
const NAMES: [&str; 2] = ["openblasp", "openblas"];
/// What a shared library's file name ends in.
const ENDINGS: [&str; 2] = ["so", "dylib"];

/// A library and, where the linker must be told, its folder.
struct Found {
    name: &'static str,
    folder: Option<PathBuf>,
}

fn main() {
    for variable in ["OPENBLAS_DIR", "CONDA_PREFIX", "PKG_CONFIG_PATH", "CC"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    match find() {
        Ok(found) => {
            if let Some(folder) = &found.folder {
                println!("cargo::rustc-link-search=native={}", folder.display());
                if !["/usr/lib", "/usr/lib64", "/lib", "/lib64"].iter().any(|system| folder.starts_with(system)) {
                    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", folder.display());
                }
            }
            println!("cargo::rustc-link-lib=dylib={}", found.name);
        }
        // cargo shows these lines alone and stops; an exit code would add the script's whole output
        Err(lines) => lines.iter().for_each(|line| println!("cargo::error={line}")),
    }
}

/// Looks in every place.
fn find() -> Result<Found, Vec<String>> {
    if let Some(stated) = env::var_os("OPENBLAS_DIR") {
        let stated = PathBuf::from(stated);
        let folders = [stated.join("lib"), stated.join("lib64"), stated.clone()];
        return folders.iter().find_map(|folder| in_folder(folder)).ok_or_else(|| {
            vec![
                format!("OPENBLAS_DIR is {}, but neither it nor its lib folder holds libopenblas", stated.display()),
                "set it to the folder OpenBLAS was installed to, or unset it to search the system".to_owned(),
            ]
        });
    }
    by_pkg_config().or_else(on_linker_path).or_else(by_homebrew).or_else(in_conda).ok_or_else(|| {
        vec![
            "OpenBLAS was not found (searched: OPENBLAS_DIR, pkg-config, the linker's path, Homebrew, CONDA_PREFIX)"
                .to_owned(),
            format!("install it with: {}", install_line()),
            "or set OPENBLAS_DIR to the folder it was installed to".to_owned(),
        ]
    })
}

/// The library of a folder, the threaded one first.
fn in_folder(folder: &Path) -> Option<Found> {
    let holds = |name: &&&str| ENDINGS.iter().any(|ending| folder.join(format!("lib{name}.{ending}")).is_file());
    NAMES.iter().find(holds).map(|name| Found { name, folder: Some(folder.to_path_buf()) })
}

/// Asks pkg-config for the library's folders.
fn by_pkg_config() -> Option<Found> {
    let flags = output("pkg-config", &["--libs-only-L", "openblas"])?;
    let named = flags.split_whitespace().filter_map(|flag| flag.strip_prefix("-L")).map(PathBuf::from);
    let default = output("pkg-config", &["--variable=libdir", "openblas"]).map(|folder| PathBuf::from(folder.trim()));
    named.chain(default).find_map(|folder| in_folder(&folder))
}

/// Asks the C compiler, which Rust links with, whether it would find the library by itself.
fn on_linker_path() -> Option<Found> {
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let finds = |name: &str| {
        ENDINGS.iter().any(|ending| {
            // a library that is not found comes back as the bare name
            output(&compiler, &[&format!("-print-file-name=lib{name}.{ending}")])
                .is_some_and(|path| Path::new(path.trim()).is_absolute())
        })
    };
    NAMES.iter().find(|name| finds(name)).map(|name| Found { name, folder: None })
}

/// Homebrew does not link OpenBLAS into its common folder.
fn by_homebrew() -> Option<Found> {
    let prefix = output("brew", &["--prefix", "openblas"])?;
    in_folder(&Path::new(prefix.trim()).join("lib"))
}

/// The active conda environment.
fn in_conda() -> Option<Found> {
    in_folder(&PathBuf::from(env::var_os("CONDA_PREFIX")?).join("lib"))
}

/// Standard output of a command that succeeds.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// How this machine's package manager installs OpenBLAS; the same lines as in `scripts/setup.sh`.
fn install_line() -> &'static str {
    let has = |program: &str| {
        env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
    };
    if has("apt-get") {
        "sudo apt-get install -y --no-install-recommends libopenblas-dev"
    } else if has("dnf") {
        "sudo dnf install -y openblas-devel"
    } else if has("brew") {
        "brew install openblas"
    } else if has("conda") {
        "conda install -y -c conda-forge openblas"
    } else {
        "your package manager; the package is called libopenblas-dev, openblas-devel or openblas"
    }
}
