use super::super::kernel::BoxScale;
use super::*;
use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;

/// What scipy makes of the whole numbers below; written by `scripts/expectations/convolution.py`.
const SCIPY: &str = include_str!("../../../tests/expectations/convolution.tsv");

pub(in crate::signal) fn samples(n: usize) -> Vec<f64> {
    (0..n).map(|i| ((7 * i + 3) % 11) as f64 - 5.0).collect()
}

pub(in crate::signal) fn weights(n: usize) -> Vec<f64> {
    (0..n).map(|i| ((5 * i + 2) % 7) as f64 - 2.0).collect()
}

/// Arguments and result of every case of one function.
pub(in crate::signal) fn scipy(what: &str) -> Vec<(Vec<&'static str>, Vec<f64>)> {
    let case = |line: &'static str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let values = cells[2].split(' ').map(|value| value.parse().unwrap()).collect();
        (cells[0] == what).then(|| (cells[1].split(' ').collect(), values))
    };
    let cases: Vec<_> = SCIPY.lines().filter_map(case).collect();
    assert!(!cases.is_empty(), "scipy's {what}");
    cases
}

pub(in crate::signal) fn edge_of(name: &str) -> Edge {
    match name {
        "zero" => Edge::Zero,
        "reflect" => Edge::Reflect,
        "nearest" => Edge::Nearest,
        "wrap" => Edge::Wrap,
        _ => panic!("{name}"),
    }
}

fn largest_difference(left: &[f64], right: &[f64]) -> f64 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn every_combination_of_lengths_gives_what_scipy_gives() {
    for (arguments, expected) in scipy("convolve") {
        let mode = match arguments[0] {
            "full" => Mode::Full,
            "valid" => Mode::Valid,
            _ => Mode::Same,
        };
        let (x, k) = (samples(arguments[1].parse().unwrap()), weights(arguments[2].parse().unwrap()));
        // sums of products of small whole numbers have no rounding
        assert_eq!(convolve(&x, &k, mode).unwrap(), expected, "{arguments:?}");
        let by_fourier = convolve_by(Method::Fourier, &x, &k, mode).unwrap();
        assert!(largest_difference(&by_fourier, &expected) <= rounding_bound(&x, &k), "{arguments:?}");
    }
}

#[test]
fn every_edge_rule_gives_what_ndimage_gives() {
    for (arguments, expected) in scipy("convolve1d") {
        let [n, k, origin] = [1, 2, 3].map(|index: usize| arguments[index].parse::<usize>().unwrap());
        let (x, edge) = (samples(n), edge_of(arguments[0]));
        let kernel = SampledKernel::new(weights(k), k / 2 + origin).unwrap();
        assert_eq!(convolve_with_edges(&x, &kernel, edge).unwrap(), expected, "{arguments:?}");
        let mut by_fourier = vec![0.0; n];
        LineConvolution::by(Method::Fourier, &kernel, n, edge).unwrap().apply(&x, &mut by_fourier).unwrap();
        // the continued signal is as long as signal and kernel together
        let bound = rounding_bound(&vec![5.0; n + k], kernel.weights());
        assert!(largest_difference(&by_fourier, &expected) <= bound, "{arguments:?}");
    }
}

#[test]
fn every_axis_gives_what_ndimage_gives() {
    let array = ArrayD::from_shape_vec(IxDyn(&[2, 3, 4]), samples(24)).unwrap();
    let kernel = SampledKernel::centred(weights(4)).unwrap();
    for (arguments, expected) in scipy("convolve1d_axis") {
        let axis = arguments[1].parse().unwrap();
        let result = convolve_axis(&array.view(), axis, &kernel, edge_of(arguments[0])).unwrap();
        assert_eq!(result.iter().copied().collect::<Vec<_>>(), expected, "{arguments:?}");
    }
    let problem = convolve_axis(&array.view(), 3, &kernel, Edge::Zero);
    assert_eq!(problem, Err(ConvolutionError::NoSuchAxis { axis: 3, n_axes: 3 }));
}

#[test]
fn a_binary_series_of_75_and_a_box_of_5_give_71_79_and_75() {
    let series: Vec<f64> = (0..75).map(|i| if i % 7 == 0 || i % 11 == 3 { 1.0 } else { 0.0 }).collect();
    let sum = SampledKernel::boxcar(5, BoxScale::UnitHeight).unwrap();
    let [valid, full, same] =
        [Mode::Valid, Mode::Full, Mode::Same].map(|mode| convolve(&series, sum.weights(), mode).unwrap());
    assert_eq!((valid.len(), full.len(), same.len()), (71, 79, 75));
    // each value counts the events of five samples: those it is in the middle of for `same`, which ends it is for
    // `full`
    for (n, count) in valid.iter().enumerate() {
        assert_eq!(*count, series[n..n + 5].iter().sum::<f64>());
    }
    assert_eq!((&full[4..75], &full[2..77]), (&valid[..], &same[..]));
    assert_eq!(full.iter().sum::<f64>(), 5.0 * series.iter().sum::<f64>());
    assert_eq!(convolve_with_edges(&series, &sum, Edge::Zero).unwrap(), same);
}

#[test]
fn an_event_is_followed_by_the_kernel_not_preceded_by_it() {
    let kernel = SampledKernel::causal(vec![3.0, 2.0, 1.0]).unwrap();
    let mut event = vec![0.0; 7];
    event[2] = 1.0;
    let response = convolve_with_edges(&event, &kernel, Edge::Zero).unwrap();
    assert_eq!(response, [0.0, 0.0, 3.0, 2.0, 1.0, 0.0, 0.0]);
}

#[test]
fn the_method_goes_by_size() {
    assert_eq!(Method::of_size(75, 5, Mode::Full), Method::Direct);
    assert_eq!(Method::of_size(1_000_000, 20, Mode::Same), Method::Direct);
    // the two sides of the crossover
    assert_eq!(Method::of_size(1000, 200, Mode::Same), Method::Direct);
    assert_eq!(Method::of_size(1000, 400, Mode::Same), Method::Fourier);
    assert_eq!(Method::of_size(5, 1_000_000, Mode::Same), Method::Direct);
    assert_eq!(Method::of_size(100_000, 10_000, Mode::Same), Method::Fourier);
    // both ends of the range are a single sum
    assert_eq!(Method::of_size(100_000, 100_000, Mode::Valid), Method::Direct);
}

#[test]
fn a_whole_number_of_blocks_and_a_rest_join_without_a_seam() {
    // longer than a block of results, the shorter sequence on either side
    let (x, k) = (samples(2500), weights(1100));
    let term = |n: usize, m: usize| if m <= n && n - m < k.len() { x[m] * k[n - m] } else { 0.0 };
    for mode in [Mode::Full, Mode::Valid, Mode::Same] {
        let kept = mode.kept(x.len(), k.len());
        let expected: Vec<f64> = kept.map(|n| (0..x.len()).map(|m| term(n, m)).sum()).collect();
        assert_eq!(convolve_by(Method::Direct, &x, &k, mode).unwrap(), expected);
        let by_fourier = convolve_by(Method::Fourier, &x, &k, mode).unwrap();
        assert!(largest_difference(&by_fourier, &expected) <= rounding_bound(&x, &k));
    }
}

#[test]
fn what_cannot_be_convolved_is_refused() {
    let one = [1.0];
    assert_eq!(convolve(&[], &one, Mode::Same), Err(ConvolutionError::EmptySignal));
    assert_eq!(convolve(&one, &[], Mode::Full), Err(ConvolutionError::EmptyKernel));
    let infinite = convolve(&one, &[0.0, f64::INFINITY], Mode::Full);
    assert_eq!(infinite, Err(ConvolutionError::NotFinite { of: "kernel", index: 1, value: f64::INFINITY }));
    assert!(matches!(
        convolve(&[0.0, 0.0, f64::NAN], &one, Mode::Valid),
        Err(ConvolutionError::NotFinite { of: "signal", index: 2, .. })
    ));
    for method in [Method::Direct, Method::Fourier] {
        assert_eq!(convolve_by(method, &[1e200; 3], &[1e200; 3], Mode::Full), Err(ConvolutionError::Overflow));
    }
    let kernel = SampledKernel::identity();
    assert_eq!(convolve_with_edges(&[], &kernel, Edge::Wrap), Err(ConvolutionError::EmptySignal));
    let problem = LineConvolution::new(&kernel, 2, Edge::Wrap).unwrap().apply(&one, &mut [0.0; 2]);
    assert_eq!(problem, Err(ConvolutionError::LineLength { expected: 2, found: 1 }));
}

fn values(longest: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-100.0..100.0_f64, 1..longest)
}

fn modes() -> impl Strategy<Value = Mode> {
    prop::sample::select(vec![Mode::Full, Mode::Valid, Mode::Same])
}

fn edges() -> impl Strategy<Value = Edge> {
    prop::sample::select(vec![Edge::Zero, Edge::Reflect, Edge::Nearest, Edge::Wrap])
}

proptest! {
    #[test]
    fn both_methods_agree_to_rounding(x in values(400), k in values(400), mode in modes()) {
        let direct = convolve_by(Method::Direct, &x, &k, mode).unwrap();
        let fourier = convolve_by(Method::Fourier, &x, &k, mode).unwrap();
        prop_assert!(largest_difference(&direct, &fourier) <= rounding_bound(&x, &k));
    }

    #[test]
    fn signal_and_kernel_may_be_exchanged(x in values(60), k in values(60), n in 1..40_usize) {
        for mode in [Mode::Full, Mode::Valid] {
            let (there, back) = (convolve(&x, &k, mode).unwrap(), convolve(&k, &x, mode).unwrap());
            prop_assert!(largest_difference(&there, &back) <= rounding_bound(&x, &k));
        }
        prop_assert_eq!(Mode::Full.kept(x.len(), n).len(), x.len() + n - 1);
        prop_assert_eq!(Mode::Valid.kept(x.len(), n).len(), x.len().max(n) - x.len().min(n) + 1);
        prop_assert_eq!(Mode::Same.kept(x.len(), n).len(), x.len());
    }

    #[test]
    fn convolution_is_linear(x in values(60), k in values(30), scale in -10.0..10.0_f64, mode in modes()) {
        let other: Vec<f64> = x.iter().rev().map(|value| 0.5 * value + 1.0).collect();
        let mixed: Vec<f64> = x.iter().zip(&other).map(|(a, b)| a + scale * b).collect();
        let convolved = |signal: &[f64]| convolve(signal, &k, mode).unwrap();
        let summed: Vec<f64> =
            convolved(&x).iter().zip(convolved(&other)).map(|(a, b)| a + scale * b).collect();
        // the parts may be larger than their sum
        let parts = rounding_bound(&x, &k) + scale.abs() * rounding_bound(&other, &k);
        prop_assert!(largest_difference(&convolved(&mixed), &summed) <= 2.0 * parts);
    }

    #[test]
    fn an_impulse_changes_nothing_or_shifts(x in values(60), by in 0..60_usize, edge in edges()) {
        let mut impulse = vec![0.0; by + 1];
        impulse[by] = 1.0;
        let shifted = convolve(&x, &impulse, Mode::Full).unwrap();
        prop_assert!(shifted[..by].iter().all(|value| *value == 0.0));
        prop_assert_eq!(&shifted[by..], &x[..]);
        prop_assert_eq!(convolve_with_edges(&x, &SampledKernel::identity(), edge).unwrap(), x.clone());
        // causal: later; in the continued signal, sample n - by
        let later = convolve_with_edges(&x, &SampledKernel::causal(impulse).unwrap(), edge).unwrap();
        for (n, value) in later.iter().enumerate() {
            let source = edge.source(n.cast_signed() - by.cast_signed(), x.len());
            prop_assert_eq!(*value, source.map_or(0.0, |index| x[index]));
        }
    }

    #[test]
    fn a_constant_stays_constant_where_edges_continue_it(
        n in 1..40_usize, k in prop::collection::vec(0.0..1.0_f64, 1..80), level in -5.0..5.0_f64,
        place in 0.0..1.0_f64, edge in prop::sample::select(vec![Edge::Reflect, Edge::Nearest, Edge::Wrap])
    ) {
        let centre = (place * k.len() as f64) as usize;
        let kernel = SampledKernel::new(k, centre).unwrap();
        for value in convolve_with_edges(&vec![level; n], &kernel, edge).unwrap() {
            // two sums of at most 80 terms
            prop_assert!((value - level * kernel.sum()).abs() <= 160.0 * f64::EPSILON * (level * kernel.sum()).abs());
        }
    }
}
