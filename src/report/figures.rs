//! Pictures of a page: files are embedded as images, in which no script runs; what is drawn here is part of the page.

use super::base64::data_address;
use super::html::Html;
use crate::outputs::line_figure::pixel;

/// A picture in pixels, with its caption.
pub(super) fn picture(png: &[u8], alt: &str, caption: &str) -> Html {
    let image = Html::void("img", &[("src", &data_address("image/png", png)), ("alt", alt), ("class", "pixels")]);
    framed("picture", image, caption)
}

/// A line drawing on white, with its caption; dark pages show it with its lightness reversed.
pub(super) fn drawing(svg: &[u8], alt: &str, caption: &str) -> Html {
    let image = Html::void("img", &[("src", &data_address("image/svg+xml", svg)), ("alt", alt)]);
    framed("drawing", image, caption)
}

/// A figure of this class.
pub(super) fn framed(class: &'static str, content: Html, caption: &str) -> Html {
    let mut figure = content;
    if !caption.is_empty() {
        figure.push(Html::element("figcaption", &[], Html::text(caption)));
    }
    Html::element("figure", &[("class", class)], figure)
}

/// A line of text in a drawing: where it stands, how it is anchored.
pub(super) fn label(x: f64, y: f64, anchor: &str, text: &str) -> Html {
    let place = [x, y].map(pixel);
    Html::element("text", &[("x", &place[0]), ("y", &place[1]), ("text-anchor", anchor)], Html::text(text))
}

/// A filled rectangle of a drawing.
pub(super) fn block([x, y, width, height]: [f64; 4], fill: &str) -> Html {
    let place = [x, y, width, height].map(pixel);
    let attributes = [("x", &*place[0]), ("y", &place[1]), ("width", &place[2]), ("height", &place[3]), ("fill", fill)];
    Html::element("rect", &attributes, Html::default())
}

/// A drawing of this size as part of the page; `alt` says what it shows.
pub(super) fn canvas(width: f64, height: f64, alt: &str, content: Html) -> Html {
    let (size, view) = ([width, height].map(pixel), format!("0 0 {} {}", pixel(width), pixel(height)));
    let attributes =
        [("width", &*size[0]), ("height", &size[1]), ("viewBox", &view), ("role", "img"), ("aria-label", alt)];
    Html::element("svg", &attributes, content)
}

/// A colour as SVG has it.
pub(super) fn hexadecimal([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_drawing_is_an_image_and_its_words_are_escaped() {
        let html = drawing(b"<svg><script/></svg>", "<a>", "b & c").into_string();
        assert!(
            html.contains("<img src=\"data:image/svg+xml;base64,PHN2Zz48c2NyaXB0Lz48L3N2Zz4=\" alt=\"&lt;a&gt;\">"),
            "{html}"
        );
        assert!(html.contains("<figcaption>b &amp; c</figcaption>") && !html.contains("<script"), "{html}");
    }
}
