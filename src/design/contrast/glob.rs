//! Globs over column names: `*` is any text, `?` any one character, all else itself.

/// Whether a text holds a wildcard.
pub(super) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether `name` matches `pattern`.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // where to go on after the last `*`: the pattern after it, and the first character it does not cover
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            retry = Some((p + 1, n));
            p += 1;
        } else if pattern.get(p).is_some_and(|&wanted| wanted == '?' || wanted == name[n]) {
            p += 1;
            n += 1;
        } else if let Some((after, covered)) = retry {
            retry = Some((after, covered + 1));
            (p, n) = (after, covered + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&left| left == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name, expected) in [
            ("house_delay_*", "house_delay_2.5", true),
            ("house_delay_*", "house_delay_", true),
            ("house_delay_*", "house", false),
            ("*_delay_?", "face_delay_3", true),
            ("*_delay_?", "face_delay_13", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("*", "", true),
            ("?", "é", true),
            ("[a]", "[a]", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }
}
