use super::super::convolution::tests::{edge_of, samples, scipy};
use super::*;
use ndarray::{Array2, ArrayD, IxDyn};

/// Of the largest value: four axes of sums of up to 73 products, a rounding or less for each
const TOLERANCE: f64 = 1e-13;

fn numbers<T: std::str::FromStr>(text: &str) -> Vec<T> {
    text.split('x').filter_map(|number| number.parse().ok()).collect()
}

#[test]
fn lines_are_filtered_as_by_scipy() {
    for (arguments, expected) in scipy("gaussian_filter1d") {
        let [length, sigma] = [1, 2].map(|index: usize| arguments[index].parse::<f64>().unwrap());
        let result = gaussian_filter_1d(&samples(length as usize), sigma, edge_of(arguments[0])).unwrap();
        assert_eq!(result.len(), expected.len());
        for (value, expected) in result.iter().zip(expected) {
            assert!((value - expected).abs() < TOLERANCE * 5.0, "{arguments:?}: {value} {expected}");
        }
    }
}

#[test]
fn arrays_of_one_to_four_axes_are_filtered_as_by_scipy() {
    for (arguments, expected) in scipy("gaussian_filter") {
        let (shape, sigma) = (numbers::<usize>(arguments[1]), numbers::<f64>(arguments[2]));
        let array = ArrayD::from_shape_vec(IxDyn(&shape), samples(shape.iter().product())).unwrap();
        let result = gaussian_filter(&array.view(), &sigma, edge_of(arguments[0])).unwrap();
        assert_eq!(result.shape(), shape);
        for (value, expected) in result.iter().zip(expected) {
            assert!((value - expected).abs() < TOLERANCE * 5.0, "{arguments:?}: {value} {expected}");
        }
    }
}

#[test]
fn the_order_of_axes_in_memory_does_not_matter() {
    let array = Array2::from_shape_vec((5, 7), samples(35)).unwrap();
    let straight = gaussian_filter(&array.view(), &[1.0, 2.0], Edge::Reflect).unwrap();
    let turned = gaussian_filter(&array.t(), &[2.0, 1.0], Edge::Reflect).unwrap();
    for (value, other) in straight.iter().zip(turned.t()) {
        // only the order of the two filters differs
        assert!((value - other).abs() < TOLERANCE * 5.0);
    }
}

#[test]
fn reflection_keeps_the_sum_and_every_edge_but_zero_a_constant() {
    let array = ArrayD::from_shape_vec(IxDyn(&[3, 4, 5]), samples(60)).unwrap();
    let filtered = gaussian_filter(&array.view(), &[1.5, 0.7, 3.0], Edge::Reflect).unwrap();
    // sixty values of up to 5
    assert!((filtered.sum() - array.sum()).abs() < 60.0 * 5.0 * TOLERANCE);
    let constant = ArrayD::from_elem(IxDyn(&[3, 4, 5]), 2.5);
    for edge in [Edge::Reflect, Edge::Nearest, Edge::Wrap] {
        let filtered = gaussian_filter(&constant.view(), &[1.5, 0.7, 3.0], edge).unwrap();
        assert!(filtered.iter().all(|value| (value - 2.5).abs() < 2.5 * TOLERANCE), "{edge:?}");
    }
}

#[test]
fn what_cannot_be_filtered_is_refused() {
    let mut array = ArrayD::zeros(IxDyn(&[2, 3]));
    let filter = |array: &ArrayD<f64>, sigma: &[f64]| gaussian_filter(&array.view(), sigma, Edge::Reflect);
    assert_eq!(filter(&array, &[1.0]), Err(FilterError::SigmaCount { n_axes: 2, n_sigmas: 1 }));
    assert!(matches!(filter(&array, &[1.0, -1.0]), Err(FilterError::Kernel { axis: 1, .. })));
    array[[1, 0]] = f64::NAN;
    let problem = filter(&array, &[1.0, 1.0]);
    let Err(FilterError::Convolution(ConvolutionError::NotFinite { of: "signal", index: 3, .. })) = problem else {
        panic!("{problem:?}")
    };
    let empty = filter(&ArrayD::zeros(IxDyn(&[0, 3])), &[1.0, 1.0]);
    assert_eq!(empty, Err(FilterError::Convolution(ConvolutionError::EmptySignal)));
}
