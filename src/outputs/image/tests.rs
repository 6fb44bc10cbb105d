//! What other programs read from an image is what was written.

use super::*;
use flate2::read::MultiGzDecoder;
use nifti::{IntoNdArray, NiftiHeader, NiftiObject, ReaderOptions};
use std::io::Read;

fn geometry() -> Geometry {
    let raw = NiftiHeader {
        pixdim: [-1.0, 3.0, 3.5, 4.0, 2.5, 0.0, 0.0, 0.0],
        xyzt_units: 2 | 16, // mm and msec
        qform_code: 1,
        sform_code: 4,
        quatern_b: 0.25,
        quatern_c: -0.5,
        quatern_d: 0.125,
        quatern_x: 1.5,
        quatern_y: -2.5,
        quatern_z: 3.5,
        srow_x: [-3.0, 0.0, 0.0, 10.0],
        srow_y: [0.0, 3.5, 0.0, -20.0],
        srow_z: [0.0, 0.0, 4.0, 30.0],
        ..NiftiHeader::default()
    };
    let affine = [[-3.0, 0.0, 0.0, 10.0], [0.0, 3.5, 0.0, -20.0], [0.0, 0.0, 4.0, 30.0], [0.0, 0.0, 0.0, 1.0]];
    Geometry { raw, grid: Grid { shape: [4, 3, 2], affine } }
}

fn support() -> Support {
    Support::Voxels { grid: geometry().grid, index: vec![1, 5, 23] }
}

fn describe(intent: Intent) -> ImageDescription {
    ImageDescription {
        intent,
        intent_name: "houseVsFaceAndMore".into(),
        description: "boldly 0.1.0: t of houseVsFace".into(),
        compression_level: 1,
    }
}

fn saved(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nii.gz");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn a_map_reads_back_with_its_space_and_intent() {
    let values = [1.5, -2.25, f64::from(f32::MAX)];
    let intent = Intent::Ttest { dof: 97.0 };
    let bytes = write_map(Vec::new(), &geometry(), &support(), &describe(intent), &values).unwrap();
    let (_folder, path) = saved(&bytes);
    let object = ReaderOptions::new().read_file(&path).unwrap();
    let header = object.header().clone();
    assert_eq!(header.dim, [3, 4, 3, 2, 1, 1, 1, 1]);
    assert_eq!(header.pixdim, [-1.0, 3.0, 3.5, 4.0, 1.0, 1.0, 1.0, 1.0]);
    assert_eq!((header.intent_code, header.intent_p1, header.intent_p2), (3, 97.0, 0.0));
    assert_eq!(&header.intent_name, b"houseVsFaceAndM\0");
    assert_eq!((header.cal_min, header.cal_max), (-f32::MAX, f32::MAX), "symmetric for a t");
    assert_eq!((header.datatype, header.bitpix, header.vox_offset), (16, 32, 352.0));
    assert_eq!((header.scl_slope, header.scl_inter, header.xyzt_units), (1.0, 0.0, 2));
    assert!(header.descrip.starts_with(b"boldly 0.1.0: t of houseVsFace\0"));
    let raw = geometry().raw;
    assert_eq!((header.qform_code, header.sform_code), (1, 4));
    assert_eq!(
        [header.quatern_b, header.quatern_c, header.quatern_d, header.quatern_x, header.quatern_y, header.quatern_z],
        [raw.quatern_b, raw.quatern_c, raw.quatern_d, raw.quatern_x, raw.quatern_y, raw.quatern_z]
    );
    assert_eq!([header.srow_x, header.srow_y, header.srow_z], [raw.srow_x, raw.srow_y, raw.srow_z]);
    let volume = object.into_volume().into_ndarray::<f32>().unwrap();
    assert_eq!((volume[[1, 0, 0]], volume[[1, 1, 0]], volume[[3, 2, 1]]), (1.5, -2.25, f32::MAX));
    assert_eq!(volume.iter().filter(|value| **value != 0.0).count(), 3);
}

#[test]
fn every_intent_has_nifti_s_code_and_p_keeps_double_precision() {
    for (intent, code, parameters) in [
        (Intent::Ftest { numerator_dof: 3.0, denominator_dof: 90.5 }, 4, (3.0, 90.5)),
        (Intent::Zscore, 5, (0.0, 0.0)),
        (Intent::Pvalue, 22, (0.0, 0.0)),
        (Intent::Estimate, 1001, (0.0, 0.0)),
        (Intent::None, 0, (0.0, 0.0)),
    ] {
        let smallest = 1e-300;
        let bytes = write_map(Vec::new(), &geometry(), &support(), &describe(intent), &[smallest, 0.5, 1.0]).unwrap();
        let (_folder, path) = saved(&bytes);
        let object = ReaderOptions::new().read_file(&path).unwrap();
        let header = object.header();
        assert_eq!((header.intent_code, (header.intent_p1, header.intent_p2)), (code, parameters));
        let double = intent == Intent::Pvalue;
        assert_eq!(header.datatype, if double { 64 } else { 16 });
        let volume = object.into_volume().into_ndarray::<f64>().unwrap();
        assert_eq!(volume[[1, 0, 0]], if double { smallest } else { 0.0 });
    }
}

#[test]
fn a_series_streams_frame_by_frame() {
    let axis = SeriesAxis { n_frames: 2, tr_s: Some(2.5) };
    let mut writer = FrameWriter::new(Vec::new(), &geometry(), &support(), &describe(Intent::None), axis).unwrap();
    writer.push(&[1.0_f32, 2.0, 3.0]).unwrap();
    assert!(writer.push(&[1.0_f32]).is_err(), "a frame of another size");
    writer.push(&[-1.0_f64, -2.0, -3.0]).unwrap();
    assert!(writer.push(&[0.0_f32; 3]).is_err(), "a frame too many");
    let (_folder, path) = saved(&writer.finish().unwrap());
    let object = ReaderOptions::new().read_file(&path).unwrap();
    let header = object.header().clone();
    assert_eq!(header.dim, [4, 4, 3, 2, 2, 1, 1, 1]);
    assert_eq!((header.pixdim[4], header.xyzt_units), (2.5, 2 | 8));
    let volume = object.into_volume().into_ndarray::<f32>().unwrap();
    assert_eq!((volume[[1, 1, 0, 0]], volume[[1, 1, 0, 1]], volume[[0, 0, 0, 1]]), (2.0, -2.0, 0.0));

    let short = FrameWriter::new(Vec::new(), &geometry(), &support(), &describe(Intent::None), axis).unwrap();
    assert!(short.finish().is_err(), "frames are missing");
}

#[test]
fn a_mask_is_ones_and_zeros() {
    let bytes = write_mask(Vec::new(), &geometry(), &support(), 1).unwrap();
    let (_folder, path) = saved(&bytes);
    let object = ReaderOptions::new().read_file(&path).unwrap();
    assert_eq!((object.header().datatype, object.header().cal_max), (2, 1.0));
    let volume = object.into_volume().into_ndarray::<u8>().unwrap();
    let ones: Vec<_> = volume.indexed_iter().filter(|(_, value)| **value == 1).map(|(at, _)| at).collect();
    assert_eq!(ones.len(), 3);
    assert_eq!(volume.iter().map(|value| u32::from(*value)).sum::<u32>(), 3);
}

#[test]
fn equal_input_gives_equal_bytes_without_time_or_name() {
    let write =
        || write_map(Vec::new(), &geometry(), &support(), &describe(Intent::Zscore), &[1.0, f64::NAN, -3.0]).unwrap();
    let bytes = write();
    assert_eq!(bytes, write());
    // gzip: no flags (name, comment), time 0
    assert_eq!(&bytes[..8], &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    let mut content = Vec::new();
    MultiGzDecoder::new(&bytes[..]).read_to_end(&mut content).unwrap();
    assert_eq!(content.len(), 352 + 24 * 4);
    let cal = |at: usize| f32::from_le_bytes(content[at..at + 4].try_into().unwrap());
    assert_eq!((cal(128), cal(124)), (-3.0, 3.0), "a value that is no number has no place in the range");
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut large = geometry();
    large.grid.shape = [32768, 1, 1];
    let outside = Support::Voxels { grid: large.grid.clone(), index: vec![0] };
    let problem = write_map(Vec::new(), &large, &outside, &describe(Intent::None), &[1.0]).unwrap_err();
    insta::assert_snapshot!(crate::error::Diagnostic::from(problem), @r"
    error[output-image-too-large]: an image of 32768x1x1 voxels does not fit a NIfTI-1 header
       = note: at most 32767 along each axis
    ");
    let axis = SeriesAxis { n_frames: 40_000, tr_s: None };
    assert!(FrameWriter::new(Vec::new(), &geometry(), &support(), &describe(Intent::None), axis).is_err());
    let elsewhere = Support::Voxels { grid: geometry().grid, index: vec![24] };
    assert!(write_map(Vec::new(), &geometry(), &elsewhere, &describe(Intent::None), &[1.0]).is_err());
    let table = Support::Columns { names: vec!["a".into()] };
    assert!(write_map(Vec::new(), &geometry(), &table, &describe(Intent::None), &[1.0]).is_err());
    assert!(write_map(Vec::new(), &geometry(), &support(), &describe(Intent::None), &[1.0]).is_err());
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn a_full_disk_is_never_lost() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        eprintln!("skipped: no /dev/full here");
        return;
    };
    let buffered = io::BufWriter::new(full);
    let problem = write_map(buffered, &geometry(), &support(), &describe(Intent::None), &[1.0; 3]).unwrap_err();
    let OutputError::Machine { source, .. } = problem else { panic!("{problem}") };
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
}
