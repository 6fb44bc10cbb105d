//! The frame of every page: head, style, title, a list of sections, messages.

use super::html::Html;
use crate::error::{Diagnostics, Severity};
use std::path::Path;

const STYLE: &str = include_str!("assets/report.css");
/// Beside encoding and width: no file, no request, no script but the page's own.
const HEAD: &str = include_str!("assets/head.html");

/// A page in the making.
pub(super) struct Page {
    title: String,
    kicker: Html,
    lead: Html,
    /// Id, heading and content.
    sections: Vec<(String, String, Html)>,
}

impl Page {
    /// A page with its title, a line above it and something below it.
    pub(super) fn new(title: &str, kicker: Html, lead: Html) -> Self {
        Self { title: title.to_owned(), kicker, lead, sections: Vec::new() }
    }

    /// Adds a section; one without content is left out.
    pub(super) fn section(&mut self, id: &str, heading: &str, content: Html) {
        if !content.is_empty() {
            self.sections.push((id.to_owned(), heading.to_owned(), content));
        }
    }

    /// The whole page; `script` runs at its end.
    pub(super) fn html(self, script: Option<&'static str>) -> String {
        let mut head = Html::of_source(HEAD);
        head.push(Html::element("title", &[], Html::text(&self.title)));
        head.push(Html::element("style", &[], Html::of_source(STYLE)));
        let mut header = Html::element("p", &[("class", "kicker")], self.kicker);
        header.push(Html::element("h1", &[], Html::text(&self.title)));
        header.push(self.lead);
        let link = |(id, heading, _): &(String, String, Html)| {
            let link = Html::element("a", &[("href", &format!("#{id}"))], Html::text(heading));
            Html::element("li", &[], link)
        };
        if self.sections.len() > 1 {
            let links = Html::element("ul", &[], self.sections.iter().map(link).collect());
            header.push(Html::element("nav", &[("aria-label", "sections")], links));
        }
        let mut body = Html::element("header", &[], header);
        let mut main = Html::default();
        for (id, heading, content) in self.sections {
            let mut section = Html::element("h2", &[], Html::text(&heading));
            section.push(content);
            main.push(Html::element("section", &[("id", &id)], section));
        }
        body.push(Html::element("main", &[], main));
        let version = concat!(
            "Made by boldly ",
            env!("CARGO_PKG_VERSION"),
            " from the saved outputs alone; this page needs no other file and no network."
        );
        body.push(Html::element("footer", &[], Html::text(version)));
        if let Some(script) = script {
            body.push(Html::element("script", &[], Html::of_source(script)));
        }
        let mut page = Html::of_source("<!DOCTYPE html>\n<html lang=\"en\">");
        page.push(Html::element("head", &[], head));
        page.push(Html::element("body", &[], body));
        page.push(Html::of_source("</html>"));
        page.into_string()
    }
}

/// Problems as paragraphs; places below `root` are said from there.
pub(super) fn messages(problems: &Diagnostics, root: &Path) -> Html {
    let shown = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let message = |problem: &crate::error::Diagnostic| {
        let severity = if problem.severity == Severity::Error { "error" } else { "warning" };
        let mut html = Html::default();
        let mut line = Html::element("b", &[], Html::text(&format!("{severity}[{}]: ", problem.code)));
        line.append(&Html::text(&problem.message));
        html.push(Html::element("p", &[], line));
        let place = problem.place.as_ref().map(|place| place.in_words(shown));
        for text in place.into_iter().chain(problem.notes.iter().cloned()).chain(problem.hint.clone()) {
            html.push(Html::paragraph("note", &text));
        }
        Html::element("div", &[("class", "message")], html)
    };
    problems.iter().map(message).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Diagnostic, Place};

    #[test]
    fn a_page_is_whole_and_says_names_as_text() {
        let mut page = Page::new("<sub>", Html::text("k"), Html::default());
        page.section("a", "A & b", Html::text("content"));
        page.section("b", "empty", Html::default());
        let html = page.html(None);
        assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
        assert!(html.contains("<title>&lt;sub&gt;</title>") && html.contains("<h2>A &amp; b</h2>"), "{html}");
        assert!(
            !html.contains("empty")
                && !html.contains("<nav")
                && !html.contains("http://")
                && !html.contains("https://")
        );
    }

    #[test]
    fn places_are_said_from_the_folder() {
        let problem =
            Diagnostic::error("report-output-missing", "gone").at(Place::File("/a/out/m/x.tsv".into())).hint("do");
        let html = messages(&problem.into(), Path::new("/a/out")).into_string();
        assert!(
            html.contains("<p class=\"note\">m/x.tsv</p>") && html.contains("error[report-output-missing]: </b>gone"),
            "{html}"
        );
    }
}
