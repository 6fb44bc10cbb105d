//! Holds OpenBLAS to one thread: rayon owns the cores.
//!
//! Blocks of columns are the unit of parallel work. Measured on the products of this crate, two BLAS threads
//! under rayon give 34 GFLOP/s where one gives 45, and BLAS threads would make the order of sums, and so the
//! last bits of a result, depend on their number.

use std::ffi::c_int;
use std::sync::Once;

#[expect(unsafe_code, reason = "OpenBLAS offers no safe binding for its thread count; the only foreign call here")]
mod openblas {
    // SAFETY: the signature is that of OpenBLAS's cblas.h, the library build.rs links. The function takes a plain
    // integer, keeps no pointer and may be called from any thread, hence `safe`.
    unsafe extern "C" {
        pub(super) safe fn openblas_set_num_threads(number: std::ffi::c_int);
    }
}

/// Makes every later BLAS and LAPACK call of this process run on its caller's thread.
pub fn hold_blas_to_one_thread() {
    const ONE: c_int = 1;
    static HELD: Once = Once::new();
    HELD.call_once(|| openblas::openblas_set_num_threads(ONE));
}
