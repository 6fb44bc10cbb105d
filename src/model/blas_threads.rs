//! The one file of foreign calls: holds OpenBLAS to one thread, for rayon owns the cores, and asks for its version.
//!
//! Blocks of columns are the unit of parallel work. Measured on the products of this crate, two BLAS threads
//! under rayon give 34 GFLOP/s where one gives 45, and BLAS threads would make the order of sums, and so the
//! last bits of a result, depend on their number.

use std::ffi::c_int;
use std::sync::Once;

#[expect(
    unsafe_code,
    reason = "OpenBLAS offers no safe binding for its thread count and version; the only foreign calls"
)]
mod openblas {
    // SAFETY: the signature is that of OpenBLAS's cblas.h, the library build.rs links. The function takes a plain
    // integer, keeps no pointer and may be called from any thread, hence `safe`.
    unsafe extern "C" {
        pub(super) safe fn openblas_set_num_threads(number: std::ffi::c_int);
        safe fn openblas_get_config() -> *const std::ffi::c_char;
    }

    /// What the library says of itself.
    pub(super) fn config() -> String {
        let text = openblas_get_config();
        if text.is_null() {
            return String::new();
        }
        // SAFETY: OpenBLAS returns a NUL-terminated string that lives as long as the process.
        unsafe { std::ffi::CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }
}

/// Makes every later BLAS and LAPACK call of this process run on its caller's thread.
pub fn hold_blas_to_one_thread() {
    const ONE: c_int = 1;
    static HELD: Once = Once::new();
    HELD.call_once(|| openblas::openblas_set_num_threads(ONE));
}

/// OpenBLAS's version, such as `0.3.21`; empty where it does not say.
pub fn blas_version() -> String {
    let config = openblas::config();
    config
        .split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_library_says_its_version() {
        assert!(super::blas_version().starts_with("0."), "{}", super::blas_version());
    }
}
