//! One NIfTI image in its many forms: byte order, version, file layout, compression, scaling.

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;

/// Length of a NIfTI-1 header with the extension flag.
const HEADER: usize = 352;

/// A single-file little-endian NIfTI-1 image of 16-bit integers, taken apart.
pub(crate) struct Image16 {
    /// 348 bytes and the extension flag.
    pub(crate) header: Vec<u8>,
    /// Voxels, little-endian.
    pub(crate) voxels: Vec<u8>,
}

impl Image16 {
    pub(crate) fn read(path: &Path) -> Self {
        let mut bytes = Vec::new();
        MultiGzDecoder::new(fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
        assert_eq!(i16_at(&bytes, 70), 4, "16-bit integers");
        let voxels = bytes.split_off(HEADER);
        Self { header: bytes, voxels }
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = i16> {
        self.voxels.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
    }

    /// The same grid with other values.
    pub(crate) fn with_values(&self, value: impl Fn(usize, i16) -> i16) -> Self {
        let voxels = self.values().enumerate().flat_map(|(at, old)| value(at, old).to_le_bytes()).collect();
        Self { header: self.header.clone(), voxels }
    }

    /// `.nii`.
    pub(crate) fn single(&self) -> Vec<u8> {
        [self.header.as_slice(), &self.voxels].concat()
    }

    pub(crate) fn write_gz(&self, path: &Path) {
        fs::write(path, gzip(&self.single())).unwrap();
    }

    /// `.nii.gz` of three gzip members, cut at odd places.
    pub(crate) fn multi_member(&self) -> Vec<u8> {
        let whole = self.single();
        let cuts = [0, 101, whole.len() / 3, whole.len()];
        cuts.windows(2).flat_map(|cut| gzip(&whole[cut[0]..cut[1]])).collect()
    }

    /// `.hdr` and `.img`.
    pub(crate) fn pair(&self) -> [Vec<u8>; 2] {
        let mut header = self.header[..348].to_vec();
        header[344..348].copy_from_slice(b"ni1\0");
        header[108..112].copy_from_slice(&0_f32.to_le_bytes());
        [header, self.voxels.clone()]
    }

    /// Every number of header and data byte-swapped.
    pub(crate) fn big_endian(&self) -> Vec<u8> {
        let mut header = self.header.clone();
        // sizeof_hdr, extents, session_error; dim .. slice_start; pixdim .. slice_end; cal_max .. glmin; codes; quaternion
        let fields: [(std::ops::Range<usize>, usize); 8] =
            [(0..4, 4), (32..38, 2), (40..56, 2), (56..68, 4), (68..76, 2), (76..120, 4), (124..148, 4), (252..256, 2)];
        for (range, size) in fields.into_iter().chain([(256..328, 4)]) {
            header[range].chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        header[120..122].reverse(); // slice_end
        let mut voxels = self.voxels.clone();
        voxels.chunks_exact_mut(2).for_each(<[u8]>::reverse);
        [header, voxels].concat()
    }

    /// NIfTI-2, single file.
    pub(crate) fn nifti2(&self) -> Vec<u8> {
        let old = &self.header;
        let mut new = vec![0_u8; 544];
        let mut put = |at: usize, bytes: &[u8]| new[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &540_i32.to_le_bytes());
        put(4, b"n+2\0\r\n\x1a\n");
        put(12, &old[70..74]); // datatype, bitpix
        for axis in 0..8 {
            put(16 + 8 * axis, &i64::from(i16_at(old, 40 + 2 * axis)).to_le_bytes());
            put(104 + 8 * axis, &f64::from(f32_at(old, 76 + 4 * axis)).to_le_bytes());
        }
        put(168, &544_i64.to_le_bytes());
        put(176, &1_f64.to_le_bytes()); // scl_slope
        put(344, &i32::from(i16_at(old, 252)).to_le_bytes());
        put(348, &i32::from(i16_at(old, 254)).to_le_bytes());
        for (at, from) in (0..6).map(|field| (352 + 8 * field, 256 + 4 * field)) {
            put(at, &f64::from(f32_at(old, from)).to_le_bytes()); // quaternion and offset
        }
        for entry in 0..12 {
            put(400 + 8 * entry, &f64::from(f32_at(old, 280 + 4 * entry)).to_le_bytes()); // srow
        }
        put(500, &i32::from(old[123]).to_le_bytes()); // xyzt_units
        [new, self.voxels.clone()].concat()
    }

    /// 32-bit floats that a slope and an intercept turn into the same values.
    pub(crate) fn scaled_floats(&self) -> Vec<u8> {
        let mut header = self.header.clone();
        header[70..72].copy_from_slice(&16_i16.to_le_bytes());
        header[72..74].copy_from_slice(&32_i16.to_le_bytes());
        header[112..116].copy_from_slice(&4_f32.to_le_bytes());
        header[116..120].copy_from_slice(&8_f32.to_le_bytes());
        // exact in binary: differences of small integers, divided by a power of two
        let floats = self.values().flat_map(|value| ((f32::from(value) - 8.0) / 4.0).to_le_bytes());
        header.into_iter().chain(floats).collect()
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn i16_at(bytes: &[u8], at: usize) -> i16 {
    i16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn f32_at(bytes: &[u8], at: usize) -> f32 {
    f32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}
