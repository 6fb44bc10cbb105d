//! One model of a subject: what it did to the runs, its contrasts, designs, tables and figures.

use super::ReportOptions;
use super::contrast::{ShownContrast, Stage};
use super::correlation;
use super::courses::{motion, regressors};
use super::design::SavedDesign;
use super::figures::{drawing, picture};
use super::html::Html;
use super::quantity::{counted, decimal, significant};
use super::saved::{Level, Saved, SavedFile, Volume};
use super::settings::of_model;
use super::summary;
use super::table::{self, Align, Table, facts};
use super::viewer::Viewer;
use crate::error::Diagnostics;
use crate::outputs::design_sidecar::{DesignColumn, DesignSidecar, Role};
use crate::outputs::picture::{Mosaic, Outline};
use rayon::prelude::*;

/// Rows of a saved table that are shown.
const MOST_ROWS: usize = 200;

/// The sections of a subject's models; viewers are numbered over the page.
pub(super) struct Models<'a> {
    pub(super) saved: &'a Saved<'a>,
    pub(super) options: ReportOptions,
    pub(super) n_viewers: usize,
}

impl<'a> Models<'a> {
    /// The section of a model.
    pub(super) fn section(&mut self, model: &str) -> Html {
        let saved: &'a Saved<'a> = self.saved;
        let files: Vec<&SavedFile> = saved.files.iter().filter(|file| file.model == model).collect();
        let mut html = match of_model(&saved.manifest.key.settings, model) {
            Some((_, pairs)) => facts(pairs),
            None => Html::default(),
        };
        for level in groups(&files) {
            html.push(self.group(model, &files, &level));
        }
        html.push(file_list(&files));
        html
    }

    fn group(&mut self, model: &str, files: &[&SavedFile], level: &Level) -> Html {
        let own: Vec<&SavedFile> = files.iter().copied().filter(|file| file.level == *level).collect();
        let find = |suffix: &str, entities: &[(&str, &str)]| own.iter().copied().find(|file| file.is(suffix, entities));
        let mut html = Html::default();
        if !level.name().is_empty() {
            html.push(Html::element("h3", &[], Html::text(&level.name())));
        }
        if let Some(value) = find("summary.json", &[]).and_then(|file| self.saved.json(file)) {
            html.push(summary::html(&value));
        }
        let read = |suffix, entities: &[(&str, &str)]| find(suffix, entities).and_then(|file| self.saved.volume(file));
        let mask = read("mask.nii.gz", &[("desc", "brain")]);
        let mean = read("boldref.nii.gz", &[("stat", "mean")]);
        let tsnr = read("boldref.nii.gz", &[("stat", "tsnr")]);
        if let Some(mask) = &mask {
            html.push(images(mask, mean.as_ref(), tsnr.as_ref()));
        }
        html.push(self.contrasts(model, files, level, mask.as_ref(), mean.as_ref()));
        html.push(self.tables_and_figures(&own));
        let runs: Vec<Level> = {
            let mut levels: Vec<Level> =
                files.iter().map(|file| file.level.clone()).filter(|other| other.is_beside(level)).collect();
            levels.sort();
            levels.dedup();
            levels.retain(|other| other == level || level.run.is_none());
            levels
        };
        let mut is_first = true;
        for run in &runs {
            let of_run: Vec<&SavedFile> = files.iter().copied().filter(|file| file.level == *run).collect();
            if let Some(design) = SavedDesign::read(self.saved, &of_run) {
                html.push(self.design(run, &design, is_first));
                is_first = false;
            }
        }
        html
    }

    fn contrasts(
        &mut self,
        model: &str,
        files: &[&SavedFile],
        level: &Level,
        mask: Option<&Volume>,
        mean: Option<&Volume>,
    ) -> Html {
        let Some(mask) = mask else { return Html::default() };
        let inside: Vec<bool> = mask.values.iter().map(|value| *value != 0.0).collect();
        let background = mean.filter(|mean| mean.values.len() == mask.values.len()).unwrap_or(mask);
        let threshold = self.options.threshold;
        let stage = Stage { saved: self.saved, files, level, background, inside: &inside, threshold };
        let viewer = if self.options.viewer { Viewer::new(self.n_viewers, background, &inside) } else { None };
        let names = stage.contrasts();
        // a map is held while its section is made, so that many contrasts take no more memory than a few
        let shown = names.par_iter().enumerate().map(|(number, name)| {
            // notes of its own: their order on the page must not be that in which threads come to them
            let own = self.saved.apart();
            let shown = Stage { saved: &own, ..stage }.shown(name, viewer.as_ref(), number);
            (shown, own.problems())
        });
        let (shown, problems): (Vec<Option<ShownContrast>>, Vec<Diagnostics>) = shown.unzip();
        for of_contrast in problems {
            self.saved.note(of_contrast);
        }
        let shown: Vec<ShownContrast> = shown.into_iter().flatten().collect();
        let mut html = Html::default();
        if shown.is_empty() {
            return html;
        }
        let (maps, sections): (Vec<_>, Vec<_>) = shown.into_iter().map(|shown| (shown.map, shown.html)).unzip();
        if let Some(viewer) = viewer {
            self.n_viewers += 1;
            let title = format!("{model} {}", level.name());
            let maps: Vec<_> = maps.into_iter().flatten().collect();
            html.push(viewer.html(title.trim(), &maps, threshold));
        }
        html.push(Html::element("h3", &[], Html::text("Contrasts")));
        for section in sections {
            html.push(section);
        }
        html
    }

    fn design(&self, level: &Level, design: &SavedDesign<'_>, open: bool) -> Html {
        let mut html = Html::default();
        if let Some(svg) = design.figure.and_then(|file| self.saved.bytes(file)) {
            let alt = "design matrix as a heat map, a column a regressor, time downwards";
            let caption = "Design matrix: a column a regressor, time downwards in frames; each column coloured by its own largest absolute value.";
            html.push(drawing(&svg, alt, caption));
        }
        if design.sidecar.is_none() && design.table.is_some() {
            html.push(Html::paragraph(
                "note",
                "What each column is for, events and contrasts are not saved beside this design.",
            ));
        }
        let whole = design.design();
        if let (Some(whole), Some(sidecar)) = (&whole, &design.sidecar) {
            if let Some((figure, caption)) = regressors(whole, sidecar) {
                html.push(drawing(figure.svg().as_bytes(), "task regressors over time with their events", &caption));
            }
            html.push(weights(sidecar));
            html.push(correlation::inflation(whole));
            html.push(correlation::efficiency(sidecar));
            html.push(correlation::influential(whole));
            html.push(correlation::map(whole));
        }
        if let Some(motion) = motion(design) {
            html.push(facts(motion.facts));
            html.push(drawing(motion.figure.svg().as_bytes(), "head motion over time", &motion.caption));
        }
        let name = level.name();
        let is_task = |column: &DesignColumn| column.role == Role::Task;
        let has_task = design.sidecar.as_ref().is_none_or(|sidecar| sidecar.columns.iter().any(is_task));
        let what = if has_task { "Design" } else { "Drift and confounds" };
        let title = if name.is_empty() { what.to_owned() } else { format!("{what} of {name}") };
        let mut details = Html::element("summary", &[], Html::text(&title));
        details.push(html);
        Html::element("details", if open { &[("open", "")] } else { &[] }, details)
    }

    fn tables_and_figures(&self, own: &[&SavedFile]) -> Html {
        let mut html = Html::default();
        for file in own.iter().filter(|file| file.suffix == "stats.tsv" && !is_of_whiteness(file)) {
            if let Some((columns, rows)) = self.saved.table(file) {
                html.push(table::saved(&described(file), &columns, &rows, MOST_ROWS));
            }
        }
        for file in own {
            let alt = described(file);
            match file.suffix.as_str() {
                "timeseries.svg" | "stats.svg" => {
                    if let Some(svg) = self.saved.bytes(file) {
                        html.push(drawing(&svg, &alt, caption_of(file)));
                    }
                }
                "bold.png" => {
                    if let Some(png) = self.saved.bytes(file) {
                        html.push(picture(&png, &alt, "The middle slice before and after, in one scale of greys."));
                    }
                }
                _ => {}
            }
        }
        if html.is_empty() {
            return html;
        }
        let mut with_heading = Html::element("h3", &[], Html::text("Tables and figures"));
        with_heading.push(html);
        with_heading
    }
}

/// Whether a table or figure is of the spectrum of residuals; the table says what the figure shows.
fn is_of_whiteness(file: &SavedFile) -> bool {
    file.entity("desc") == Some("whiteness")
}

fn caption_of(file: &SavedFile) -> &'static str {
    if is_of_whiteness(file) {
        "Spectrum of the whitened residuals over that of white noise after the same design, mean over voxels: at 1 \
         throughout where the noise model fits. Above 1 where the task is, p values are too small; below 1, too large."
    } else {
        ""
    }
}

/// What a table or figure holds, by its name.
fn described(file: &SavedFile) -> String {
    let named = |key: &str, what: &str| file.entity(key).map(|label| format!("{what} {label}"));
    let parts = [named("contrast", "contrast"), named("label", "regions"), named("desc", "")];
    let said: Vec<String> = parts.into_iter().flatten().map(|part| part.trim().to_owned()).collect();
    if said.is_empty() { file.name().to_owned() } else { said.join(", ") }
}

/// The levels that stand for themselves: groups of runs, and runs that are in none.
fn groups(files: &[&SavedFile]) -> Vec<Level> {
    let mut levels: Vec<Level> = files.iter().map(|file| file.level.clone()).collect();
    levels.sort();
    levels.dedup();
    let of_group = |level: &&Level| {
        level.run.is_none() || !levels.iter().any(|other| other.run.is_none() && other.is_beside(level))
    };
    levels.iter().filter(of_group).cloned().collect()
}

/// The mask on the mean image, and the temporal signal-to-noise ratio.
fn images(mask: &Volume, mean: Option<&Volume>, tsnr: Option<&Volume>) -> Html {
    let inside: Vec<bool> = mask.values.iter().map(|value| *value != 0.0).collect();
    let fits = |volume: &&Volume| volume.values.len() == inside.len();
    let n_inside = inside.iter().filter(|inside| **inside).count();
    let size: Vec<String> = mask.grid.voxel_sizes_mm().iter().map(|mm| significant(*mm, 3)).collect();
    let [x, y, z] = mask.grid.shape;
    let mut pairs = vec![
        ("voxels analysed", super::quantity::count(n_inside)),
        ("grid", format!("{x} × {y} × {z} voxels of {} mm", size.join(" × "))),
    ];
    let mut html = Html::default();
    let background: Vec<f32> = match mean.filter(fits) {
        Some(mean) => mean.values.clone(),
        None => inside.iter().map(|inside| if *inside { 0.4 } else { 0.0 }).collect(),
    };
    if let Ok(png) = (Outline { grid: &mask.grid, background: &background, inside: &inside }).png() {
        let what =
            if mean.is_some() { "the mean image over time (saved within the mask)" } else { "the analysed voxels" };
        let caption = format!("Edge of the mask (orange) on {what}.");
        html.push(picture(&png, "edge of the mask on axial slices of the mean image", &caption));
    }
    if let Some(tsnr) = tsnr.filter(fits) {
        let mut values: Vec<f32> = tsnr
            .values
            .iter()
            .zip(&inside)
            .filter(|(value, inside)| **inside && value.is_finite())
            .map(|(value, _)| *value)
            .collect();
        values.sort_by(f32::total_cmp);
        if let Some(median) = values.get(values.len() / 2) {
            pairs.push(("median temporal SNR", decimal(f64::from(*median), 1)));
        }
        let none = vec![0.0; tsnr.values.len()];
        let mosaic = Mosaic { grid: &tsnr.grid, background: &tsnr.values, statistic: &none, threshold: f32::MAX };
        if let Ok(png) = mosaic.png() {
            let top = values.get(values.len().saturating_sub(1) * 99 / 100).copied().unwrap_or_default();
            let caption = format!(
                "Temporal signal-to-noise ratio: mean over standard deviation in time, black 0, white {} and above.",
                decimal(f64::from(top), 0)
            );
            html.push(picture(&png, "temporal signal-to-noise ratio on axial slices", &caption));
        }
    }
    let mut all = facts(pairs);
    all.push(Html::element("div", &[("class", "pair")], html));
    all
}

/// The weights of each contrast in the columns of a run's design.
fn weights(sidecar: &DesignSidecar) -> Html {
    let weighted: Vec<usize> = (0..sidecar.columns.len())
        .filter(|&column| {
            let of_row = |row: &Vec<f64>| row.get(column).is_some_and(|weight| *weight != 0.0);
            sidecar.contrasts.iter().flat_map(|contrast| &contrast.weights).any(of_row)
        })
        .collect();
    if weighted.is_empty() {
        return Html::default();
    }
    let mut headings = vec![("contrast", Align::Left), ("kind", Align::Left)];
    headings.extend(weighted.iter().map(|&column| (sidecar.columns[column].name.as_str(), Align::Right)));
    let mut table = Table::new("Weights of the contrasts; columns without any are left out", &headings);
    for contrast in &sidecar.contrasts {
        for (number, row) in contrast.weights.iter().enumerate() {
            let name = if number == 0 { contrast.name.as_str() } else { "" };
            let kind = match contrast.kind {
                crate::config::ContrastKind::T => "t",
                crate::config::ContrastKind::F => "F",
            };
            let mut cells = vec![Html::text(name), Html::text(kind)];
            let weight = |column: &usize| row.get(*column).copied().unwrap_or_default();
            cells.extend(weighted.iter().map(|column| Html::text(&significant(weight(column), 4))));
            table.row(cells);
        }
    }
    table.html()
}

/// Every file of the model, to be followed.
fn file_list(files: &[&SavedFile]) -> Html {
    let item = |file: &&SavedFile| {
        let link = Html::element("a", &[("href", file.path.as_str())], Html::text(file.name()));
        Html::element("li", &[], link)
    };
    let mut details =
        Html::element("summary", &[], Html::text(&format!("{} of this model", counted(files.len(), "file"))));
    details.push(Html::element("ul", &[("class", "files")], files.iter().map(item).collect()));
    Html::element("details", &[], details)
}
