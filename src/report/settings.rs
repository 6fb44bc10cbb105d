//! What the saved settings say of a pipeline and its models, in words.

use super::quantity::significant;
use serde_json::Value;

/// How names of settings say their unit.
const UNITS: [(&str, &str); 4] = [("_hz", " Hz"), ("_mm", " mm"), ("_delays_s", " s"), ("_s", " s")];

/// A setting in words: nothing where it is off.
pub(super) fn said(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |number| significant(number, 6)),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(said).filter(|said| !said.is_empty()).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                let (name, unit) = UNITS
                    .iter()
                    .find_map(|(ending, unit)| Some((name.strip_suffix(ending)?, *unit)))
                    .unwrap_or((name, ""));
                let name = name.replace('_', " ");
                match said(value) {
                    said if said.is_empty() => None,
                    _ if *value == Value::Bool(true) => Some(name),
                    said if name == "shape" => Some(said),
                    said => Some(format!("{name} {said}{unit}")),
                }
            };
            fields.iter().filter_map(field).collect::<Vec<_>>().join(", ")
        }
    }
}

/// Facts that hold for all models of a pipeline.
pub(super) fn of_pipeline(settings: &Value) -> Vec<(&'static str, String)> {
    let preprocess = &settings["preprocess"];
    let fwhm: Vec<f64> =
        preprocess["smooth_fwhm_mm"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    let smoothing = match fwhm.as_slice() {
        lengths if lengths.iter().all(|length| *length == 0.0) => "none".to_owned(),
        [x, y, z] if x == y && y == z => format!("{} mm FWHM", significant(*x, 4)),
        lengths => {
            format!("{} mm FWHM", lengths.iter().map(|length| significant(*length, 4)).collect::<Vec<_>>().join(" × "))
        }
    };
    let pairs = [
        ("profile", said(&settings["profile"])),
        ("smoothing", smoothing),
        ("scaling", said(&preprocess["scaling"])),
        ("mask", said(&settings["mask"])),
        ("discarded volumes", preprocess["discard_volumes"].as_u64().map(|n| n.to_string()).unwrap_or_default()),
    ];
    pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// The kind of a model, and its settings; `None` for a name that is no model's.
pub(super) fn of_model(settings: &Value, name: &str) -> Option<(&'static str, Vec<(&'static str, String)>)> {
    let kinds = [
        ("glms", "general linear model"),
        ("deconvolutions", "deconvolution"),
        ("convolutions", "convolution"),
        ("rates", "firing rates"),
    ];
    let find = |list: &str| settings[list].as_array()?.iter().find(|model| model["name"] == name);
    let (kind, model) = kinds.into_iter().find_map(|(list, kind)| Some((kind, find(list)?)))?;
    let design = &model["design"];
    let pairs = [
        ("kind", kind.to_owned()),
        ("method", said(&model["method"])),
        ("kernel", said(&model["kernel"])),
        ("lambda", said(&model["lambda"])),
        ("noise model", said(&model["noise"])),
        ("over runs", said(&model["fixed_effects"])),
        ("response", said(&design["hrf"])),
        ("drift", said(&design["drift"])),
        ("confounds", said(&model["confounds"]["columns"])),
        ("confound strategy", said(&model["confounds"]["strategy"])),
        ("scrubbing", said(&model["confounds"]["scrub"])),
        ("mode", said(&model["mode"])),
        ("edge", said(&model["edge"])),
        ("bin", model["bin_s"].as_f64().map(|s| format!("{} s", significant(s, 4))).unwrap_or_default()),
        ("kernel width", model["sigma_s"].as_f64().map(|s| format!("{} s", significant(s, 4))).unwrap_or_default()),
    ];
    Some((kind, pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_are_said_in_words() {
        let hrf = json!({"canonical": {"shape": "spm", "derivative": true, "dispersion": false}});
        assert_eq!(said(&hrf), "canonical spm, derivative");
        assert_eq!(said(&json!({"cosine": {"high_pass_hz": 0.01}})), "cosine high pass 0.01 Hz");
        assert_eq!(said(&json!([null, false])), "");
        let settings = json!({"preprocess": {"smooth_fwhm_mm": [6.0, 6.0, 6.0], "discard_volumes": 2}, "glms": [{"name": "m", "noise": "ar1"}]});
        let pairs = of_pipeline(&settings);
        assert_eq!(pairs, [("smoothing", "6 mm FWHM".to_owned()), ("discarded volumes", "2".to_owned())]);
        let (kind, pairs) = of_model(&settings, "m").unwrap();
        assert_eq!((kind, pairs.len()), ("general linear model", 2));
        assert!(of_model(&settings, "x").is_none());
    }
}
