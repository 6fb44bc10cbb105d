//! Tables of a page.

use super::html::Html;
use super::quantity::{counted, significant};

/// A table that scrolls sideways where it is wider than the page.
#[derive(Debug, Default)]
pub(super) struct Table {
    caption: String,
    headings: Vec<(String, Align)>,
    rows: Vec<Vec<Html>>,
}

/// How the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

impl Table {
    /// A table without rows; the caption says what a row is.
    pub(super) fn new(caption: &str, headings: &[(&str, Align)]) -> Self {
        let headings = headings.iter().map(|(heading, align)| ((*heading).to_owned(), *align)).collect();
        Self { caption: caption.to_owned(), headings, rows: Vec::new() }
    }

    /// Adds a row, a cell a heading.
    pub(super) fn row(&mut self, cells: Vec<Html>) {
        self.rows.push(cells);
    }

    /// Whether it has no row.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as HTML; it can be reached and scrolled by keys.
    pub(super) fn html(self) -> Html {
        let class = |align: Align| if align == Align::Right { "number" } else { "words" };
        let mut head = Html::default();
        for (heading, align) in &self.headings {
            head.append(&Html::element("th", &[("scope", "col"), ("class", class(*align))], Html::text(heading)));
        }
        let mut body = Html::default();
        for row in self.rows {
            let mut cells = Html::default();
            for (at, cell) in row.into_iter().enumerate() {
                let align = self.headings.get(at).map_or(Align::Left, |(_, align)| *align);
                let (tag, attributes) = if at == 0 { ("th", vec![("scope", "row")]) } else { ("td", Vec::new()) };
                cells.append(&Html::element(tag, &[attributes, vec![("class", class(align))]].concat(), cell));
            }
            body.push(Html::element("tr", &[], cells));
        }
        let mut table = Html::element("caption", &[], Html::text(&self.caption));
        table.append(&Html::element("thead", &[], Html::element("tr", &[], head)));
        table.append(&Html::element("tbody", &[], body));
        let region =
            [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", self.caption.as_str())];
        Html::element("div", &region, Html::element("table", &[], table))
    }
}

/// A saved table as it stands, numbers shortened; rows beyond `most` are counted.
pub(super) fn saved(caption: &str, columns: &[String], rows: &[Vec<String>], most: usize) -> Html {
    let is_number = |cell: &String| cell == "n/a" || cell.parse::<f64>().is_ok();
    let align = |at: usize| {
        let all = rows.iter().all(|row| row.get(at).is_none_or(is_number));
        if at > 0 && all { Align::Right } else { Align::Left }
    };
    let headings: Vec<(&str, Align)> =
        columns.iter().enumerate().map(|(at, name)| (name.as_str(), align(at))).collect();
    let mut table = Table::new(caption, &headings);
    for row in rows.iter().take(most) {
        let cells = row.iter().zip(&headings).map(|(cell, (_, align))| match cell.parse::<f64>() {
            Ok(number) if *align == Align::Right => Html::text(&significant(number, 4)),
            _ => Html::text(cell),
        });
        table.row(cells.collect());
    }
    let mut html = table.html();
    if rows.len() > most {
        let more = format!("{} more in the file.", counted(rows.len() - most, "row"));
        html.push(Html::paragraph("note", &more));
    }
    html
}

/// Facts as pairs of a name and what is true of it.
pub(super) fn facts<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> Html {
    let pair = |(name, value): (&str, String)| {
        let mut pair = Html::element("dt", &[], Html::text(name));
        pair.append(&Html::element("dd", &[], Html::text(&value)));
        Html::element("div", &[], pair)
    };
    Html::element("dl", &[("class", "facts")], pairs.into_iter().map(pair).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_tables_keep_their_words_and_shorten_their_numbers() {
        let columns = ["name", "t"].map(str::to_owned);
        let rows = [["<b>", "2.123456"], ["7", "n/a"], ["x", "1.0"]].map(|row| row.map(str::to_owned).to_vec());
        let html = saved("effects", &columns, &rows, 2).into_string();
        assert!(
            html.contains("<th scope=\"row\" class=\"words\">&lt;b&gt;</th><td class=\"number\">2.123</td>"),
            "{html}"
        );
        assert!(html.contains("<td class=\"number\">n/a</td>") && html.contains("1 row more in the file."), "{html}");
        assert!(html.contains("<caption>effects</caption>"));
    }
}
