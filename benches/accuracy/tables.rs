//! The tables that come out.

use crate::methods::{CANDIDATES, METHODS, Whitening};
use crate::score::{Mean, Score};
use crate::simulation::Activity;
use crate::{REGIONS, Result, Scenario};
use std::fmt::Write;

/// Correlations, what `auto` chose, gains and coverage.
pub fn markdown(results: &[Result], draws: usize) -> String {
    let mut text = format!("Means over {draws} draws of 600 s; standard errors are in the table of values.\n\n");
    let auto: Vec<String> = REGIONS.iter().map(|region| format!("auto, {region}")).collect();
    let columns: Vec<String> = METHODS.iter().map(|&name| name.to_owned()).chain(auto).collect();
    table(&mut text, "Correlation of the estimate with the true activity", &columns, results, |result| {
        let auto = result.auto.iter().map(|(_, mean, _)| two(*mean));
        result.methods.iter().map(|score| two(score.correlation)).chain(auto).collect()
    });
    let columns: Vec<String> =
        REGIONS.iter().flat_map(|region| CANDIDATES.map(|m| format!("{}, {region}", METHODS[m]))).collect();
    table(
        &mut text,
        "Share of draws for which `auto` chose a method, alone and in regions",
        &columns,
        results,
        |result| {
            result.auto.iter().flat_map(|(_, _, shares)| shares.iter().map(|share| format!("{share:.2}"))).collect()
        },
    );
    let columns: Vec<String> = METHODS.iter().map(|&name| name.to_owned()).collect();
    let of = |value: fn(&Score) -> Option<Mean>| {
        move |result: &Result| result.methods.iter().map(|score| value(score).map_or(String::new(), two)).collect()
    };
    table(&mut text, "Slope of the estimate over the truth", &columns, results, of(|score| Some(score.gain)));
    table(&mut text, "Coverage of 95 % intervals", &columns, results, of(|score| score.coverage));
    text
}

/// One line for a scenario, method and quantity.
pub fn tsv(results: &[Result]) -> String {
    let mut text =
        "activity\tsnr\tnoise_rho\twhitening\tlag_s\ttr_s\tmethod\tquantity\tmean\tstandard_error\n".to_owned();
    for result in results {
        let row = labels(&result.scenario).join("\t");
        let mut line = |method: &str, quantity: &str, Mean { value, error }: Mean| {
            let _ = writeln!(text, "{row}\t{method}\t{quantity}\t{value:.4}\t{error:.4}");
        };
        for (name, score) in METHODS.iter().zip(&result.methods) {
            line(name, "correlation", score.correlation);
            line(name, "slope", score.gain);
            if let Some(coverage) = score.coverage {
                line(name, "coverage", coverage);
            }
        }
        for (region, mean, _) in &result.auto {
            line(&format!("auto, regions of {region}"), "correlation", *mean);
        }
    }
    text
}

fn table(
    text: &mut String,
    title: &str,
    columns: &[String],
    results: &[Result],
    cells: impl Fn(&Result) -> Vec<String>,
) {
    let head = "activity | SNR | noise rho | whitened | kernel late by, s | TR, s";
    let _ = writeln!(text, "### {title}\n\n| {head} | {} |", columns.join(" | "));
    let _ = writeln!(text, "|{}", "---|".repeat(6 + columns.len()));
    for result in results {
        let _ = writeln!(text, "| {} | {} |", labels(&result.scenario).join(" | "), cells(result).join(" | "));
    }
    text.push('\n');
}

fn labels(scenario: &Scenario) -> [String; 6] {
    let recording = &scenario.recording;
    let activity = match recording.activity {
        Activity::Spikes => "spikes",
        Activity::Blocks => "blocks",
        Activity::Autoregressive => "AR(1)",
    };
    let whitening = match scenario.whitening {
        Whitening::None => "no",
        Whitening::Known => "true rho",
        Whitening::Evidence => "evidence",
    };
    let [snr, rho, lag, tr] = [recording.snr, recording.rho, scenario.lag_s, recording.tr_s].map(|v| v.to_string());
    [activity.to_owned(), snr, rho, whitening.to_owned(), lag, tr]
}

fn two(mean: Mean) -> String {
    format!("{:.2}", mean.value)
}
