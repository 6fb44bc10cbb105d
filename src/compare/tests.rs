//! What `compare` finds, and how it says it.

use super::*;
use crate::inputs::{Grid, Support};
use crate::outputs::{FrameWriter, Geometry, ImageDescription, Intent, SeriesAxis, write_map};
use std::fs;

struct Pair(tempfile::TempDir);

impl Pair {
    fn new() -> Self {
        let pair = Self(tempfile::tempdir().unwrap());
        for side in pair.sides() {
            fs::create_dir(side).unwrap();
        }
        pair
    }

    fn sides(&self) -> [PathBuf; 2] {
        ["a", "b"].map(|side| self.0.path().join(side))
    }

    fn write(&self, name: &str, contents: [&[u8]; 2]) {
        for (side, content) in self.sides().iter().zip(contents) {
            let path = side.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    fn compare(&self) -> Result<Comparison, Diagnostics> {
        let [a, b] = self.sides();
        compare(&a, &b, Tolerance::default())
    }

    /// The report, or the problems, without the machine's paths.
    fn shown(&self) -> String {
        let shown = self.compare().map_or_else(|problems| problems.to_string(), |found| found.to_string());
        shown.replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn geometry(step_mm: f32) -> Geometry {
    let raw = nifti::NiftiHeader {
        srow_x: [step_mm, 0.0, 0.0, 0.0],
        srow_y: [0.0, 3.0, 0.0, 0.0],
        srow_z: [0.0, 0.0, 3.0, 0.0],
        sform_code: 1,
        ..Default::default()
    };
    let mut affine = [[0.0; 4]; 4];
    (affine[0][0], affine[1][1], affine[2][2], affine[3][3]) = (f64::from(step_mm), 3.0, 3.0, 1.0);
    Geometry { raw, grid: Grid { shape: [3, 2, 2], affine } }
}

fn map(values: &[f64], intent: Intent, step_mm: f32) -> Vec<u8> {
    let geometry = geometry(step_mm);
    let support = Support::Voxels { grid: geometry.grid.clone(), index: vec![0, 4, 11] };
    let description =
        ImageDescription { intent, intent_name: String::new(), description: String::new(), compression_level: 1 };
    write_map(Vec::new(), &geometry, &support, &description, values).unwrap()
}

fn t(values: &[f64]) -> Vec<u8> {
    map(values, Intent::Ttest { dof: 97.0 }, 3.0)
}

#[test]
fn equal_folders_are_equal() {
    let pair = Pair::new();
    pair.write("m/a.nii.gz", [&t(&[1.0, f64::NAN, 3.0]), &t(&[1.000_000_5, f64::NAN, 3.0])]);
    pair.write("m/a.tsv", [b"x\ty\n1.0\tn/a\n", b"x\ty\n1.0000001\tn/a\n"]);
    pair.write("m/a.json", [br#"{"a": 1, "b": [0.1]}"#, br#"{"b": [0.10000001], "a": 1.0}"#]);
    pair.write(".bidsignore", [b"*\n", b"*\n"]);
    pair.write(".boldly/manifests/sub-01.json", [b"1", b"2"]);
    let found = pair.compare().unwrap();
    assert!(found.is_equal());
    assert_eq!(found.files.iter().map(|file| file.n_values).sum::<usize>(), 12 + 2 + 2 + 2);
    insta::assert_snapshot!(pair.shown(), @r"
    4 files compared, 0 different (tolerance: the larger of 1e-6 and 1e-6 |x|)
    ");
}

#[test]
fn every_kind_of_difference_is_named() {
    let pair = Pair::new();
    pair.write("values.nii.gz", [&t(&[1.5, 2.0, 3.0]), &t(&[1.5, 2.25, 3.00001])]);
    pair.write("nan.nii.gz", [&t(&[1.5, 2.0, f64::NAN]), &t(&[1.6, 2.0, 3.0])]);
    pair.write("dof.nii.gz", [&t(&[1.0; 3]), &map(&[1.0; 3], Intent::Ttest { dof: 98.0 }, 3.0)]);
    pair.write("silent.nii.gz", [&t(&[1.0; 3]), &map(&[1.0; 3], Intent::None, 3.0)]);
    pair.write("grid.nii.gz", [&t(&[1.0; 3]), &map(&[1.0; 3], Intent::Ttest { dof: 97.0 }, 3.5)]);
    pair.write("cell.tsv", [b"name\tx\nV1\t1.0\nV2\t2.0\n", b"name\tx\nV1\t1.0\nV2\t2.1\n"]);
    pair.write("word.tsv", [b"name\tx\nV1\t1.0\n", b"name\tx\nV2\tn/a\n"]);
    pair.write("columns.tsv", [b"x\ty\n", b"x\tz\n"]);
    pair.write("rows.tsv", [b"x\n1\n", b"x\n1\n2\n"]);
    pair.write("entry.json", [br#"{"a": {"b/c": [1, 2]}, "d": "x"}"#, br#"{"a": {"b/c": [1, 2.5]}, "d": "x"}"#]);
    pair.write("missing.json", [br#"{"a": 1, "b": 2}"#, br#"{"a": 1}"#]);
    pair.write("design.svg", [b"<svg/>", b"<svg>"]);
    let [a, b] = pair.sides();
    fs::write(a.join("old.tsv"), "x\n").unwrap();
    fs::write(b.join("new.tsv"), "x\n").unwrap();
    assert!(!pair.compare().unwrap().is_equal());
    insta::assert_snapshot!(pair.shown(), @r"
    cell.tsv: 1 of 4 cells differs, most at line 3, column `x`: 2.0 and 2.1, 1.000e-1 apart, 2.100e-6 allowed
    columns.tsv: the columns differ
      a: x, y
      b: x, z
    design.svg: 2 of 6 bytes differ, first at byte 4: 0x2f and 0x3e
    dof.nii.gz: the statistics differ
      a: t with 97 degrees of freedom
      b: t with 98 degrees of freedom
    entry.json: 1 of 3 entries differs, most at /a/b~1c/1: 2.0 and 2.5, 5.000e-1 apart, 2.500e-6 allowed
    grid.nii.gz: the grids differ
      a: 3x2x2 voxels of 3.000x3.000x3.000 mm, affine [3.0000 0.0000 0.0000 0.0000] [0.0000 3.0000 0.0000 0.0000] [0.0000 0.0000 3.0000 0.0000]
      b: 3x2x2 voxels of 3.500x3.000x3.000 mm, affine [3.5000 0.0000 0.0000 0.0000] [0.0000 3.0000 0.0000 0.0000] [0.0000 0.0000 3.0000 0.0000]
    missing.json: 1 of 2 entries differs, most at /b: 2 and nothing
    nan.nii.gz: 2 of 12 voxels differ, most at voxel (2, 1, 1): NaN and 3.0
    rows.tsv: the numbers of rows differ
      a: 1
      b: 2
    values.nii.gz: 2 of 12 voxels differ, most at voxel (1, 1, 0): 2.0 and 2.25, 2.500e-1 apart, 2.250e-6 allowed
    word.tsv: 2 of 2 cells differ, most at line 2, column `name`: V1 and V2
    old.tsv: only in a
    new.tsv: only in b
    12 files compared, 11 different, 1 only in a, 1 only in b (tolerance: the larger of 1e-6 and 1e-6 |x|)
    ");
    let json = serde_json::to_value(pair.compare().unwrap()).unwrap();
    let file = json["files"].as_array().unwrap().iter().find(|file| file["name"] == "values.nii.gz").unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&file["difference"]).unwrap(), @r#"
    {
      "values": {
        "n_different": 2,
        "worst": {
          "place": {
            "voxel": {
              "ijk": [
                1,
                1,
                0
              ],
              "volume": null
            }
          },
          "a": "2.0",
          "b": "2.25",
          "apart": 0.25,
          "allowed": 2.25e-6
        }
      }
    }
    "#);
}

#[test]
fn volumes_are_counted_and_named() {
    let series = |values: &[f64]| {
        let geometry = geometry(3.0);
        let support = Support::Voxels { grid: geometry.grid.clone(), index: vec![7] };
        let description = ImageDescription {
            intent: Intent::None,
            intent_name: String::new(),
            description: String::new(),
            compression_level: 1,
        };
        let axis = SeriesAxis { n_frames: values.len(), tr_s: Some(2.0) };
        let mut writer = FrameWriter::new(Vec::new(), &geometry, &support, &description, axis).unwrap();
        for value in values {
            writer.push(&[*value]).unwrap();
        }
        writer.finish().unwrap()
    };
    let pair = Pair::new();
    pair.write("frame.nii.gz", [&series(&[1.0, 2.0, 3.0]), &series(&[1.0, 2.0, 3.5])]);
    pair.write("length.nii.gz", [&series(&[1.0, 2.0, 3.0]), &series(&[1.0, 2.0])]);
    insta::assert_snapshot!(pair.shown(), @r"
    frame.nii.gz: 1 of 36 voxels differs, most at voxel (1, 0, 1) of volume 2: 3.0 and 3.5, 5.000e-1 apart, 3.500e-6 allowed
    length.nii.gz: the numbers of volumes differ
      a: 3
      b: 2
    2 files compared, 2 different (tolerance: the larger of 1e-6 and 1e-6 |x|)
    ");
}

#[test]
fn digests_of_outputs_and_versions_are_passed_over_and_digests_of_inputs_are_not() {
    let provenance = |version: &str, output: &str, input: &str| {
        format!(
            r#"{{"boldly": "{version}", "versions": {{"openblas": "{version}"}}, "subjects": {{"sub-01": {{
            "boldly": "{version}", "inputs": {{"bold.nii.gz": "{input}"}},
            "outputs": {{"m/x.nii.gz": {{"bytes": {output}, "sha256": "{output}"}}}}}}}}}}"#
        )
    };
    let pair = Pair::new();
    pair.write("provenance.json", [provenance("1", "10", "a").as_bytes(), provenance("2", "11", "a").as_bytes()]);
    let sidecar = |version: &str| format!(r#"{{"GeneratedBy": [{{"Name": "boldly", "Version": "{version}"}}]}}"#);
    pair.write("a.json", [sidecar("1").as_bytes(), sidecar("2").as_bytes()]);
    assert!(pair.compare().unwrap().is_equal(), "{}", pair.shown());
    pair.write("provenance.json", [provenance("1", "10", "a").as_bytes(), provenance("1", "10", "b").as_bytes()]);
    insta::assert_snapshot!(pair.shown(), @r#"
    provenance.json: 1 of 1 entries differs, most at /subjects/sub-01/inputs/bold.nii.gz: "a" and "b"
    2 files compared, 1 different (tolerance: the larger of 1e-6 and 1e-6 |x|)
    "#);
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let pair = Pair::new();
    let [a, b] = pair.sides();
    let problem = |a: &Path, b: &Path, tolerance| {
        let problems = compare(a, b, tolerance).unwrap_err().to_string();
        problems.replace(&format!("{}/", pair.0.path().display()), "")
    };
    let mut shown = vec![problem(&a, &b, Tolerance::default())];
    pair.write("x.json", [b"{", b"[1"]);
    pair.write("y.nii.gz", [b"not gzip", &t(&[1.0; 3])]);
    pair.write("z.tsv", [b"x\ty\n1\n", b"x\ty\n1\t2\n"]);
    shown.push(problem(&a, &b, Tolerance::default()));
    shown.push(problem(&a, &b.join("x.json"), Tolerance::default()));
    shown.push(problem(&a.join("x.json"), &b.join("z.tsv"), Tolerance::default()));
    shown.push(problem(&a, &b.join("none"), Tolerance::default()));
    shown.push(problem(&a, &b, Tolerance { atol: -1.0, rtol: f64::NAN }));
    insta::assert_snapshot!(shown.join("----\n"), @r"
    error[compare-nothing]: neither `a` nor `b` holds a file
    ----
    error[compare-unreadable]: cannot read `a/x.json`: EOF while parsing an object at line 1 column 1
     --> a/x.json

    error[compare-unreadable]: cannot read `b/x.json`: EOF while parsing a list at line 1 column 2
     --> b/x.json

    error[image-not-nifti]: not a NIfTI image: 8 bytes, but a header has 348
     --> a/y.nii.gz

    error[compare-unreadable]: cannot read `a/z.tsv`: CSV error: record 1 (line: 2, byte: 4): found record with 1 fields, but the previous record has 2 fields
     --> a/z.tsv
    ----
    error[compare-kinds]: `a` is a folder and `b/x.json` a file
       = hint: compare two files, or two folders
    ----
    error[compare-kinds]: `a/x.json` and `b/z.tsv` are files of different kinds
       = hint: compare two images, two tables or two JSON files
    ----
    error[compare-unreadable]: cannot read `b/none`: No such file or directory (os error 2)
     --> b/none
    ----
    error[compare-tolerance]: the absolute tolerance is -1
       = note: expected: zero or more

    error[compare-tolerance]: the relative tolerance is NaN
       = note: expected: zero or more
    ");
}

#[test]
fn two_files_are_compared_whatever_their_names() {
    let pair = Pair::new();
    let [a, b] = pair.sides();
    fs::write(a.join("one.tsv"), "x\n1\n").unwrap();
    fs::write(b.join("two.csv"), "x\n1\n").unwrap();
    assert!(compare(&a.join("one.tsv"), &b.join("two.csv"), Tolerance::default()).unwrap().is_equal());
}
