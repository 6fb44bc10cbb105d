//! A comparison as text: a line per difference, and the count.

use super::{Comparison, Difference, Place};
use std::fmt;

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            if let Some(difference) = &file.difference {
                write!(formatter, "{}: ", file.name)?;
                write_difference(formatter, file.n_values, difference)?;
            }
        }
        for (folder, names) in [(&self.a, &self.only_in_a), (&self.b, &self.only_in_b)] {
            for name in names {
                writeln!(formatter, "{name}: only in {}", folder.display())?;
            }
        }
        let n_files = self.files.len();
        let files = if n_files == 1 { "file" } else { "files" };
        write!(formatter, "{n_files} {files} compared, {} different", self.n_different())?;
        for (folder, names) in [(&self.a, &self.only_in_a), (&self.b, &self.only_in_b)] {
            if !names.is_empty() {
                write!(formatter, ", {} only in {}", names.len(), folder.display())?;
            }
        }
        let rule = self.tolerance;
        writeln!(formatter, " (tolerance: the larger of {:?} and {:?} |x|)", rule.atol, rule.rtol)
    }
}

fn write_difference(formatter: &mut fmt::Formatter<'_>, n_values: usize, difference: &Difference) -> fmt::Result {
    match difference {
        Difference::Shape { what, a, b } => writeln!(formatter, "the {what} differ\n  a: {a}\n  b: {b}"),
        Difference::Values { n_different, worst } => {
            let differ = if *n_different == 1 { "differs" } else { "differ" };
            let most = if matches!(worst.place, Place::Byte(_)) { "first" } else { "most" };
            write!(formatter, "{n_different} of {n_values} {} {differ}, {most} at ", unit(&worst.place))?;
            write!(formatter, "{}: {} and {}", worst.place, worst.a, worst.b)?;
            if let (Some(apart), Some(allowed)) = (worst.apart, worst.allowed) {
                write!(formatter, ", {apart:.3e} apart, {allowed:.3e} allowed")?;
            }
            writeln!(formatter)
        }
    }
}

/// What is counted.
fn unit(place: &Place) -> &'static str {
    match place {
        Place::Voxel { .. } => "voxels",
        Place::Cell { .. } => "cells",
        Place::Entry(_) => "entries",
        Place::Byte(_) => "bytes",
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Voxel { ijk: [i, j, k], volume: None } => write!(formatter, "voxel ({i}, {j}, {k})"),
            Self::Voxel { ijk: [i, j, k], volume: Some(volume) } => {
                write!(formatter, "voxel ({i}, {j}, {k}) of volume {volume}")
            }
            Self::Cell { line, column } => write!(formatter, "line {line}, column `{column}`"),
            Self::Entry(pointer) if pointer.is_empty() => formatter.write_str("the top"),
            Self::Entry(pointer) => formatter.write_str(pointer),
            Self::Byte(at) => write!(formatter, "byte {at}"),
        }
    }
}
