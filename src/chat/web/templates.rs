//! Compiles `templates/web` and adds the few helpers that the templates need.

use anyhow::Context as _;
use handlebars::{Handlebars, handlebars_helper};
use include_dir::{Dir, include_dir};
use serde_json::Value;

use crate::chat::render::{share, tenths, visible, web_address};
use crate::facts::grouped;

/// The embedded folder.
pub(super) static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/web");

/// Lines of text to copy that are shown at once.
const UNFOLDED: usize = 14;

/// All templates, compiled; a value that a template names and the data lack is an error, and everything is escaped.
pub(super) fn compile() -> anyhow::Result<Handlebars<'static>> {
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    templates.set_prevent_indent(true);
    templates.register_escape_fn(|text| handlebars::html_escape(&visible(text)));
    register(&mut templates);
    for file in FILES.files() {
        let path = file.path();
        if let (Some("hbs"), Some(name)) =
            (path.extension().and_then(|end| end.to_str()), path.file_stem().and_then(|stem| stem.to_str()))
        {
            templates
                .register_template_string(name, file.contents_utf8().unwrap_or_default())
                .with_context(|| format!("templates/web/{name}.hbs"))?;
        }
    }
    Ok(templates)
}

fn register(templates: &mut Handlebars<'static>) {
    // The heading of a cell's column, which stands beside it where rows are stacked.
    handlebars_helper!(heading: |columns: Json, index: usize|
        columns.get(index).and_then(|column| column.get("title")).cloned().unwrap_or_default());
    // A phone shows rows of more columns than three one below the other.
    handlebars_helper!(many: |columns: Json| columns.as_array().is_some_and(|columns| columns.len() > 3));
    // Whether the column of a cell holds numbers.
    handlebars_helper!(numeric: |columns: Json, index: usize|
        columns.get(index).and_then(|column| column.get("numeric")).and_then(Value::as_bool).unwrap_or(false));
    handlebars_helper!(any_before: |rows: Json|
        rows.as_array().is_some_and(|rows| rows.iter().any(|row| !row["before"].is_null())));
    handlebars_helper!(share_of: |value: u64, of: u64| share(value, of));
    handlebars_helper!(width: |value: u64, of: u64| {
        let tenths = tenths(value, of).unwrap_or(0);
        format!("{}.{}", tenths / 10, tenths % 10)
    });
    handlebars_helper!(grouped_number: |number: i64| grouped(number));
    handlebars_helper!(json: |value: Json| value.to_string());
    handlebars_helper!(address: |url: str| web_address(url));
    handlebars_helper!(segment_of: |text: str| segment(text));
    // Text to copy that would push everything else off the screen: it opens when asked for.
    handlebars_helper!(long: |text: str| text.lines().count() > UNFOLDED);
    // For text to copy: escaped, but every character kept. Written with three braces.
    handlebars_helper!(exact: |text: str| handlebars::html_escape(text));
    templates.register_helper("heading", Box::new(heading));
    templates.register_helper("many", Box::new(many));
    templates.register_helper("numeric", Box::new(numeric));
    templates.register_helper("any_before", Box::new(any_before));
    templates.register_helper("share", Box::new(share_of));
    templates.register_helper("width", Box::new(width));
    templates.register_helper("grouped", Box::new(grouped_number));
    templates.register_helper("json", Box::new(json));
    templates.register_helper("web_address", Box::new(address));
    templates.register_helper("segment", Box::new(segment_of));
    templates.register_helper("exact", Box::new(exact));
    templates.register_helper("long", Box::new(long));
}

/// Text as one segment of a path.
fn segment(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.bytes().map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
