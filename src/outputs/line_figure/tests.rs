//! Whole figures: where points come to lie, what stands in the text, and what odd input gives.

use super::*;

const FIVE: Times = Times::Even { start_s: 0.0, step_s: 1.0 };

fn line(name: &str, values: Vec<f64>, style: LineStyle) -> Line {
    Line { name: name.to_owned(), times: FIVE, values, style, ink: Ink::Palette(0) }
}

fn panel(lines: Vec<Line>) -> Panel {
    Panel { label: "signal".into(), units: "percent".into(), lines, ..Panel::default() }
}

fn figure(panels: Vec<Panel>) -> String {
    let svg = LineFigure { title: "a figure".into(), panels, x_label: "time".into(), x_units: XUnits::Seconds }.svg();
    assert_well_formed(&svg);
    svg
}

/// Every tag is closed in its turn, attributes are quoted, and no number is missing.
fn assert_well_formed(svg: &str) {
    let mut open: Vec<&str> = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag ends");
        assert!(!text.contains('>') && tag.matches('"').count() % 2 == 0, "{part}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(!svg.contains("NaN") && !svg.contains("inf\"") && !svg.contains("inf,"), "{svg}");
}

/// The path of the curves in this colour that are as wide as a solid line and long enough to be no sample of the legend.
fn curve(svg: &str) -> &str {
    let is_curve = |line: &&str| line.contains("stroke=\"#0072b2\" stroke-width=\"1.8\"") && !line.contains("h22\"");
    let found: Vec<&str> = svg.lines().filter(is_curve).collect();
    assert_eq!(found.len(), 1, "{svg}");
    found[0].split('"').nth(1).unwrap()
}

#[test]
fn known_points_lie_where_they_should() {
    // 872 pixels of 4 s from x = 64; one panel is 300 pixels high below its name, of 22 pixels, at 44; the values have
    // 5 % of room above and below: -1 at 366 - 300 x 0.1 / 2.2
    let svg = figure(vec![panel(vec![line("", vec![-1.0, 0.0, 1.0, 0.0, -1.0], LineStyle::Solid)])]);
    assert_eq!(curve(&svg), "M64,352.4 282,216 500,79.6 718,216 936,352.4");
    assert!(svg.contains(">time (s)</text>") && svg.contains(">signal (percent)</text>"));
    assert!(svg.contains("<text x=\"56\" y=\"220\" text-anchor=\"end\">0.0</text>"), "zero beside its line: {svg}");
    assert!(svg.contains("<text x=\"500\" y=\"384\" text-anchor=\"middle\">2.0</text>"), "2 s below its point");
}

#[test]
fn panels_share_the_time_axis() {
    let mut late = line("", vec![0.0, 1.0], LineStyle::Solid);
    late.times = Times::Even { start_s: 2.0, step_s: 2.0 };
    let svg = figure(vec![panel(vec![line("", vec![0.0; 5], LineStyle::Fine)]), panel(vec![late])]);
    assert!(curve(&svg).starts_with("M500,") && curve(&svg).contains(" 936,"), "2 s and 4 s of 4 s: {}", curve(&svg));
}

#[test]
fn gaps_are_not_bridged_and_lone_values_are_dots() {
    let svg = figure(vec![panel(vec![line("", vec![0.0, 1.0, f64::NAN, 1.0, f64::INFINITY], LineStyle::Solid)])]);
    assert_eq!(curve(&svg).matches('M').count(), 1);
    assert_eq!(curve(&svg).matches(' ').count(), 1, "two points");
    assert!(svg.contains("h0\" fill=\"none\" stroke=\"#0072b2\" stroke-width=\"3.2\" stroke-linecap=\"round\""));
}

#[test]
fn stems_rise_from_zero_where_there_is_a_spike() {
    let svg = figure(vec![panel(vec![line("", vec![0.0, 2.0, 0.0, 0.0, 1.0], LineStyle::Stems)])]);
    // zero is the axis, at 366; the top has 5 % of room: 366 - 300 / 1.05
    assert!(svg.contains("d=\"M282,366V80.3M936,366V223.1\""), "{svg}");
}

#[test]
fn a_band_surrounds_its_curve() {
    let band = Band {
        name: "standard error".into(),
        times: Times::At(vec![0.0, 1.0, 4.0]),
        centre: vec![0.0; 3],
        half_width: vec![1.0, 0.5, 1.0],
        ink: Ink::Palette(1),
    };
    let svg = figure(vec![Panel { bands: vec![band], ..panel(vec![]) }]);
    assert!(svg.contains("d=\"M64,79.6 282,147.8 936,79.6 936,352.4 282,284.2 64,352.4z\""), "{svg}");
    assert!(svg.contains(">standard error</text>"));
}

#[test]
fn events_are_columns_and_ticks_within_the_time_axis() {
    let marks = |style, events: Vec<(f64, f64)>| Marks { name: "face".into(), events, style, ink: Ink::Palette(1) };
    let spans = marks(MarkStyle::Span, vec![(-1.0, 2.0), (2.0, 0.0), (3.0, 9.0), (5.0, 1.0), (-3.0, 1.0)]);
    let ticks = marks(MarkStyle::Ticks, vec![(1.0, 0.0), (1.0 + 1e-6, 0.0), (7.0, 0.0)]);
    let lines = vec![line("", vec![0.0, 1.0, 0.0, 1.0, 0.0], LineStyle::Solid)];
    let svg = figure(vec![Panel { marks: vec![spans, ticks], ..panel(lines) }]);
    // a row of ticks, 14 pixels, lies above the plane
    assert!(svg.contains("d=\"M64,80h218V380h-218zM718,80h218V380h-218z\""), "{svg}");
    assert!(svg.contains("d=\"M500,80V380\""), "an event without duration is a line");
    assert!(svg.contains("d=\"M282,66v10.5\""), "two spikes at one pixel are one tick");
}

#[test]
fn names_are_escaped_and_long_ones_cut() {
    let long = "<&\"> ".repeat(30);
    let mut odd = panel(vec![line(&long, vec![0.0, 1.0], LineStyle::Solid)]);
    odd.label = "a < b".into();
    let svg = LineFigure { title: long, panels: vec![odd], x_label: "t & u".into(), x_units: XUnits::Seconds }.svg();
    assert_well_formed(&svg);
    assert!(svg.contains("a &lt; b (percent)") && svg.contains("t &amp; u (s)") && svg.contains("&quot;&gt;"));
    assert!(svg.contains('\u{2026}'));
}

#[test]
fn the_legend_shows_every_look_once() {
    let two =
        || panel(vec![line("data", vec![0.0, 1.0], LineStyle::Fine), line("fit", vec![0.0, 1.0], LineStyle::Solid)]);
    let svg = figure(vec![two(), two()]);
    assert_eq!((svg.matches(">data<").count(), svg.matches(">fit<").count()), (1, 1));
    let many = (0..40).map(|at| line(&format!("condition {at}"), vec![0.0, 1.0], LineStyle::Dotted)).collect();
    let right_edges = figure(vec![panel(many)]);
    let words = right_edges.lines().filter(|text| text.contains(">condition "));
    let far = words.filter_map(|text| text.split('"').nth(1)?.parse::<f64>().ok()).fold(0.0, f64::max);
    assert!(far < WIDTH - RIGHT, "{far}");
}

#[test]
fn odd_series_give_a_figure() {
    for values in [vec![], vec![f64::NAN; 3], vec![7.0], vec![3e7; 4], vec![f64::MAX, f64::MIN], vec![1e-300, 0.0]] {
        for style in [LineStyle::Solid, LineStyle::Dashed, LineStyle::Dotted, LineStyle::Points, LineStyle::Stems] {
            figure(vec![panel(vec![line("x", values.clone(), style)])]);
        }
    }
    assert!(figure(vec![panel(vec![line("x", vec![f64::NAN; 3], LineStyle::Solid)])]).contains(">no values<"));
    assert!(figure(vec![panel(vec![line("x", vec![3e7; 4], LineStyle::Solid)])]).contains("\u{d7}10\u{2076} percent"));
    figure(vec![]);
    figure(vec![panel(vec![])]);
    let mut short = line("x", vec![1.0, 2.0, 3.0], LineStyle::Solid);
    short.times = Times::At(vec![0.0, 1.0]);
    assert_eq!(curve(&figure(vec![panel(vec![short])])).matches(' ').count(), 1, "a value without a time is not drawn");
}

#[test]
fn long_series_stay_small_and_keep_their_spikes() {
    let mut values: Vec<f64> = (0..100_000).map(|k| libm::sin(f64::from(k) * 0.7)).collect();
    values[54_321] = 40.0;
    let long = || {
        let mut long = line("long", values.clone(), LineStyle::Solid);
        long.times = Times::Even { start_s: 0.0, step_s: 0.02 };
        long
    };
    let svg = figure((0..4).map(|_| panel(vec![long(), long()])).collect());
    // two points of some 12 bytes for each of 872 pixels, in eight curves
    assert!(svg.len() < 200_000, "{}", svg.len());
    assert!(svg.contains(">time (min)</text>"), "2000 s");
    let svg = figure(vec![panel(vec![long()])]);
    let heights = curve(&svg).split([' ', 'M']).filter_map(|point| point.split_once(',')?.1.parse::<f64>().ok());
    let top = heights.fold(f64::MAX, f64::min);
    // the spike is the largest value: 5 % of 41 below the top of the plane, at 66 pixels
    assert!((top - (66.0 + 300.0 * 0.05 / 1.1)).abs() <= 0.051, "to the tenth of a pixel that is written: {top}");
    assert_eq!(svg, figure(vec![panel(vec![long()])]), "the same bytes");
}
