//! An HTML table.

use std::fmt::Write as _;

use super::format::escape_html;

/// A column's header as plain text, and whether the column holds numbers, which are aligned to the right.
type Header<'a> = (&'a str, bool);

/// Renders a table that scrolls horizontally where it is too wide, and is a list where the page is narrow. Caption and headers are plain text, cells are HTML;
/// the first cell of a row is its header.
pub(super) fn render_table<'a>(
    caption: &str,
    headers: impl IntoIterator<Item = Header<'a>>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let caption = escape_html(caption);
    let headers: Vec<Header> = headers.into_iter().collect();
    let class = |numeric: bool| if numeric { r#" class="n""# } else { "" };
    let mut text = format!(
        r#"<div class="scroll" role="region" aria-label="{caption}" tabindex="0"><table><caption>{caption}</caption><thead><tr>"#
    );
    for (header, numeric) in &headers {
        let _ = write!(text, r#"<th scope="col"{}>{}</th>"#, class(*numeric), escape_html(header));
    }
    text += "</tr></thead><tbody>";
    for row in rows {
        text += "<tr>";
        for (index, (cell, (header, numeric))) in row.iter().zip(&headers).enumerate() {
            let class = class(*numeric);
            // Where the page is narrow, a row is a list, and its cells are named.
            let _ = match index {
                0 => write!(text, r#"<th scope="row"{class}>{cell}</th>"#),
                _ => write!(text, r#"<td data-label="{}"{class}>{cell}</td>"#, escape_html(header)),
            };
        }
        text += "</tr>";
    }
    text + "</tbody></table></div>"
}
