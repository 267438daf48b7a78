//! A card as an Adaptive Card 1.5, through the templates in `templates/teams/`.
//!
//! Text of the tenant goes into `TextRun`s only, which know no Markdown, and every value is escaped for JSON. A card keeps
//! to [`LARGEST`]: its heading, buttons and sources come first, then as many blocks as fit, and a note says what was cut.
//! Fewer sources are named where that leaves room for all blocks.

use anyhow::Context as _;
use handlebars::{Handlebars, handlebars_helper};
use include_dir::{Dir, include_dir};
use serde::Serialize;
use serde_json::{Value, json};

use crate::chat::card::{Action, Block, Card, Citation, Run, Tone};
use crate::chat::render::{tenths, visible, web_address};
use crate::facts::grouped;

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/teams");

/// Bytes of JSON that a card may have: Teams refuses larger messages, and the limits it names differ from page to page.
pub(crate) const LARGEST: usize = 25_000;

/// Of [`LARGEST`], what buttons and sources may take each.
const SHARE: usize = 7_000;

/// What the sources may take at least: the blocks, by which people decide, are cut only when that doesn't help.
const SOURCES: usize = 3_500;

/// Buttons that clients show side by side; the others stand in rows of as many at the end of the card.
const BUTTONS_IN_A_ROW: usize = 5;

/// Code longer than this opens from a button.
const FOLDED: usize = 400;

/// Buttons in rows.
fn rows(actions: &[Value]) -> Vec<Value> {
    actions.chunks(BUTTONS_IN_A_ROW).map(|row| json!({"type": "ActionSet", "actions": row})).collect()
}

/// Renders cards.
pub(crate) struct Renderer(Handlebars<'static>);

impl Renderer {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mut templates = Handlebars::new();
        templates.set_strict_mode(true);
        templates.register_escape_fn(escape);
        templates.register_helper("bar", Box::new(bar));
        templates.register_helper("count", Box::new(count));
        templates.register_helper("all_new", Box::new(all_new));
        templates.register_helper("long", Box::new(long));
        templates.register_helper("position", Box::new(position));
        templates.register_helper("confirm", Box::new(confirm));
        for file in TEMPLATES.files() {
            let name = file.path().file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let text = file.contents_utf8().context("template is not UTF-8")?;
            templates.register_template_string(name, text.trim_end()).with_context(|| format!("template {name}"))?;
        }
        Ok(Self(templates))
    }

    /// The whole card, at most [`LARGEST`] bytes.
    pub(crate) fn card(&self, card: &Card) -> anyhow::Result<Value> {
        let head = self.head(card)?;
        let mut actions = self.actions(&card.actions)?;
        let more = rows(&actions.split_off(actions.len().min(BUTTONS_IN_A_ROW)));
        let summary = clip(&card.summary, 300);
        let mut whole = json!({
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard", "version": "1.5", "msteams": {"width": "Full"}, "fallbackText": summary,
        });
        let frame = [&head, &actions, &more].map(size).iter().sum::<usize>() + size(&whole);
        let room = LARGEST.saturating_sub(frame + 100);
        let mut sources = self.sources(&card.citations)?;
        let needed = card.blocks.iter().map(|block| Ok(size(self.block(block)?) + 1)).sum::<anyhow::Result<usize>>()?;
        let left = room.saturating_sub(needed + size(self.block(&cut_note())?));
        sources = within(sources, left.max(SOURCES));
        let blocks = self.blocks(&card.blocks, room.saturating_sub(size(&sources)))?;
        if let Some(fields) = whole.as_object_mut() {
            fields.insert("body".to_owned(), [head, blocks, sources, more].concat().into());
            fields.insert("actions".to_owned(), actions.into());
        }
        Ok(whole)
    }

    fn head(&self, card: &Card) -> anyhow::Result<Vec<Value>> {
        let Some(title) = &card.title else { return Ok(Vec::new()) };
        let subtitle = card.subtitle.as_deref().map(|subtitle| clip(subtitle, 300));
        Ok(vec![self.element("header", &json!({"kind": card.kind, "title": clip(title, 300), "subtitle": subtitle}))?])
    }

    fn sources(&self, citations: &[Citation]) -> anyhow::Result<Vec<Value>> {
        if citations.is_empty() {
            return Ok(Vec::new());
        }
        let heading = self.block(&Block::Heading { text: "Sources".to_owned() })?;
        let short = |c: &Citation| Citation { title: clip(&c.title, 160), about: clip(&c.about, 300), ..c.clone() };
        let sources = citations.iter().map(|citation| self.element("source", &short(citation)));
        let sources: Vec<Value> = std::iter::once(Ok(heading)).chain(sources).collect::<anyhow::Result<_>>()?;
        Ok(within(sources, SHARE))
    }

    fn actions(&self, actions: &[Action]) -> anyhow::Result<Vec<Value>> {
        let harmless = actions.iter().filter(|action| is_harmless(action));
        let rendered = harmless.map(|action| self.tagged("action", action)).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(within(rendered, SHARE))
    }

    /// The blocks from the top, as far as there is room; the one that doesn't fit is shortened.
    fn blocks(&self, blocks: &[Block], room: usize) -> anyhow::Result<Vec<Value>> {
        let note = self.block(&cut_note())?;
        let mut left = room.saturating_sub(note.to_string().len());
        let mut shown = Vec::new();
        for block in blocks {
            let mut block = block.clone();
            let mut element = self.block(&block)?;
            let mut cut = false;
            while element.to_string().len() + 1 > left {
                cut = true;
                let Some(shorter) = halve(block) else { return Ok([shown, vec![note]].concat()) };
                block = shorter;
                element = self.block(&block)?;
            }
            left -= element.to_string().len() + 1;
            shown.push(element);
            if cut {
                return Ok([shown, vec![note]].concat());
            }
        }
        Ok(shown)
    }

    fn block(&self, block: &Block) -> anyhow::Result<Value> {
        self.tagged("block", block)
    }

    /// Renders by the template that has the name of the value's own tag.
    fn tagged(&self, tag: &str, value: &impl Serialize) -> anyhow::Result<Value> {
        let value = serde_json::to_value(value)?;
        let name = value.get(tag).and_then(Value::as_str).unwrap_or_default();
        self.element(name, &value)
    }

    fn element(&self, template: &str, context: &impl Serialize) -> anyhow::Result<Value> {
        let text = self.0.render(template, context).with_context(|| format!("template {template}"))?;
        serde_json::from_str(&text).with_context(|| format!("template {template} makes no JSON"))
    }
}

/// A link leads to a web page, never into a script or another program.
fn is_harmless(action: &Action) -> bool {
    match action {
        Action::Open { url, .. } => url.starts_with("http") && web_address(url).is_some(),
        Action::Press { .. } | Action::Ask { .. } | Action::Csv { .. } => true,
    }
}

/// Half of a block; none when nothing sensible is left.
fn halve(block: Block) -> Option<Block> {
    match block {
        Block::Table { columns, mut rows, more } if rows.len() > 1 => {
            let hidden = rows.split_off(rows.len() / 2).len();
            Some(Block::Table { columns, rows, more: more + u64::try_from(hidden).unwrap_or(0) })
        }
        Block::Items { ordered, items } => first_half(items).map(|items| Block::Items { ordered, items }),
        Block::Rows { rows } => first_half(rows).map(|rows| Block::Rows { rows }),
        Block::Bars { bars } => first_half(bars).map(|bars| Block::Bars { bars }),
        Block::Change { rows } => first_half(rows).map(|rows| Block::Change { rows }),
        Block::Text { runs, tone } => first_half(runs).map(|runs| Block::Text { runs, tone }),
        // Half a command is worse than none.
        Block::Heading { .. } | Block::Table { .. } | Block::Code { .. } => None,
    }
}

fn first_half<T>(mut items: Vec<T>) -> Option<Vec<T>> {
    items.truncate(items.len() / 2);
    (!items.is_empty()).then_some(items)
}

fn cut_note() -> Block {
    let runs = vec![Run::plain("… more than a message can hold: ask for the CSV, or open it in the web view.")];
    Block::Text { runs, tone: Tone::Subtle }
}

/// As many elements from the front as have room.
fn within(elements: Vec<Value>, room: usize) -> Vec<Value> {
    let mut used = 0;
    let fits = |element: &Value| {
        used += element.to_string().len() + 1;
        used <= room
    };
    elements.into_iter().take_while(fits).collect()
}

fn size(value: impl Serialize) -> usize {
    serde_json::to_string(&value).map_or(0, |text| text.len())
}

/// The first `most` characters, with a mark when there were more.
pub(super) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// The inside of a JSON string, without characters that make one text read as another.
fn escape(text: &str) -> String {
    let quoted = Value::String(visible(text)).to_string();
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned()
}

handlebars_helper!(bar: |value: u64, of: u64| {
    let full = usize::try_from((tenths(value, of).unwrap_or(0) + 50) / 100).unwrap_or(0);
    format!("{}{}", "█".repeat(full), "░".repeat(10 - full))
});
handlebars_helper!(count: |number: u64| grouped(i64::try_from(number).unwrap_or(i64::MAX)));
handlebars_helper!(all_new: |rows: array| rows.iter().all(|row| row.get("before").is_none_or(Value::is_null)));
handlebars_helper!(long: |text: str| text.len() > FOLDED);
handlebars_helper!(position: |index: u64| index + 1);
handlebars_helper!(confirm: |label: str| label.trim_end_matches('…').trim_end());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::samples::{HOSTILE, samples};

    fn rendered(card: &Card) -> Value {
        Renderer::new().unwrap().card(card).unwrap()
    }

    /// All objects of a card, however deep.
    fn objects(value: &Value) -> Vec<&serde_json::Map<String, Value>> {
        match value {
            Value::Object(fields) => std::iter::once(fields).chain(fields.values().flat_map(objects)).collect(),
            Value::Array(items) => items.iter().flat_map(objects).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_sample_fits_and_says_nothing_in_markdown() {
        for (name, card) in samples() {
            let json = rendered(&card);
            assert!(json.to_string().len() <= LARGEST, "{name}");
            for object in objects(&json) {
                let kind = object.get("type").and_then(Value::as_str);
                assert_ne!(kind, Some("TextBlock"), "{name}: a TextBlock reads Markdown");
                assert_ne!(kind, Some("FactSet"), "{name}: a fact reads Markdown");
                assert!(kind.is_none_or(|kind| !kind.is_empty()), "{name}");
            }
            record(name, &json);
        }
    }

    /// For the check by other people's renderers and schemas in `tests/clients/cards`.
    fn record(name: &str, card: &Value) {
        let Some(folder) = std::env::var_os("PORTCULLIS_RECORD") else { return };
        let folder = std::path::Path::new(&folder).join("cards");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.json")), card.to_string()).unwrap();
    }

    #[test]
    fn hostile_text_stays_text() {
        let (_, card) = samples().into_iter().find(|(name, _)| *name == "hostile").unwrap();
        let json = rendered(&card);
        let seen = visible(HOSTILE);
        let texts: Vec<&str> = objects(&json).iter().filter_map(|object| object.get("text")?.as_str()).collect();
        assert!(texts.iter().any(|text| text.starts_with(&seen)), "{texts:#?}");
        for action in objects(&json).iter().filter(|object| object.get("type") == Some(&json!("Action.OpenUrl"))) {
            assert!(action["url"].as_str().unwrap().starts_with("http"), "{action:?}");
        }
    }

    #[test]
    fn a_press_carries_which_thing_in_which_version() {
        let (_, card) = samples().into_iter().find(|(name, _)| *name == "approval").unwrap();
        let json = rendered(&card);
        let create = objects(&json).into_iter().find(|object| object.get("verb") == Some(&json!("create"))).unwrap();
        insta::assert_json_snapshot!(create);
    }

    #[test]
    fn a_long_card_is_cut_and_says_so() {
        let rows = (0..2_000).map(|n| vec![format!("user {n}"), "Sales".to_owned()]).collect();
        let column = |title: &str| crate::chat::card::Column { title: title.to_owned(), numeric: false };
        let table = Block::Table { columns: vec![column("Account"), column("Department")], rows, more: 5 };
        let after = Block::Heading { text: "never shown".to_owned() };
        let json = rendered(&Card { blocks: vec![table, after], ..Card::default() });
        let text = json.to_string();
        assert!(text.len() <= LARGEST, "{}", text.len());
        let shown = text.matches("user ").count();
        let hidden = grouped(i64::try_from(2_005 - shown).unwrap());
        assert!(text.contains(&format!("and {hidden} more")), "{shown} shown");
        assert!(text.contains("ask for the CSV") && !text.contains("never shown"));
    }

    #[test]
    fn bars_are_ten_wide_whatever_the_numbers() {
        for (value, of) in [(0, 0), (9, 0), (1, 3), (97, 100), (300, 100), (0, 7)] {
            let bars = vec![crate::chat::card::Bar { label: String::new(), value, of, note: String::new() }];
            let text = rendered(&Card { blocks: vec![Block::Bars { bars }], ..Card::default() }).to_string();
            assert_eq!(text.matches(['█', '░']).count(), 10, "{value} of {of}");
        }
    }

    #[test]
    fn the_refusal_as_a_whole() {
        let (_, card) = samples().into_iter().find(|(name, _)| *name == "refusal").unwrap();
        insta::assert_json_snapshot!(rendered(&card));
    }
}
