//! HTML that cannot be broken by what it says: text becomes part of it escaped, or not at all.

use crate::design::xml;
use serde_json::Value;
use std::fmt::Write as _;

/// A piece of HTML. It is made from text, which is escaped, and from words of this crate's source; there is no way from
/// a string that came from a file to markup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Html(String);

impl Html {
    /// Text, such as a name from a file.
    pub(super) fn text(text: &str) -> Self {
        Self(escape(text))
    }

    /// Markup, style or script that stands in this crate's source.
    pub(super) fn of_source(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// An element with its attributes and content.
    pub(super) fn element(tag: &'static str, attributes: &[(&'static str, &str)], content: Self) -> Self {
        let (mut html, Self(content)) = (Self::void(tag, attributes), content);
        let _ = write!(html.0, "{content}</{tag}>"); // a String takes all
        html
    }

    /// An element that has no content, or the opening tag of one that has.
    pub(super) fn void(tag: &'static str, attributes: &[(&'static str, &str)]) -> Self {
        let mut html = format!("<{tag}");
        for (name, value) in attributes {
            let _ = write!(html, " {name}=\"{}\"", escape(value));
        }
        html.push('>');
        Self(html)
    }

    /// A paragraph of text.
    pub(super) fn paragraph(class: &'static str, text: &str) -> Self {
        Self::element("p", &[("class", class)], Self::text(text))
    }

    /// Data for a script, which finds it by its id.
    pub(super) fn data(id: &str, value: &Value) -> Self {
        let mut html = Self::void("script", &[("type", "application/json"), ("id", id)]);
        html.0.push_str(&script_safe(&value.to_string()));
        html.0.push_str("</script>");
        html
    }

    /// Adds a piece, and a line end after it.
    pub(super) fn push(&mut self, piece: Self) {
        let Self(piece) = piece;
        self.0.push_str(&piece);
        self.0.push('\n');
    }

    /// Adds a piece without a line end.
    pub(super) fn append(&mut self, piece: &Self) {
        self.0.push_str(&piece.0);
    }

    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The whole as text.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(pieces: I) -> Self {
        let mut all = Self::default();
        pieces.into_iter().for_each(|piece| all.push(piece));
        all
    }
}

/// Text as content of an element or of a double-quoted attribute, line by line.
fn escape(text: &str) -> String {
    text.split('\n').map(xml::escape).collect::<Vec<_>>().join("\n")
}

/// JSON as the content of a script element: nothing in it ends the element or opens a comment, and none of the
/// characters that end a line in a script but not in JSON. In JSON they only occur inside strings, where the escapes
/// mean the same.
fn script_safe(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", character as u32);
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const HOSTILE: &str = "</script><!--<script>alert(1)</script> & \"'\u{2028}\u{2029}\u{0}";

    #[test]
    fn what_is_text_stays_text() {
        let html = Html::element("b", &[("title", HOSTILE)], Html::text(HOSTILE)).into_string();
        let escaped = "&lt;/script&gt;&lt;!--&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;'\u{2028}\u{2029} ";
        assert_eq!(html, format!("<b title=\"{escaped}\">{escaped}</b>"));
    }

    #[test]
    fn data_end_no_script_and_read_back_the_same() {
        let value = json!({ HOSTILE: [HOSTILE, 1.5] });
        let html = Html::data("d", &value).into_string();
        let content = html.strip_prefix("<script type=\"application/json\" id=\"d\">").unwrap();
        let content = content.strip_suffix("</script>").unwrap();
        assert!(!content.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{content}");
        assert_eq!(serde_json::from_str::<Value>(content).unwrap(), value);
    }

    proptest! {
        #[test]
        fn no_text_opens_or_closes_anything(text in any::<String>()) {
            let escaped = Html::text(&text).into_string();
            prop_assert!(!escaped.contains(['<', '>', '"']));
            let back = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
            let is_shown = |c: char| c == '\n' || !c.is_control() && !"\u{fffe}\u{ffff}".contains(c);
            let shown: String = text.chars().map(|c| if is_shown(c) { c } else { ' ' }).collect();
            prop_assert_eq!(back, shown);
        }
    }
}
