//! How similar the columns of a design are: their correlations as a map, and what that costs each regressor
//! and contrast.

use super::figures::{block, canvas, framed, label};
use super::html::Html;
use super::quantity::decimal;
use super::table::{Align, Table};
use crate::design::leverage::{HIGH_LEVERAGE, InfluentialFrames};
use crate::design::{ColumnRole, RunDesign, checks, figure};
use crate::error::counted;
use crate::outputs::design_sidecar::DesignSidecar;

/// Most columns of a map, and most whose numbers fit into the cells.
const MOST: usize = 60;
const NUMBERED: usize = 12;
/// Most frames that a sentence names.
const MOST_FRAMES: usize = 20;

/// The correlations of all columns that vary, where they are not too many; else those of the task regressors.
pub(super) fn map(design: &RunDesign) -> Html {
    let all: Vec<usize> = (0..design.n_columns()).filter(|&at| design.roles[at] != ColumnRole::Constant).collect();
    let task: Vec<usize> =
        all.iter().copied().filter(|&at| matches!(design.roles[at], ColumnRole::Task { .. })).collect();
    let (shown, what) = if all.len() <= MOST { (all, "columns") } else { (task, "task regressors") };
    if shown.len() < 2 || shown.len() > MOST {
        return Html::default();
    }
    let correlations = correlations(design, &shown);
    let names: Vec<&str> = shown.iter().map(|&at| design.names[at].as_str()).collect();
    let caption = format!(
        "Correlations between the {what} of the design over the frames in the model (blue \u{2212}1, red 1, pale near 0)."
    );
    framed("drawing inline", drawn(&names, &correlations), &caption)
}

fn drawn(names: &[&str], correlations: &[Vec<f64>]) -> Html {
    let n = names.len();
    let cell = if n <= NUMBERED { 40.0 } else { (480.0 / n as f64).clamp(9.0, 24.0) };
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(30) as f64;
    // narrow columns have their names upright, so that they do not lie on each other
    let upright = cell < 16.0;
    let (above, beyond) = if upright { (6.4, 0.0) } else { (4.6, 4.6) };
    let (left, top) = (longest * 6.4 + 14.0, longest * above + 20.0);
    let (width, height) = (left + cell * n as f64 + longest * beyond + 10.0, top + cell * n as f64 + 8.0);
    let mut content = block([0.0, 0.0, width, height], "#fff");
    for (row, name) in names.iter().enumerate() {
        let short: String = name.chars().take(30).collect();
        let y = top + cell * (row as f64 + 0.5) + 4.0;
        content.append(&label(left - 6.0, y, "end", &short));
        let (x, y) = (left + cell * (row as f64 + 0.5) + if upright { 3.0 } else { 0.0 }, top - 6.0);
        let turn = format!("rotate({} {x:.1} {y:.1})", if upright { -90 } else { -45 });
        content.append(&Html::element("g", &[("transform", &turn)], label(x, y, "start", &short)));
        for (column, r) in correlations[row].iter().enumerate() {
            let place = [left + cell * column as f64, top + cell * row as f64, cell - 1.0, cell - 1.0];
            let title = format!("{name} and {}: {}", names[column], decimal(*r, 3));
            let mut group = Html::element("title", &[], Html::text(&title));
            group.append(&block(place, &colour(*r)));
            if n <= NUMBERED {
                let ink = if r.abs() > 0.6 { "#fff" } else { "#222" };
                let number = label(place[0] + cell / 2.0, place[1] + cell / 2.0 + 4.0, "middle", &decimal(*r, 2));
                group.append(&Html::element("g", &[("fill", ink)], number));
            }
            content.push(Html::element("g", &[], group));
        }
    }
    canvas(width, height, "correlations between the columns of the design", content)
}

/// Pearson's correlation of each pair over the frames in the model; not a number where a column is constant.
fn correlations(design: &RunDesign, columns: &[usize]) -> Vec<Vec<f64>> {
    let matrix = design.kept_matrix();
    let centred: Vec<Vec<f64>> = columns
        .iter()
        .map(|&column| {
            let values = matrix.column(column);
            let mean = values.sum() / values.len().max(1) as f64;
            values.iter().map(|value| value - mean).collect()
        })
        .collect();
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let squares: Vec<f64> = centred.iter().map(|values| product(values, values)).collect();
    let of = |i: usize, j: usize| product(&centred[i], &centred[j]) / (squares[i] * squares[j]).sqrt();
    (0..columns.len()).map(|i| (0..columns.len()).map(|j| of(i, j)).collect()).collect()
}

/// The scale of pictures of designs; grey where a column is constant.
fn colour(r: f64) -> String {
    if r.is_nan() { "#ccc".to_owned() } else { figure::colour_of(r, 1.0) }
}

/// Variance inflation of each task regressor, and the share of its variance that drift and confounds take.
pub(super) fn inflation(design: &RunDesign) -> Html {
    let headings =
        [("regressor", Align::Left), ("VIF", Align::Right), ("variance removed by drift and confounds", Align::Right)];
    let mut table = Table::new(
        "Variance inflation of the task regressors: 1 is best, above 5 two regressors are hard to tell apart",
        &headings,
    );
    for ((name, inflation), (_, removed)) in
        checks::variance_inflation(design).iter().zip(checks::variance_removed(design))
    {
        let removed = format!("{} %", decimal(100.0 * removed, 1));
        table.row([name.as_str(), &decimal(*inflation, 2), &removed].map(Html::text).to_vec());
    }
    if table.is_empty() { Html::default() } else { table.html() }
}

/// Efficiency of each contrast as it was saved.
pub(super) fn efficiency(sidecar: &DesignSidecar) -> Html {
    let headings = [("contrast", Align::Left), ("efficiency", Align::Right)];
    let mut table = Table::new(
        "Efficiency of the contrasts, one over their variance in units of white noise's: compares designs of the same contrast",
        &headings,
    );
    for contrast in &sidecar.contrasts {
        if let Some(efficiency) = contrast.efficiency {
            table.row([contrast.name.as_str(), &decimal(efficiency, 3)].map(Html::text).to_vec());
        }
    }
    if table.is_empty() { Html::default() } else { table.html() }
}

/// Frames that the fit hangs on, in a sentence; nothing where it hangs on none.
pub(super) fn influential(design: &RunDesign) -> Html {
    let InfluentialFrames { high, fitted_alone } = InfluentialFrames::of(design);
    let named = |frames: &[usize]| {
        let first: Vec<String> = frames.iter().take(MOST_FRAMES).map(ToString::to_string).collect();
        let more = if frames.len() > first.len() { ", …" } else { "" };
        format!("{}{more}", first.join(", "))
    };
    let mut html = Html::default();
    if !high.is_empty() {
        let frames: Vec<usize> = high.iter().map(|(frame, _)| *frame).collect();
        let largest = high.iter().map(|(_, leverage)| *leverage).fold(0.0, f64::max);
        html.push(Html::paragraph(
            "note",
            &format!(
                "Leverage above {HIGH_LEVERAGE} times the mean, up to {}, in {} (from 0): {}. An artefact there moves the fit.",
                decimal(largest, 2),
                counted(frames.len(), "frame"),
                named(&frames)
            ),
        ));
    }
    if !fitted_alone.is_empty() {
        let said = format!(
            "{} with a regressor of their own, out of the fit as if censored: {}.",
            counted(fitted_alone.len(), "frame"),
            named(&fitted_alone)
        );
        html.push(Html::paragraph("note", &said));
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Timing;
    use ndarray::{Array2, array};

    fn design() -> RunDesign {
        let task = |name: &str| ColumnRole::Task { condition: name.to_owned(), part: String::new(), delay_s: None };
        RunDesign {
            run: "sub-01".into(),
            names: ["<b>", "b", "drift_1", "constant"].map(str::to_owned).to_vec(),
            roles: vec![task("<b>"), task("b"), ColumnRole::Drift, ColumnRole::Constant],
            matrix: array![[1.0, 1.0, 0.0, 1.0], [-1.0, 0.0, 0.0, 1.0], [0.0, -1.0, 0.0, 1.0], [9.0, 9.0, 9.0, 1.0]],
            timing: Timing { kept: vec![true, true, true, false], ..Timing::new(2.0, 4, 0, 0.0) },
            peak_heights: vec![9.0, 9.0, 9.0, 1.0],
        }
    }

    #[test]
    fn correlations_are_over_the_frames_in_the_model() {
        let found = correlations(&design(), &[0, 1, 2]);
        assert!((found[0][0] - 1.0).abs() < 1e-15 && (found[0][1] - 0.5).abs() < 1e-15, "{found:?}");
        assert!(found[2][0].is_nan(), "a constant column");
        assert_eq!([1.0, 0.0, -1.0, f64::NAN].map(colour), ["#b2182b", "#ffffff", "#2166ac", "#ccc"]);
    }

    #[test]
    fn names_of_columns_stay_text() {
        let html = map(&design()).into_string() + &inflation(&design()).into_string();
        assert!(html.contains("&lt;b&gt; and b: 0.500") && !html.contains("<b>"), "{html}");
        let mut spiked = design();
        spiked.matrix = Array2::from_shape_fn((40, 2), |(t, j)| {
            if j == 0 { 1.0 } else { [0.0, 0.5, 1.0][usize::from(t > 37) + usize::from(t > 38)] }
        });
        spiked.timing = Timing::new(2.0, 40, 0, 0.0);
        let said = influential(&spiked).into_string();
        assert!(said.contains("in 2 frames (from 0): 38, 39"), "{said}");
        spiked.matrix[(38, 1)] = 0.0;
        let said = influential(&spiked).into_string();
        assert!(said.contains("1 frame with a regressor of their own") && !said.contains("Leverage"), "{said}");
        // a correlation of one half: 1 / (1 - 1/4)
        assert!(html.contains("<td class=\"number\">1.33</td>"), "{html}");
    }
}
