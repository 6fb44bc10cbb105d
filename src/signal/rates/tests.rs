use super::super::convolution::tests::scipy;
use super::*;
use proptest::prelude::*;

const SPIKES_S: [f64; 16] =
    [0.0, 0.013, 0.05, 0.31, 0.42, 0.44, 0.81, 0.97, 1.23, 1.26, 1.52, 1.77, 1.95, 2.02, 2.05, 2.07];

fn kernels(width_s: f64) -> [RateKernel; 5] {
    [
        RateKernel::Box { width_s },
        RateKernel::Gaussian { sigma_s: width_s },
        RateKernel::HalfGaussian { sigma_s: width_s },
        RateKernel::Exponential { tau_s: width_s },
        RateKernel::Alpha { tau_s: width_s },
    ]
}

fn integral(counts: &SpikeCounts, rates: &[f64]) -> f64 {
    rates.iter().zip(counts.widths_s()).map(|(rate, width_s)| rate * width_s).sum()
}

#[test]
fn counts_and_rates_are_those_of_numpy_and_scipy() {
    let counts = SpikeCounts::of_spikes(&SPIKES_S, 2.07, 0.1).unwrap();
    let expected = &scipy("counts")[0].1;
    assert_eq!(counts.counts().iter().map(|count| f64::from(*count)).collect::<Vec<_>>(), *expected);
    for (arguments, expected) in scipy("rates") {
        let width_s: f64 = arguments[1].parse().unwrap();
        let kernel = match arguments[0] {
            "box" => RateKernel::Box { width_s },
            "gaussian" => RateKernel::Gaussian { sigma_s: width_s },
            "half-gaussian" => RateKernel::HalfGaussian { sigma_s: width_s },
            _ => RateKernel::Exponential { tau_s: width_s },
        };
        let rates = counts.rates_smoothed(kernel).unwrap();
        assert_eq!(rates.len(), expected.len());
        for (rate, expected) in rates.iter().zip(expected) {
            // two sums of up to 31 terms of one sign; the last bin's 0.07 s is a difference of 2.07 and 2, which
            // multiplies its rounding by 30
            assert!((rate / expected - 1.0).abs() < 1e-13 || rate == &expected, "{arguments:?} {rate} {expected}");
        }
    }
}

#[test]
fn bins_are_half_open_and_the_end_belongs_to_the_last() {
    let counts = |spikes: &[f64], duration_s, bin_s| {
        SpikeCounts::of_spikes(spikes, duration_s, bin_s).unwrap().counts().to_vec()
    };
    assert_eq!(counts(&[0.0, 0.5, 1.0, 1.5, 2.0], 2.0, 0.5), [1, 1, 1, 2]);
    // 3 x 0.1 > 0.3, 0.7 / 0.1 < 7 and 1.1 / 0.1 > 11 in f64
    assert_eq!(counts(&[0.3, 0.7], 1.1, 0.1), [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(counts(&[], 0.3, 0.5), [0]);
    assert_eq!(counts(&[0.2, 0.3], 0.3, 0.5), [2]);
}

#[test]
fn a_short_last_bin_counts_for_as_long_as_it_is() {
    let counts = SpikeCounts::of_spikes(&[0.1, 1.1], 1.25, 0.5).unwrap();
    assert_eq!(counts.counts(), [1, 0, 1]);
    assert_eq!(counts.widths_s(), [0.5, 0.5, 0.25]);
    assert_eq!(counts.centres_s(), [0.25, 0.75, 1.125]);
    assert_eq!(counts.rates(), [2.0, 0.0, 4.0]);
    // without smoothing, the same
    assert_eq!(counts.rates_smoothed(RateKernel::Gaussian { sigma_s: 0.0 }).unwrap(), [2.0, 0.0, 4.0]);
}

#[test]
fn one_spike_far_from_the_ends_draws_the_kernel() {
    // bins of 1/8 s, a spike in bin 64 of 128; all widths are 1/2 s, 4 bins
    let counts = SpikeCounts::of_spikes(&[8.05], 16.0, 0.125).unwrap();
    let t = |bin: usize| (bin as f64 - 64.0) * 0.125;
    let gaussian = |t: f64| (-0.5 * (t / 0.5).powi(2)).exp() / (0.5 * std::f64::consts::TAU.sqrt());
    let exponential = |t: f64| if t < 0.0 { 0.0 } else { (-t / 0.5).exp() * (1.0 - (-0.25_f64).exp()) / 0.125 };
    let smoothed = |kernel| counts.rates_smoothed(kernel).unwrap();
    let (symmetric, later) =
        (smoothed(RateKernel::Gaussian { sigma_s: 0.5 }), smoothed(RateKernel::Exponential { tau_s: 0.5 }));
    let boxed = smoothed(RateKernel::Box { width_s: 0.5 });
    for bin in 0..128 {
        // cut at 4 sigma, 4.125 with the half bin beyond: 2 Q(4.125) = 3.7e-5 of the mass is missing, and made up for;
        // where it is cut there were 2.7e-4 spikes/s
        assert!((symmetric[bin] - gaussian(t(bin))).abs() < 2.7e-4, "{bin}");
        // cut after 41 bins: exp(-10.25) = 3.5e-5 of the mass, hence 3.5e-5 of the peak of 1.77 spikes/s; and the tail
        assert!((later[bin] - exponential(t(bin))).abs() < 1.77 * 3.6e-5, "{bin}");
        let expected = match bin.abs_diff(64) {
            0 | 1 => 2.0, // 1 spike / 0.5 s
            2 => 1.0,     // half the bin is in the box
            _ => 0.0,
        };
        assert!((boxed[bin] - expected).abs() < 4.0 * f64::EPSILON, "{bin}");
    }
    assert!(later[..64].iter().all(|rate| *rate == 0.0), "no rate before the spike");
}

#[test]
fn rates_are_the_ratio_of_two_sums_taken_by_definition() {
    let counts = SpikeCounts::of_spikes(&SPIKES_S, 2.07, 0.03).unwrap();
    let widths_s = counts.widths_s();
    for kernel in kernels(0.2).into_iter().chain(kernels(3.0)) {
        let (sampled, rates) = (kernel.sampled(0.03).unwrap(), counts.rates_smoothed(kernel).unwrap());
        for (n, rate) in rates.iter().enumerate() {
            let weight = |m: usize| {
                (n + sampled.centre()).checked_sub(m).and_then(|j| sampled.weights().get(j)).copied().unwrap_or(0.0)
            };
            let spikes: f64 = (0..rates.len()).map(|m| weight(m) * f64::from(counts.counts()[m])).sum();
            let seconds: f64 = (0..rates.len()).map(|m| weight(m) * widths_s[m]).sum();
            // differences of sums over up to 1201 weights of unit sum, of which at least 0.03 lie within the recording
            let tolerance = 1201.0 * f64::EPSILON / 2.0 / 0.03;
            assert!((rate - spikes / seconds).abs() <= tolerance * rate.max(1e-300), "{kernel:?} {n}");
        }
    }
}

#[test]
fn what_makes_no_rate_is_refused() {
    let counts = SpikeCounts::of_spikes;
    for time in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(counts(&[], time, 0.1), Err(RateError::Time { what: "duration", .. })));
        assert!(matches!(counts(&[], 1.0, time), Err(RateError::Time { what: "width of the bins", .. })));
    }
    assert!(matches!(counts(&[], 1e9, 1e-9), Err(RateError::TooManyBins { .. })));
    for time_s in [-0.1, 1.1, f64::NAN] {
        assert!(matches!(counts(&[0.2, time_s], 1.0, 0.1), Err(RateError::Outside { index: 1, .. })));
    }
    let unsorted = counts(&[0.2, 0.1], 1.0, 0.1);
    assert_eq!(unsorted, Err(RateError::Unsorted { index: 1, time_s: 0.1, before_s: 0.2 }));
    let two = counts(&[], 1.0, 0.5).unwrap();
    let smoothed = |weights: Vec<f64>| two.rates_smoothed_by(&SampledKernel::causal(weights).unwrap());
    assert_eq!(smoothed(vec![1.0, -0.5]), Err(RateError::NegativeWeight { index: 1, value: -0.5 }));
    assert_eq!(smoothed(vec![0.0, 1.0]), Err(RateError::NothingSeen { bin: 0 }));
    assert!(matches!(two.rates_smoothed(RateKernel::Alpha { tau_s: 0.0 }), Err(RateError::Kernel(_))));
}

proptest! {
    #[test]
    fn a_constant_rate_stays_constant_up_to_the_edges(
        n_bins in 1..60_u32, a_bin in 1..9_u32, width_s in 0.01..3.0_f64, short in any::<bool>()
    ) {
        // as many spikes in every bin of 1/4 s, and half as many in a last one of 1/8 s
        let duration_s = f64::from(n_bins) * 0.25 - if short { 0.125 } else { 0.0 };
        let spikes: Vec<f64> = (0..2 * n_bins - u32::from(short))
            .flat_map(|half| (0..a_bin).map(move |_| f64::from(half) * 0.125))
            .collect();
        let counts = SpikeCounts::of_spikes(&spikes, duration_s, 0.25).unwrap();
        let rate = 8.0 * f64::from(a_bin);
        for kernel in kernels(width_s) {
            for smoothed in counts.rates_smoothed(kernel).unwrap() {
                // two sums of up to 145 weights, some of them differences of sums of 1, in the worst case (the rise of
                // an alpha function over 12 bins of its time constant) of which 1e-3 is left
                prop_assert!((smoothed / rate - 1.0).abs() < 145.0 * f64::EPSILON / 1e-3, "{:?} {}", kernel, smoothed);
            }
        }
    }

    #[test]
    fn every_spike_is_counted_once_and_far_from_the_ends_weighs_one(
        mut spikes in prop::collection::vec(10.0..20.0_f64, 0..80), bin_s in 0.01..0.7_f64, width_s in 0.01..0.7_f64
    ) {
        spikes.sort_by(f64::total_cmp);
        let counts = SpikeCounts::of_spikes(&spikes, 30.0, bin_s).unwrap();
        prop_assert_eq!(counts.counts().iter().sum::<u32>() as usize, spikes.len());
        // the widths add up to the recording: 3000 terms
        prop_assert!((counts.widths_s().iter().sum::<f64>() - 30.0).abs() < 30.0 * 3000.0 * f64::EPSILON);
        prop_assert!((integral(&counts, &counts.rates()) - spikes.len() as f64).abs() < 1e-11);
        for kernel in kernels(width_s) {
            let rates = counts.rates_smoothed(kernel).unwrap();
            prop_assert!(rates.iter().all(|rate| *rate >= 0.0));
            // the longest reach is 12 x 0.7 s = 8.4 s and a bin; 80 spikes by up to 841 weights of sum 1, each rounded
            prop_assert!((integral(&counts, &rates) - spikes.len() as f64).abs() < 80.0 * 841.0 * f64::EPSILON);
        }
    }
}
