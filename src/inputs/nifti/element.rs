//! The number types voxels are stored in, and their conversion to f32 or f64.
//!
//! `value = stored * scl_slope + scl_inter`, in f64, where the header scales; else the stored number itself.

use nifti::Endianness;

/// Linear scaling of stored numbers to physical values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// Factor (`scl_slope`).
    pub slope: f64,
    /// Offset (`scl_inter`).
    pub inter: f64,
}

/// A real number type of NIfTI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the type of its name")]
pub enum ElementType {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl ElementType {
    /// The type behind a header's `datatype` code; `None` where it is no real number we read.
    pub(super) fn from_code(code: i32) -> Option<Self> {
        Some(match code {
            2 => Self::U8,
            4 => Self::I16,
            8 => Self::I32,
            16 => Self::F32,
            64 => Self::F64,
            256 => Self::I8,
            512 => Self::U16,
            768 => Self::U32,
            1024 => Self::I64,
            1280 => Self::U64,
            _ => return None,
        })
    }

    /// Bytes of one voxel.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// numpy's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::U8 => "uint8",
            Self::I8 => "int8",
            Self::U16 => "uint16",
            Self::I16 => "int16",
            Self::U32 => "uint32",
            Self::I32 => "int32",
            Self::U64 => "uint64",
            Self::I64 => "int64",
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }
}

/// How numbers are stored: all that is needed to read them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NumberForm {
    /// Their type.
    pub element: ElementType,
    /// Their byte order.
    pub order: Endianness,
    /// Their scaling; `None` where they are the values.
    pub scaling: Option<Scaling>,
}

impl NumberForm {
    /// Converts `values.len()` stored numbers.
    pub(crate) fn convert<V: Value>(self, bytes: &[u8], values: &mut [V]) {
        match self.element {
            ElementType::U8 => convert::<1, u8, V>(self, bytes, values),
            ElementType::I8 => convert::<1, i8, V>(self, bytes, values),
            ElementType::U16 => convert::<2, u16, V>(self, bytes, values),
            ElementType::I16 => convert::<2, i16, V>(self, bytes, values),
            ElementType::U32 => convert::<4, u32, V>(self, bytes, values),
            ElementType::I32 => convert::<4, i32, V>(self, bytes, values),
            ElementType::U64 => convert::<8, u64, V>(self, bytes, values),
            ElementType::I64 => convert::<8, i64, V>(self, bytes, values),
            ElementType::F32 => convert::<4, f32, V>(self, bytes, values),
            ElementType::F64 => convert::<8, f64, V>(self, bytes, values),
        }
    }
}

/// One loop per byte order and scaling, so that each is free of branches and vectorised.
fn convert<const SIZE: usize, S: Stored<SIZE>, V: Value>(
    NumberForm { order, scaling, .. }: NumberForm,
    bytes: &[u8],
    values: &mut [V],
) {
    let (stored, _) = bytes.as_chunks::<SIZE>();
    let pairs = values.iter_mut().zip(stored);
    match (order, scaling) {
        (Endianness::Little, None) => pairs.for_each(|(value, raw)| *value = V::from_stored(S::from_little(*raw))),
        (Endianness::Big, None) => pairs.for_each(|(value, raw)| *value = V::from_stored(S::from_big(*raw))),
        (Endianness::Little, Some(Scaling { slope, inter })) => {
            pairs.for_each(|(value, raw)| *value = V::from_f64(S::from_little(*raw).to_f64() * slope + inter));
        }
        (Endianness::Big, Some(Scaling { slope, inter })) => {
            pairs.for_each(|(value, raw)| *value = V::from_f64(S::from_big(*raw).to_f64() * slope + inter));
        }
    }
}

/// A number as stored.
pub(crate) trait Stored<const SIZE: usize>: Copy {
    fn from_little(bytes: [u8; SIZE]) -> Self;
    fn from_big(bytes: [u8; SIZE]) -> Self;
    fn to_f32(self) -> f32;
    fn to_f64(self) -> f64;
}

macro_rules! stored {
    ($($number:ty: $size:literal),*) => {$(
        impl Stored<$size> for $number {
            fn from_little(bytes: [u8; $size]) -> Self {
                Self::from_le_bytes(bytes)
            }
            fn from_big(bytes: [u8; $size]) -> Self {
                Self::from_be_bytes(bytes)
            }
            #[allow(clippy::cast_lossless, reason = "one body for types that widen and types that round")]
            fn to_f32(self) -> f32 {
                self as f32
            }
            #[allow(clippy::cast_lossless, reason = "one body for types that widen and types that round")]
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}
stored!(u8: 1, i8: 1, u16: 2, i16: 2, u32: 4, i32: 4, u64: 8, i64: 8, f32: 4, f64: 8);

/// What voxels are converted to: f32 for data, f64 for maps that are compared.
pub(crate) trait Value: Copy + Default {
    fn from_stored<const SIZE: usize, S: Stored<SIZE>>(stored: S) -> Self;
    fn from_f64(value: f64) -> Self;
}

impl Value for f32 {
    fn from_stored<const SIZE: usize, S: Stored<SIZE>>(stored: S) -> Self {
        stored.to_f32()
    }
    fn from_f64(value: f64) -> Self {
        value as f32
    }
}

impl Value for f64 {
    fn from_stored<const SIZE: usize, S: Stored<SIZE>>(stored: S) -> Self {
        stored.to_f64()
    }
    fn from_f64(value: f64) -> Self {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_of_every_type_in_both_orders() {
        fn check<const SIZE: usize, S: Stored<SIZE>>(
            element: ElementType,
            extremes: [S; 2],
            to_bytes: impl Fn(S) -> [u8; SIZE],
        ) {
            let little: Vec<u8> = extremes.iter().flat_map(|&value| to_bytes(value)).collect();
            let big: Vec<u8> = extremes.iter().flat_map(|&value| to_bytes(value).into_iter().rev()).collect();
            for (order, bytes) in [(Endianness::Little, little), (Endianness::Big, big)] {
                let plain = NumberForm { element, order, scaling: None };
                let mut wide = [0f64; 2];
                plain.convert(&bytes, &mut wide);
                assert_eq!(wide, extremes.map(Stored::to_f64), "{element:?}");
                let mut narrow = [0f32; 2];
                plain.convert(&bytes, &mut narrow);
                assert_eq!(narrow, extremes.map(Stored::to_f32), "{element:?}");
                let scaled = NumberForm { scaling: Some(Scaling { slope: 0.5, inter: -3.0 }), ..plain };
                scaled.convert(&bytes, &mut wide);
                assert_eq!(wide, extremes.map(|value| value.to_f64() * 0.5 - 3.0), "{element:?}");
                scaled.convert(&bytes, &mut narrow);
                assert_eq!(narrow, wide.map(|value| value as f32), "{element:?}");
            }
        }
        check(ElementType::U8, [u8::MIN, u8::MAX], u8::to_le_bytes);
        check(ElementType::I8, [i8::MIN, i8::MAX], i8::to_le_bytes);
        check(ElementType::U16, [1, u16::MAX], u16::to_le_bytes);
        check(ElementType::I16, [i16::MIN, i16::MAX - 1], i16::to_le_bytes);
        check(ElementType::U32, [1, u32::MAX], u32::to_le_bytes);
        check(ElementType::I32, [i32::MIN, i32::MAX], i32::to_le_bytes);
        check(ElementType::U64, [1, u64::MAX], u64::to_le_bytes);
        check(ElementType::I64, [i64::MIN, i64::MAX], i64::to_le_bytes);
        check(ElementType::F32, [f32::MIN, 1.5e-40], f32::to_le_bytes);
        check(ElementType::F64, [1e-300, 1.0 / 3.0], f64::to_le_bytes);
    }
}
