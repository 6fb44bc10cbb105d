//! A series of zeros and ones: pulses of random length at random times.

use super::spec::BinarySpec;
use crate::simulate::neural::pulses;
use crate::simulate::random::{Purpose, Stream};
use std::fmt::Write as _;

/// The series as a table.
pub(super) fn table(binary: &BinarySpec, seed: u64) -> String {
    let [shortest, longest] = binary.pulse_samples;
    let mut stream = Stream::new(seed, Purpose::BinarySeries, &[]);
    let values = pulses(&mut stream, binary.samples, binary.pulses, &(shortest..=longest), binary.gap_samples);
    let mut text = String::from("time_s\tsignal\n");
    for (sample, value) in values.iter().enumerate() {
        let _ = writeln!(text, "{:.3}\t{value}", sample as f64 * binary.interval_s);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_the_declared_pulses() {
        let binary = BinarySpec { samples: 75, interval_s: 0.5, pulses: 7, pulse_samples: [2, 6], gap_samples: 2 };
        let text = table(&binary, 3);
        let rows: Vec<(f64, char)> = text
            .lines()
            .skip(1)
            .map(|line| line.split_once('\t').unwrap())
            .map(|(time_s, value)| (time_s.parse().unwrap(), value.parse().unwrap()))
            .collect();
        assert_eq!((rows.len(), rows[74].0), (75, 37.0));
        let series: String = rows.iter().map(|row| row.1).collect();
        let on: Vec<usize> = series.split('0').map(str::len).filter(|length| *length > 0).collect();
        assert!(on.len() == 7 && on.iter().all(|length| (2..=6).contains(length)), "{series}");
        assert_ne!(text, table(&binary, 4));
    }
}
