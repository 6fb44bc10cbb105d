//! Loops compiled twice, for every machine and for AVX2, and run with the widest vectors of the machine at hand.
//!
//! The binary must run on any x86-64, whose common vectors hold four f32 or two f64; nearly all machines in use have
//! ones of twice that. A loop that the compiler vectorises is written once, as a [`Loop`], and [`widest`] picks.
//!
//! The results are the same bits either way: the compiler neither reorders floating-point sums nor contracts a
//! product and a sum into one rounding, and FMA is not among the features switched on. A sum over a slice is one
//! chain of additions and gains nothing; sums side by side (an array of lanes, or one sum a column) do.
//!
//! On other architectures the loop is what it would be without this. AVX-512 was measured and left out: on a Zen 5
//! smoothing took the same time with it as with AVX2.

/// A loop with what it works on.
pub trait Loop {
    /// What it returns.
    type Output;

    /// Runs it. Mark this, and every function of this crate it calls in its inner loops, `#[inline(always)]`: only
    /// what is inlined into [`widest`] is compiled for wider vectors.
    fn run(self) -> Self::Output;
}

/// Runs a loop as compiled for the machine at hand. Choosing costs a few nanoseconds: hand over whole rows or planes.
#[multiversion::multiversion(targets("x86_64+avx+avx2"))]
pub fn widest<L: Loop>(body: L) -> L::Output {
    body.run()
}

/// `sums += a b`, element by element.
pub struct AddProducts<'a> {
    /// What is added to.
    pub sums: &'a mut [f64],
    /// One factor,
    pub a: &'a [f64],
    /// and the other.
    pub b: &'a [f64],
}

impl Loop for AddProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (sum, (a, b)) in self.sums.iter_mut().zip(self.a.iter().zip(self.b)) {
            *sum += a * b;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `y += a x`, where a fused rounding would show.
    struct AddScaled<'a>(&'a mut [f32], f32, &'a [f32]);

    impl Loop for AddScaled<'_> {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            for (y, x) in self.0.iter_mut().zip(self.2) {
                *y += self.1 * x;
            }
        }
    }

    proptest! {
        #[test]
        fn every_choice_gives_the_same_bits(
            pairs in prop::collection::vec((-1e3..1e3_f32, -1e3..1e3_f32), 0..70),
            a in -2.0..2.0_f32,
        ) {
            let (mut wide, x): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let mut plain = wide.clone();
            widest(AddScaled(&mut wide, a, &x));
            AddScaled(&mut plain, a, &x).run();
            prop_assert_eq!(wide, plain);
        }
    }
}
