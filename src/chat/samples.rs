//! Realistic cards of every kind, and a hostile one: each platform's tests render all of them.

use super::card::{
    Action, Bar, Block, Card, ChangeRow, Citation, Column, Input, Item, Kind, LabelledRow, Press, Run, Style, Tone,
    Verb,
};

mod answers;
mod approvals;

/// Text that would be markup, a link, a template or a reordered line if a renderer forgot to escape it.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script> \"quoted\" 'single' ](http://evil.example) *bold* _em_ `tick` \
     {{handlebars}} ${host} \\ & &lt; <at>Everyone</at> \u{202E}txt.exe\u{202C} \u{200B}";

/// All samples by name.
pub(crate) fn samples() -> Vec<(&'static str, Card)> {
    vec![
        ("summary", answers::summary()),
        ("summary_quiet", answers::quiet()),
        ("not_covered", answers::not_covered()),
        ("why_blocked", answers::why_blocked()),
        ("suggestions", answers::suggestions()),
        ("progress", answers::progress()),
        ("refusal", answers::refusal()),
        ("question", answers::question()),
        ("instruction", answers::instruction()),
        ("approval", approvals::approval()),
        ("approval_created", approvals::created()),
        ("approval_out_of_date", approvals::out_of_date()),
        ("hand_over", approvals::hand_over()),
        ("hostile", hostile()),
    ]
}

fn hostile() -> Card {
    let long = "W".repeat(600);
    let run = Run { text: HOSTILE.to_owned(), cites: vec![1, 99], strong: true };
    let press = Press { verb: Verb::Dismiss, subject: HOSTILE.to_owned(), version: 1, ..Press::default() };
    let required = Input::Text { label: HOSTILE.to_owned(), required: true };
    let choice = Input::Choice { label: HOSTILE.to_owned(), choices: vec![(HOSTILE.to_owned(), HOSTILE.to_owned())] };
    let day = Input::Day { label: HOSTILE.to_owned(), choices: vec![(HOSTILE.to_owned(), HOSTILE.to_owned())] };
    let ask = Action::Ask { label: HOSTILE.to_owned(), text: HOSTILE.to_owned() };
    let button = |input| Action::Press { label: HOSTILE.to_owned(), press: press.clone(), style: Style::Danger, input };
    Card {
        kind: Kind::Approval,
        title: Some(HOSTILE.to_owned()),
        subtitle: Some(long.clone()),
        blocks: vec![
            heading(HOSTILE),
            Block::Text { runs: vec![run.clone(), Run::plain(long.clone())], tone: Tone::Attention },
            Block::Rows { rows: vec![LabelledRow { label: HOSTILE.to_owned(), runs: vec![run.clone()] }] },
            Block::Items { ordered: true, items: vec![Item { runs: vec![run], actions: vec![ask.clone()] }] },
            table(&[(HOSTILE, false), ("Count", true)], &[&[HOSTILE, "1"], &[&long, HOSTILE]], 1),
            Block::Bars { bars: vec![bar(HOSTILE, 9, 0, HOSTILE)] },
            change(&[(HOSTILE, Some(HOSTILE), None), (HOSTILE, None, Some(&long))]),
            code(HOSTILE, &format!("{HOSTILE}\n```\n</code></pre>{long}")),
        ],
        actions: vec![
            button(Some(required)),
            button(Some(choice)),
            button(Some(day)),
            ask,
            Action::Open { label: HOSTILE.to_owned(), url: "javascript:alert(1)".to_owned() },
        ],
        citations: vec![Citation {
            number: 1,
            evidence: "../x\"onclick=\"alert(1)".to_owned(),
            title: HOSTILE.to_owned(),
            about: HOSTILE.to_owned(),
        }],
        ordered_by_model: true,
        summary: HOSTILE.to_owned(),
    }
}

/// Runs of a line in which `[1]` cites and `*stressed*` is strong.
fn runs(line: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (position, part) in line.split('*').enumerate() {
        for (index, piece) in part.split('[').enumerate() {
            let (cite, text) = match piece.split_once(']') {
                Some((number, rest)) if index > 0 => (number.parse().ok(), rest),
                _ => (None, piece),
            };
            if let (Some(number), Some(last)) = (cite, runs.last_mut()) {
                last.text.truncate(last.text.trim_end().len());
                last.cites.push(number);
            }
            if !text.is_empty() {
                runs.push(Run { text: text.to_owned(), cites: Vec::new(), strong: position % 2 == 1 });
            }
        }
    }
    runs
}

fn heading(text: &str) -> Block {
    Block::Heading { text: text.to_owned() }
}

fn text(tone: Tone, line: &str) -> Block {
    Block::Text { runs: runs(line), tone }
}

fn rows(lines: &[(&str, &str)]) -> Block {
    let row = |(label, line): &(&str, &str)| LabelledRow { label: (*label).to_owned(), runs: runs(line) };
    Block::Rows { rows: lines.iter().map(row).collect() }
}

fn item(line: &str, actions: Vec<Action>) -> Item {
    Item { runs: runs(line), actions }
}

fn table(columns: &[(&str, bool)], cells: &[&[&str]], more: u64) -> Block {
    let column = |(title, numeric): &(&str, bool)| Column { title: (*title).to_owned(), numeric: *numeric };
    let row = |cells: &&[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
    Block::Table { columns: columns.iter().map(column).collect(), rows: cells.iter().map(row).collect(), more }
}

fn bar(label: &str, value: u64, of: u64, note: &str) -> Bar {
    Bar { label: label.to_owned(), value, of, note: note.to_owned() }
}

fn change(rows: &[(&str, Option<&str>, Option<&str>)]) -> Block {
    let row = |(label, before, after): &(&str, Option<&str>, Option<&str>)| ChangeRow {
        label: (*label).to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    Block::Change { rows: rows.iter().map(row).collect() }
}

fn code(language: &str, text: &str) -> Block {
    Block::Code { language: language.to_owned(), text: text.to_owned() }
}

fn ask(label: &str, text: &str) -> Action {
    Action::Ask { label: label.to_owned(), text: text.to_owned() }
}

fn open(label: &str, url: &str) -> Action {
    Action::Open { label: label.to_owned(), url: url.to_owned() }
}

fn press(label: &str, verb: Verb, subject: &str) -> Action {
    styled(label, verb, subject, Style::Normal)
}

fn styled(label: &str, verb: Verb, subject: &str, style: Style) -> Action {
    let press = Press { verb, subject: subject.to_owned(), version: 3, ..Press::default() };
    Action::Press { label: label.to_owned(), press, style, input: None }
}

fn cite(number: u32, title: &str, about: &str) -> Citation {
    let evidence = format!("0199b1c2-0000-7000-8000-{number:012}");
    Citation { number, evidence, title: title.to_owned(), about: about.to_owned() }
}

#[test]
fn runs_are_cut_at_citations_and_stress() {
    let cut = runs("Two *strong* words [1], more [2].");
    let texts: Vec<_> = cut.iter().map(|run| (run.text.as_str(), run.cites.as_slice(), run.strong)).collect();
    assert_eq!(
        texts,
        [
            ("Two ", [].as_slice(), false),
            ("strong", &[], true),
            (" words", &[1], false),
            (", more", &[2], false),
            (".", &[], false)
        ]
    );
}
