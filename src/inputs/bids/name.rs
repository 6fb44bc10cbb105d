//! File names of BIDS: `sub-01_task-rest_run-2_bold.nii.gz` is three entities, a suffix and an extension.

use std::cmp::Ordering;

/// Entities whose labels are counting numbers: `01` and `1` are one label.
const INDICES: [&str; 6] = ["run", "echo", "flip", "inv", "split", "chunk"];

/// The name of a BIDS file, taken apart. The text itself is kept, so `run-01` stays `01`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BidsName {
    text: Box<str>,
    pairs: Box<[Pair]>,
    suffix: u16,
    extension: u16,
}

/// Where an entity stands in the text: file systems allow names of 255 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair {
    start: u16,
    dash: u16,
    end: u16,
}

/// Why a name is not that of a BIDS file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// No extension, or one with other characters than letters, digits and points.
    #[error("has no extension such as `.nii.gz`")]
    Extension,
    /// The last part, before the extension, is no single word.
    #[error("has no suffix such as `_bold` before its extension")]
    Suffix,
    /// A part is not `key-label`.
    #[error("`{0}` is not an entity such as `task-rest`: letters, a hyphen, letters and digits")]
    Entity(String),
    /// One key twice.
    #[error("has `{0}-` twice")]
    Twice(String),
    /// Not UTF-8, or longer than any BIDS name.
    #[error("is not plain text")]
    Text,
    /// A subject's or session's file that is not named after its folder.
    #[error("is not named after its folder `{0}`")]
    Folder(String),
}

impl BidsName {
    /// Takes a file's name apart. Keys are any letters, since derivatives invent some; labels are letters, digits
    /// and `+`.
    ///
    /// # Errors
    /// The name does not have this form.
    pub fn parse(text: &str) -> Result<Self, NameProblem> {
        if text.len() > 1024 {
            return Err(NameProblem::Text);
        }
        let extension = text.find('.').ok_or(NameProblem::Extension)?;
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
        if extension + 1 == text.len() || text.ends_with('.') || !text[extension..].bytes().all(letters) {
            return Err(NameProblem::Extension);
        }
        let suffix = text[..extension].rfind('_').map_or(0, |at| at + 1);
        if !is_label(&text[suffix..extension]) {
            return Err(NameProblem::Suffix);
        }
        let mut pairs: Vec<Pair> = Vec::with_capacity(8);
        let mut start = 0;
        while start < suffix {
            let end = start + text[start..].find('_').unwrap_or(0);
            let part = &text[start..end];
            let (key, label) = part.split_once('-').ok_or_else(|| NameProblem::Entity(part.to_owned()))?;
            if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphabetic()) || !is_label(label) {
                return Err(NameProblem::Entity(part.to_owned()));
            }
            if pairs.iter().any(|pair| text[pair.start as usize..pair.dash as usize] == *key) {
                return Err(NameProblem::Twice(key.to_owned()));
            }
            pairs.push(Pair { start: start as u16, dash: (start + key.len()) as u16, end: end as u16 });
            start = end + 1;
        }
        let (suffix, extension) = (suffix as u16, extension as u16);
        Ok(Self { text: text.into(), pairs: pairs.into_boxed_slice(), suffix, extension })
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What the file holds: `bold`, `events`, `timeseries`, `mask`.
    pub fn suffix(&self) -> &str {
        &self.text[usize::from(self.suffix)..usize::from(self.extension)]
    }

    /// From the first point on: `.nii.gz`.
    pub fn extension(&self) -> &str {
        &self.text[usize::from(self.extension)..]
    }

    /// The label of an entity, such as `01` for `sub`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entities().find(|(own, _)| *own == key).map(|(_, label)| label)
    }

    /// Keys and labels in the order of the name.
    pub fn entities(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.pairs.iter().map(|pair| {
            let (start, dash, end) = (usize::from(pair.start), usize::from(pair.dash), usize::from(pair.end));
            (&self.text[start..dash], &self.text[dash + 1..end])
        })
    }

    /// Whether an entity has this label; indices are compared by number.
    pub fn has(&self, key: &str, label: &str) -> bool {
        self.get(key).is_some_and(|own| same_label(key, own, label))
    }

    /// Whether every entity of this name stands in `other` too, with the same label.
    pub fn is_part_of(&self, other: &Self) -> bool {
        self.entities().all(|(key, label)| other.has(key, label))
    }

    /// Whether both names have the same entities, those of `except` left aside.
    pub fn same_but(&self, other: &Self, except: &[&str]) -> bool {
        let within = |one: &Self, two: &Self| {
            one.entities().filter(|(key, _)| !except.contains(key)).all(|(key, label)| two.has(key, label))
        };
        within(self, other) && within(other, self)
    }
}

/// Whether a text can be a label: letters, digits and `+`.
pub(super) fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
}

/// Whether two labels of an entity mean the same: `01` and `1` are one run, but two subjects.
pub fn same_label(key: &str, a: &str, b: &str) -> bool {
    a == b || INDICES.contains(&key) && number(a).is_some_and(|a| Some(a) == number(b))
}

/// The order of labels: numbers by size, before words; then by code point.
pub fn compare_labels(a: &str, b: &str) -> Ordering {
    match (number(a), number(b)) {
        (Some(x), Some(y)) => (x.len(), x).cmp(&(y.len(), y)).then_with(|| a.cmp(b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// The digits of a counting number, however many, without zeros before them.
fn number(label: &str) -> Option<&str> {
    let digits = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| label.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> BidsName {
        BidsName::parse(text).unwrap()
    }

    #[test]
    fn entities_suffix_and_extension() {
        let bold = name("sub-01_ses-pre_task-rest_acq-mb4_run-01_echo-2_space-T1w_res-2_desc-preproc_bold.nii.gz");
        let keys: Vec<&str> = bold.entities().map(|(key, _)| key).collect();
        assert_eq!(keys, ["sub", "ses", "task", "acq", "run", "echo", "space", "res", "desc"]);
        assert_eq!((bold.get("run"), bold.get("hemi")), (Some("01"), None));
        assert_eq!((bold.suffix(), bold.extension()), ("bold", ".nii.gz"));
        let plain = name("bold.json");
        assert_eq!((plain.entities().len(), plain.suffix(), plain.extension()), (0, "bold", ".json"));
        assert_eq!(name("sub-01_hemi-L_bold.func.gii").extension(), ".func.gii");
        assert_eq!(name("sub-a+b_T1w.nii").get("sub"), Some("a+b"));
    }

    #[test]
    fn other_names_say_why_they_are_none() {
        for (text, reason) in [
            ("README", NameProblem::Extension),
            ("sub-01_bold.nii.gz~", NameProblem::Extension),
            ("sub-01_bold.", NameProblem::Extension),
            ("sub-01.json", NameProblem::Suffix),
            ("_bold.json", NameProblem::Entity(String::new())),
            ("sub-01__bold.json", NameProblem::Entity(String::new())),
            ("sub-01_task-_bold.json", NameProblem::Entity("task-".to_owned())),
            ("sub-01_task-a-b_bold.json", NameProblem::Entity("task-a-b".to_owned())),
            ("sub-01_task-rest_bold_space-MNI_preproc.nii.gz", NameProblem::Entity("bold".to_owned())),
            ("sub-01_run-1_run-2_bold.nii", NameProblem::Twice("run".to_owned())),
            (".sub-01_bold.nii", NameProblem::Extension),
        ] {
            assert_eq!(BidsName::parse(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn indices_are_numbers_and_labels_are_texts() {
        let one = name("sub-01_run-1_bold.nii");
        assert!(one.has("run", "01") && one.has("run", "001") && !one.has("run", "10"));
        assert!(!one.has("sub", "1"));
        assert!(same_label("run", "a", "a") && !same_label("run", "a", "0a"));
        assert!(one.is_part_of(&name("sub-01_task-x_run-001_bold.json")));
        assert!(!one.is_part_of(&name("sub-01_task-x_bold.json")));
        let preprocessed = name("sub-01_run-01_space-T1w_desc-preproc_bold.nii");
        assert!(one.same_but(&preprocessed, &["space", "desc"]) && !one.same_but(&preprocessed, &["space"]));
        let mut labels = ["b", "10", "2", "02", "a", "1"];
        labels.sort_by(|a, b| compare_labels(a, b));
        assert_eq!(labels, ["1", "02", "2", "10", "a", "b"]);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_all_of_the_text(text in "[a-z0-9_.é+-]{0,40}") {
            if let Ok(name) = BidsName::parse(&text) {
                let mut parts: Vec<String> = name.entities().map(|(key, label)| format!("{key}-{label}")).collect();
                parts.push(format!("{}{}", name.suffix(), name.extension()));
                prop_assert_eq!(parts.join("_"), text);
            }
        }
    }
}
