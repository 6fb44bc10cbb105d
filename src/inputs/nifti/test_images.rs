//! Tiny images for tests, written field by field, independently of the reader.

use std::path::{Path, PathBuf};

/// A header and stored bytes, to be changed and written.
#[derive(Clone)]
pub(crate) struct TestImage {
    pub(crate) dim: Vec<i64>,
    pub(crate) datatype: i16,
    pub(crate) bitpix: i16,
    pub(crate) pixdim: [f64; 8],
    pub(crate) vox_offset: i64,
    pub(crate) scaling: [f64; 2],
    pub(crate) xyzt_units: u8,
    pub(crate) sform: Option<[[f64; 4]; 3]>,
    pub(crate) version: u8,
    pub(crate) big_endian: bool,
    /// Magic of a `.hdr`/`.img` pair.
    pub(crate) pair: bool,
    /// Stored numbers, little-endian; turned where the image is big-endian.
    pub(crate) data: Vec<u8>,
}

impl TestImage {
    /// A little-endian NIfTI-1 image of int16 counting up from 0, voxels of 2 mm, TR 2.5 s.
    pub(crate) fn new(dim: &[i64]) -> Self {
        let data = (0..dim.iter().product::<i64>()).flat_map(|value| (value as i16).to_le_bytes()).collect();
        Self {
            dim: dim.to_vec(),
            datatype: 4,
            bitpix: 16,
            pixdim: [1.0, 2.0, 2.0, 2.0, 2.5, 0.0, 0.0, 0.0],
            vox_offset: 352,
            scaling: [0.0, 0.0],
            xyzt_units: 2 | 8,
            sform: Some([[2.0, 0.0, 0.0, -9.0], [0.0, 2.0, 0.0, -8.0], [0.0, 0.0, 2.0, -7.0]]),
            version: 1,
            big_endian: false,
            pair: false,
            data,
        }
    }

    /// The same image with numbers of another type (`datatype`, `bitpix` bits), given little-endian.
    pub(crate) fn with_data(mut self, datatype: i16, bitpix: i16, data: Vec<u8>) -> Self {
        (self.datatype, self.bitpix, self.data) = (datatype, bitpix, data);
        self
    }

    /// An image of one volume of float32.
    pub(crate) fn of_f32(dim: &[i64], values: &[f32]) -> Self {
        Self::new(dim).with_data(16, 32, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    fn put(&self, bytes: &mut [u8], at: usize, little: &[u8]) {
        let field = &mut bytes[at..at + little.len()];
        field.copy_from_slice(little);
        if self.big_endian {
            field.reverse();
        }
    }

    /// The header alone: 348 or 540 bytes.
    pub(crate) fn header_bytes(&self) -> Vec<u8> {
        if self.version == 2 { self.nifti2() } else { self.nifti1() }
    }

    fn lengths(&self) -> impl Iterator<Item = i64> {
        std::iter::once(i64::try_from(self.dim.len()).unwrap())
            .chain(self.dim.iter().copied())
            .chain(std::iter::repeat(1))
            .take(8)
    }

    fn nifti1(&self) -> Vec<u8> {
        let mut bytes = vec![0; 348];
        self.put(&mut bytes, 0, &348i32.to_le_bytes());
        for (axis, length) in self.lengths().enumerate() {
            self.put(&mut bytes, 40 + 2 * axis, &(length as i16).to_le_bytes());
            self.put(&mut bytes, 76 + 4 * axis, &(self.pixdim[axis] as f32).to_le_bytes());
        }
        self.put(&mut bytes, 70, &self.datatype.to_le_bytes());
        self.put(&mut bytes, 72, &self.bitpix.to_le_bytes());
        self.put(&mut bytes, 108, &(self.vox_offset as f32).to_le_bytes());
        self.put(&mut bytes, 112, &(self.scaling[0] as f32).to_le_bytes());
        self.put(&mut bytes, 116, &(self.scaling[1] as f32).to_le_bytes());
        bytes[123] = self.xyzt_units;
        if let Some(rows) = self.sform {
            self.put(&mut bytes, 254, &1i16.to_le_bytes());
            for (index, entry) in rows.iter().flatten().enumerate() {
                self.put(&mut bytes, 280 + 4 * index, &(*entry as f32).to_le_bytes());
            }
        }
        bytes[344..348].copy_from_slice(if self.pair { b"ni1\0" } else { b"n+1\0" });
        bytes
    }

    fn nifti2(&self) -> Vec<u8> {
        let mut bytes = vec![0; 540];
        self.put(&mut bytes, 0, &540i32.to_le_bytes());
        bytes[4..12].copy_from_slice(if self.pair { b"ni2\0\r\n\x1a\n" } else { b"n+2\0\r\n\x1a\n" });
        self.put(&mut bytes, 12, &self.datatype.to_le_bytes());
        self.put(&mut bytes, 14, &self.bitpix.to_le_bytes());
        for (axis, length) in self.lengths().enumerate() {
            self.put(&mut bytes, 16 + 8 * axis, &length.to_le_bytes());
            self.put(&mut bytes, 104 + 8 * axis, &self.pixdim[axis].to_le_bytes());
        }
        self.put(&mut bytes, 168, &self.vox_offset.to_le_bytes());
        self.put(&mut bytes, 176, &self.scaling[0].to_le_bytes());
        self.put(&mut bytes, 184, &self.scaling[1].to_le_bytes());
        if let Some(rows) = self.sform {
            self.put(&mut bytes, 348, &1i32.to_le_bytes());
            for (index, entry) in rows.iter().flatten().enumerate() {
                self.put(&mut bytes, 400 + 8 * index, &entry.to_le_bytes());
            }
        }
        self.put(&mut bytes, 500, &i32::from(self.xyzt_units).to_le_bytes());
        bytes
    }

    /// The stored numbers in the image's byte order.
    pub(crate) fn data_bytes(&self) -> Vec<u8> {
        let mut data = self.data.clone();
        if self.big_endian {
            data.chunks_mut(self.bitpix as usize / 8).for_each(<[u8]>::reverse);
        }
        data
    }

    /// The bytes of a single file; the gap before the voxels is filled with bytes that would be seen in the values.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.header_bytes();
        bytes.extend([0; 4]);
        bytes.resize(bytes.len().max(self.vox_offset as usize), 0x5a);
        bytes.extend(self.data_bytes());
        bytes
    }

    /// Writes a single file, gzipped where `name` ends in `.gz`.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        let bytes = self.bytes();
        std::fs::write(&path, if path.extension().is_some_and(|it| it == "gz") { gzip(&bytes) } else { bytes })
            .unwrap();
        path
    }
}

/// One gzip member.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
