//! Text in XML, for the figures that this room and the outputs write by hand.

/// Text as XML content or as the value of a double-quoted attribute; control characters, which XML forbids, become
/// spaces.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_reserves_is_escaped() {
        assert_eq!(escape("<a & \"b\">\u{7}\u{ffff}é"), "&lt;a &amp; &quot;b&quot;&gt;  é");
    }
}
