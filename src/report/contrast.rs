//! One contrast over a group of runs: pictures of its z map, its distribution, its clusters and peaks.

use super::figures::{block, canvas, hexadecimal, label, picture};
use super::histogram::histogram;
use super::html::Html;
use super::quantity::{count, counted, decimal, significant};
use super::saved::{Level, Saved, SavedFile, Volume};
use super::table::{self, Align, Table, facts};
use super::viewer::Viewer;
use crate::config::Neighbours;
use crate::inference::threshold::{Cluster, clusters};
use crate::outputs::picture::{Mosaic, Projections, statistic_colour};
use serde::Deserialize;
use serde_json::Value;

/// Clusters listed at most, and peaks of each.
const LISTED: usize = 25;
const PEAKS: usize = 3;

/// What the sidecar of a map says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct MapSidecar {
    units: String,
    contrast: Option<ContrastSidecar>,
    degrees_of_freedom: Vec<f64>,
    degrees_of_freedom_vary: bool,
    runs: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ContrastSidecar {
    kind: String,
    expression: Vec<String>,
}

/// A contrast that is shown.
pub(super) struct ShownContrast {
    /// Its z map for the viewer, where there is one; of an F without what is below zero, which is no evidence.
    pub(super) map: Option<Value>,
    /// Its section of the page.
    pub(super) html: Html,
}

/// What contrasts of a group are shown with.
#[derive(Clone, Copy)]
pub(super) struct Stage<'a> {
    pub(super) saved: &'a Saved<'a>,
    /// All files of the model.
    pub(super) files: &'a [&'a SavedFile],
    /// The group.
    pub(super) level: &'a Level,
    /// The mean image, or what stands for it, on the grid of the maps.
    pub(super) background: &'a Volume,
    /// Whether each voxel is in the mask.
    pub(super) inside: &'a [bool],
    /// Absolute z above which a voxel is shown and counted.
    pub(super) threshold: f32,
}

impl Stage<'_> {
    fn find(&self, level: &Level, contrast: &str, stat: &str, suffix: &str) -> Option<&SavedFile> {
        let entities = [("contrast", contrast), ("stat", stat)];
        self.files.iter().copied().find(|file| file.level == *level && file.is(suffix, &entities))
    }

    fn sidecar(&self, contrast: &str, stat: &str) -> Option<MapSidecar> {
        self.find(self.level, contrast, stat, "statmap.json").and_then(|file| self.saved.json(file))
    }

    /// Names of the contrasts that have a z map, in the order of the names.
    pub(super) fn contrasts(&self) -> Vec<String> {
        let of_level = self.files.iter().filter(|file| file.level == *self.level && file.suffix == "statmap.nii.gz");
        let maps = of_level.filter(|file| file.entity("stat") == Some("z") && file.entity("desc").is_none());
        maps.filter_map(|file| file.entity("contrast").map(str::to_owned)).collect()
    }

    /// The section of a contrast; `None` where its z map cannot be read. `viewer` is the group's, where there is one, and
    /// `number` that of the contrast in it.
    pub(super) fn shown(&self, contrast: &str, viewer: Option<&Viewer<'_>>, number: usize) -> Option<ShownContrast> {
        let map = self.find(self.level, contrast, "z", "statmap.nii.gz")?;
        let mut z = self.saved.volume(map)?;
        if z.values.len() != self.background.values.len() {
            return None;
        }
        let sidecar = self.sidecar(contrast, "z").unwrap_or_default();
        let kind = sidecar.contrast.as_ref().map_or("", |contrast| contrast.kind.as_str()).to_owned();
        let is_f = kind == "F";
        let found = self.clusters(&z);
        // large values of an F are evidence, small ones are not
        let found: Vec<Cluster> =
            found.into_iter().filter(|cluster| !is_f || cluster.peaks.iter().any(|peak| peak.value > 0.0)).collect();
        let histogram = self.histogram(&z);
        let facts = self.facts(contrast, &kind, &sidecar, &z, &found);
        if is_f {
            z.values.iter_mut().for_each(|value| *value = value.max(0.0));
        }
        let mut html = Html::element("h4", &[], Html::text(contrast));
        html.push(facts);
        html.push(self.pictures(contrast, &z, histogram));
        html.push(self.cluster_table(contrast, &found, &z, viewer.map(|viewer| (viewer.number(), number))));
        html.push(self.declared_tables(contrast));
        html.push(self.run_table(contrast));
        let html = Html::element("article", &[("class", "contrast")], html);
        Some(ShownContrast { map: viewer.map(|viewer| viewer.map(number, contrast, &z.values)), html })
    }

    fn clusters(&self, z: &Volume) -> Vec<Cluster> {
        let every_voxel: Vec<u32> = (0..z.values.len() as u32).collect();
        let values: Vec<f64> = z.values.iter().copied().map(f64::from).collect();
        let height = f64::from(self.threshold);
        clusters(&z.grid, &every_voxel, &values, |z| z.abs() > height, Neighbours::Edges, PEAKS)
    }

    fn facts(&self, contrast: &str, kind: &str, sidecar: &MapSidecar, z: &Volume, found: &[Cluster]) -> Html {
        let statistic = self.sidecar(contrast, if kind == "F" { "F" } else { "t" });
        let expression = sidecar.contrast.as_ref().map(|contrast| contrast.expression.join("; ")).unwrap_or_default();
        let dof = statistic.map(|statistic| {
            let shown: Vec<String> = statistic.degrees_of_freedom.iter().map(|dof| significant(*dof, 5)).collect();
            let vary = if statistic.degrees_of_freedom_vary { " (median over voxels)" } else { "" };
            format!("{}{vary}", shown.join(", "))
        });
        let values = || z.values.iter().copied().filter(|value| value.is_finite());
        let (low, high) = values().fold((0.0_f32, 0.0_f32), |(low, high), value| (low.min(value), high.max(value)));
        let above: usize = found.iter().map(|cluster| cluster.members.len()).sum();
        let mut pairs = vec![("expression", format!("{expression} ({kind})"))];
        pairs.extend(dof.map(|dof| ("degrees of freedom", dof)));
        pairs.push(("z from", format!("{} to {}", decimal(f64::from(low), 2), decimal(f64::from(high), 2))));
        let sign = if kind == "F" { "z" } else { "|z|" };
        let clusters = counted(found.len(), "cluster");
        pairs.push((
            "beyond the threshold",
            format!("{} with {sign} > {}, {clusters}", counted(above, "voxel"), self.threshold),
        ));
        if sidecar.runs.len() > 1 {
            pairs.push(("runs", count(sidecar.runs.len())));
        }
        facts(pairs)
    }

    fn histogram(&self, z: &Volume) -> Html {
        let in_mask: Vec<f32> =
            z.values.iter().zip(self.inside).filter(|(_, inside)| **inside).map(|(value, _)| *value).collect();
        histogram(&in_mask, self.threshold)
    }

    fn pictures(&self, contrast: &str, z: &Volume, histogram: Html) -> Html {
        let mosaic = Mosaic {
            grid: &z.grid,
            background: &self.background.values,
            statistic: &z.values,
            threshold: self.threshold,
        };
        let strongest = mosaic.strongest();
        let projections = Projections {
            grid: &z.grid,
            background: &self.background.values,
            statistic: &z.values,
            threshold: self.threshold,
            strongest,
        };
        let mut html = Html::default();
        if let Ok(png) = mosaic.png() {
            let alt = format!("z map of {contrast} on axial slices of the mean image");
            let caption = "Axial slices of the mean image from inferior to superior, the left of the head on the left.";
            html.push(picture(&png, &alt, caption));
        }
        let mut side = Html::default();
        if let Ok(png) = projections.png() {
            let alt = format!("strongest z of {contrast} along three lines of sight");
            let caption = "Strongest z along the line of sight: sagittal (anterior on the right), coronal and axial (left on the left).";
            side.push(picture(&png, &alt, caption));
        }
        side.push(colour_bar(self.threshold, strongest));
        side.push(histogram);
        html.push(Html::element("div", &[("class", "beside")], side));
        Html::element("div", &[("class", "pair")], html)
    }

    fn cluster_table(&self, contrast: &str, found: &[Cluster], z: &Volume, viewer: Option<(usize, usize)>) -> Html {
        if found.is_empty() {
            let text = format!("No voxel is beyond the threshold of {}.", self.threshold);
            return Html::paragraph("note", &text);
        }
        let effect = self
            .find(self.level, contrast, "effect", "statmap.nii.gz")
            .and_then(|file| self.saved.volume(file))
            .filter(|effect| effect.values.len() == z.values.len());
        let units = self.sidecar(contrast, "effect").map(|sidecar| sidecar.units).unwrap_or_default();
        let effect_heading = format!("effect ({units})");
        let mut headings = vec![
            ("cluster", Align::Right),
            ("voxels", Align::Right),
            ("mm³", Align::Right),
            ("x (mm)", Align::Right),
            ("y (mm)", Align::Right),
            ("z (mm)", Align::Right),
            ("peak z", Align::Right),
        ];
        if effect.is_some() {
            headings.push((&effect_heading, Align::Right));
        }
        if viewer.is_some() {
            headings.push(("", Align::Left));
        }
        let caption = format!(
            "Clusters with |z| > {} (uncorrected, 18 neighbours, each sign by itself) and up to three peaks of each, more than 8 mm apart",
            self.threshold
        );
        let mut table = Table::new(&caption, &headings);
        let voxel_mm3 = z.grid.voxel_sizes_mm().iter().product::<f64>();
        for (number, cluster) in found.iter().take(LISTED).enumerate() {
            for (at, peak) in cluster.peaks.iter().enumerate() {
                let mut cells: Vec<String> = if at == 0 {
                    let mm3 = count((cluster.members.len() as f64 * voxel_mm3).round() as usize);
                    vec![(number + 1).to_string(), count(cluster.members.len()), mm3]
                } else {
                    vec![String::new(); 3]
                };
                cells.extend(peak.place_mm.map(|mm| decimal(mm, 1)));
                cells.push(decimal(peak.value, 2));
                cells.extend(effect.as_ref().map(|effect| significant(f64::from(effect.values[peak.voxel]), 3)));
                let mut row: Vec<Html> = cells.iter().map(|cell| Html::text(cell)).collect();
                row.extend(viewer.map(|(viewer, index)| {
                    // for the script: which viewer, which contrast, which place
                    let [x, y, z] = peak.place_mm;
                    let value = format!("{viewer} {index} {x} {y} {z}");
                    let attributes = [("type", "button"), ("class", "go"), ("value", &*value), ("hidden", "")];
                    Html::element("button", &attributes, Html::text("show"))
                }));
                table.row(row);
            }
        }
        let mut html = table.html();
        if found.len() > LISTED {
            html.push(Html::paragraph(
                "note",
                &format!("{} more, all smaller.", counted(found.len() - LISTED, "cluster")),
            ));
        }
        html
    }

    /// What passed the thresholds that were declared.
    fn declared_tables(&self, contrast: &str) -> Html {
        let mut html = Html::default();
        for file in self.files.iter().filter(|file| file.level == *self.level && file.suffix == "clusters.tsv") {
            let Some(name) =
                file.entity("desc").filter(|name| file.is("clusters.tsv", &[("contrast", contrast), ("desc", name)]))
            else {
                continue;
            };
            let Some((columns, rows)) = self.saved.table(file) else { continue };
            let caption = format!("Clusters and peaks of {contrast} beyond the declared threshold {name}");
            if rows.is_empty() {
                html.push(Html::paragraph("note", &format!("Nothing passes the declared threshold {name}.")));
            } else {
                html.push(table::saved(&caption, &columns, &rows, LISTED * PEAKS));
            }
        }
        html
    }

    /// The same contrast in each run, where there are several.
    fn run_table(&self, contrast: &str) -> Html {
        let headings = [
            ("run", Align::Left),
            ("voxels beyond the threshold", Align::Right),
            ("lowest z", Align::Right),
            ("highest z", Align::Right),
        ];
        let mut table = Table::new(&format!("{contrast} in each run"), &headings);
        let of_run = |file: &&&SavedFile| {
            file.level.run.is_some()
                && self.level.run.is_none()
                && file.level.is_beside(self.level)
                && file.is("statmap.nii.gz", &[("contrast", contrast), ("stat", "z")])
        };
        for file in self.files.iter().filter(of_run) {
            let Some(z) = self.saved.volume(file) else { continue };
            let values = || z.values.iter().copied().filter(|value| value.is_finite());
            let (low, high) = values().fold((0.0_f32, 0.0_f32), |(low, high), z| (low.min(z), high.max(z)));
            let above = values().filter(|z| z.abs() > self.threshold).count();
            let cells = [file.level.name(), count(above), decimal(f64::from(low), 2), decimal(f64::from(high), 2)];
            table.row(cells.iter().map(|cell| Html::text(cell)).collect());
        }
        if table.is_empty() { Html::default() } else { table.html() }
    }
}

/// What the colours mean: two scales, beginning at the threshold.
fn colour_bar(threshold: f32, strongest: f32) -> Html {
    const STEPS: usize = 40;
    const WIDTH: f64 = 150.0;
    let mut content = Html::default();
    let side = |content: &mut Html, left: f64, sign: f32| {
        for step in 0..STEPS {
            let share = step as f32 / (STEPS - 1) as f32;
            let z = threshold + share * (strongest - threshold);
            let colour = statistic_colour(sign * z.max(threshold), threshold, strongest).unwrap_or([0; 3]);
            let at = if sign > 0.0 { step } else { STEPS - 1 - step };
            let width = WIDTH / STEPS as f64;
            content.push(block([left + at as f64 * width, 4.0, width + 0.3, 14.0], &hexadecimal(colour)));
        }
    };
    side(&mut content, 10.0, -1.0);
    side(&mut content, 210.0, 1.0);
    let number = |value: f32| decimal(f64::from(value), 1);
    content.push(label(10.0, 34.0, "start", &number(-strongest)));
    content.push(label(160.0, 34.0, "end", &number(-threshold)));
    content.push(label(185.0, 16.0, "middle", "z"));
    content.push(label(210.0, 34.0, "start", &number(threshold)));
    content.push(label(360.0, 34.0, "end", &number(strongest)));
    let alt = format!("colours of z from {} to {} either way", number(threshold), number(strongest));
    Html::element("div", &[("class", "scale")], canvas(370.0, 40.0, &alt, content))
}
