//! Values on the command line.

/// Units of memory sizes; a letter alone is binary, as with `ulimit`, Docker and Slurm.
const UNITS: [(&str, f64); 14] = [
    ("", 1.0),
    ("B", 1.0),
    ("K", 1024.0),
    ("KB", 1e3),
    ("KIB", 1024.0),
    ("M", 1_048_576.0),
    ("MB", 1e6),
    ("MIB", 1_048_576.0),
    ("G", 1_073_741_824.0),
    ("GB", 1e9),
    ("GIB", 1_073_741_824.0),
    ("T", 1_099_511_627_776.0),
    ("TB", 1e12),
    ("TIB", 1_099_511_627_776.0),
];

/// Bytes of a size such as `2GiB`, `1.5 GB`, `500M`.
pub(super) fn parse_bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().map_err(|_| "expected a number with a unit, such as 2GiB".to_owned())?;
    let unit = unit.trim().to_ascii_uppercase();
    let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err("unknown unit; expected B, KB, KiB, MB, MiB, GB, GiB, TB or TiB".to_owned());
    };
    let bytes = number * factor;
    if (1.0..2_f64.powi(63)).contains(&bytes) { Ok(bytes as u64) } else { Err("not a size in memory".to_owned()) }
}

pub(super) fn parse_threshold(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        _ => Err("expected an absolute z: a number above 0, such as 3.1".to_owned()),
    }
}

pub(super) fn parse_tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number >= 0.0 && number.is_finite() => Ok(number),
        _ => Err("expected a number from 0 up".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_both_kinds_of_unit() {
        for (text, bytes) in [
            ("2GiB", 2_147_483_648),
            ("2G", 2_147_483_648),
            ("500MB", 500_000_000),
            ("1.5 KiB", 1536),
            ("4096", 4096),
            ("3tb", 3_000_000_000_000),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "GiB", "2 apples", "0", "-1G", "1e3", "99999999TiB", "1.2.3M"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}
