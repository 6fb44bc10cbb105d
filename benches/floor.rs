//! The whole of `boldly` against the floor below it, one inflate of its input: in turn, the same zlib-rs as built for
//! the program, wall seconds as tab-separated rows.
//!
//! `cargo bench --bench floor -- ROUNDS IMAGE OUT ARGUMENTS...` runs `boldly ARGUMENTS... --out OUT` in each round.

#![expect(clippy::print_stdout, reason = "its rows are its results")]

use flate2::bufread::MultiGzDecoder;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Compressed bytes asked for at once, as the program does.
const INPUT_BYTES: usize = 1 << 18;
/// Small enough to stay in the cache, so that the floor is as low as it can be.
const OUTPUT_BYTES: usize = 1 << 18;

fn inflate_s(image: &Path) -> Result<f64, Box<dyn Error>> {
    let began = Instant::now();
    let mut decoder = MultiGzDecoder::new(BufReader::with_capacity(INPUT_BYTES, File::open(image)?));
    let mut buffer = vec![0; OUTPUT_BYTES];
    while decoder.read(&mut buffer)? > 0 {}
    Ok(began.elapsed().as_secs_f64())
}

fn run_s(arguments: &[String], out: &Path) -> Result<f64, Box<dyn Error>> {
    if let Err(error) = fs::remove_dir_all(out)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error.into());
    }
    let began = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_boldly")).args(arguments).arg("--out").arg(out).status()?;
    let seconds = began.elapsed().as_secs_f64();
    if status.success() { Ok(seconds) } else { Err(format!("boldly ended with {status}").into()) }
}

fn main() -> Result<(), Box<dyn Error>> {
    // cargo adds `--bench`
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [rounds, image, out, arguments @ ..] = &words[..] else {
        println!("nothing to measure: ROUNDS IMAGE OUT ARGUMENTS...");
        return Ok(()); // as one of all benches
    };
    let (image, out) = (Path::new(image), Path::new(out));
    let rounds: usize = rounds.parse()?;
    // one of each that does not count, for the file cache
    inflate_s(image)?;
    run_s(arguments, out)?;
    println!("inflate_s\trun_s");
    for round in 0..rounds {
        let (inflate, run) = if round % 2 == 0 {
            let inflate = inflate_s(image)?;
            (inflate, run_s(arguments, out)?)
        } else {
            let run = run_s(arguments, out)?;
            (inflate_s(image)?, run)
        };
        println!("{inflate:.4}\t{run:.4}");
    }
    Ok(())
}
