//! What the bot posts, before a platform renders it: a short document with citations and buttons.

use serde::{Deserialize, Serialize};

/// A message of the bot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// What it is, which a platform may show by colour.
    pub kind: Kind,
    /// Heading; none for a plain answer.
    pub title: Option<String>,
    /// Beside or under the heading: tenant, date, number of the suggestion.
    pub subtitle: Option<String>,
    /// What it says, top to bottom.
    pub blocks: Vec<Block>,
    /// Buttons, most useful first.
    pub actions: Vec<Action>,
    /// What the numbers in the text open.
    pub citations: Vec<Citation>,
    /// A language model chose the order; people see the label for it.
    pub ordered_by_model: bool,
    /// One line for notifications and clients that show no cards.
    pub summary: String,
}

/// What a card is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// An answer to a question.
    #[default]
    Answer,
    /// Something that waits for a decision.
    Approval,
    /// A change that a person makes: nothing is created from here.
    HandOver,
    /// The daily summary.
    Summary,
    /// Work under way.
    Progress,
    /// A refusal, said to one person.
    Refusal,
    /// A question back, or a confirmation.
    Question,
}

/// One part of a card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "block", rename_all = "camelCase")]
pub enum Block {
    /// A heading inside the card.
    Heading {
        /// Its words.
        text: String,
    },
    /// A paragraph.
    Text {
        /// Its runs.
        runs: Vec<Run>,
        /// How it is meant.
        tone: Tone,
    },
    /// Labelled lines: `Why  No policy blocks this flow …`.
    Rows {
        /// The lines.
        rows: Vec<LabelledRow>,
    },
    /// A list, numbered when `ordered`.
    Items {
        /// Numbered.
        ordered: bool,
        /// Its items.
        items: Vec<Item>,
    },
    /// A table.
    Table {
        /// Column headings.
        columns: Vec<Column>,
        /// Cells; each row as long as `columns`.
        rows: Vec<Vec<String>>,
        /// Rows that exist but aren't shown.
        more: u64,
    },
    /// Shares, drawn as bars.
    Bars {
        /// The bars.
        bars: Vec<Bar>,
    },
    /// Before and after.
    Change {
        /// What differs.
        rows: Vec<ChangeRow>,
    },
    /// Text to copy: JSON, commands, a ticket.
    Code {
        /// What it is: `JSON`, `PowerShell`, `Terraform`, `Text`.
        language: String,
        /// The text, exactly.
        text: String,
    },
}

/// How a paragraph is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tone {
    /// Ordinary.
    #[default]
    Normal,
    /// Good news.
    Good,
    /// Look here.
    Warning,
    /// Something is wrong.
    Attention,
    /// Beside the point, such as limits and reading times.
    Subtle,
}

/// A piece of text with its citations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The words: plain text, escaped by every renderer.
    pub text: String,
    /// Numbers of the citations it rests on.
    pub cites: Vec<u32>,
    /// Stressed.
    pub strong: bool,
}

impl Run {
    /// Plain text without citations.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Text with citations.
    #[must_use]
    pub fn cited(text: impl Into<String>, cites: Vec<u32>) -> Self {
        Self { text: text.into(), cites, strong: false }
    }
}

/// A labelled line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelledRow {
    /// Its label.
    pub label: String,
    /// What stands beside it.
    pub runs: Vec<Run>,
}

/// An item of a list, with buttons of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Its words.
    pub runs: Vec<Run>,
    /// Buttons that belong to it.
    pub actions: Vec<Action>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// Numbers stand to the right.
    pub numeric: bool,
}

/// A share, drawn as a bar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// What is measured.
    pub label: String,
    /// How many.
    pub value: u64,
    /// Of how many.
    pub of: u64,
    /// What stands behind it, such as yesterday's value.
    pub note: String,
}

/// One difference between before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeRow {
    /// The field, in the portal's words.
    pub label: String,
    /// Before; none when it is new.
    pub before: Option<String>,
    /// After; none when it is gone.
    pub after: Option<String>,
}

/// A numbered citation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Citation {
    /// Its number in the card, from 1.
    pub number: u32,
    /// Id of the stored evidence that it opens.
    pub evidence: String,
    /// What it is, such as `14 sign-ins, 24 Oct – 23 Nov`.
    pub title: String,
    /// A line about the rows behind it.
    pub about: String,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "camelCase")]
pub enum Action {
    /// Does something; what is decided again on our side when it is pressed.
    Press {
        /// Its words.
        label: String,
        /// What it does.
        press: Press,
        /// How it looks.
        style: Style,
        /// What the person is asked for first.
        input: Option<Input>,
    },
    /// Asks a question, as if it had been typed.
    Ask {
        /// Its words.
        label: String,
        /// The question.
        text: String,
    },
    /// Opens a page: of the Entra admin centre or of this program; built by our code only.
    Open {
        /// Its words.
        label: String,
        /// The address.
        url: String,
    },
    /// Downloads a whole list, where the platform can; elsewhere it says how to get it.
    Csv {
        /// Its words.
        label: String,
        /// Id of the stored list.
        sheet: String,
    },
}

/// What people find wrong with a message, as it is kept and as it is said.
const FAULTS: [(&str, &str); 4] = [
    ("not applicable here", "Not relevant here"),
    ("already handled otherwise", "Already handled otherwise"),
    ("wrong", "It is wrong"),
    ("hard to understand", "Hard to understand"),
];

/// The buttons by which people say what they think of a message, for platforms without their own.
#[must_use]
pub fn rating(message: &str) -> [Action; 2] {
    let press = |verb| Press { verb, subject: message.to_owned(), ..Press::default() };
    let choices = FAULTS.map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec();
    let like = Action::Press { label: "Useful".into(), press: press(Verb::Like), style: Style::Normal, input: None };
    let dislike = Action::Press {
        label: "Not useful…".into(),
        press: press(Verb::Dislike),
        style: Style::Normal,
        input: Some(Input::Choice { label: "What is wrong with it?".into(), choices }),
    };
    [like, dislike]
}

/// How a button looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Style {
    /// Ordinary.
    #[default]
    Normal,
    /// The step that leads on.
    Primary,
    /// Can't be taken back lightly.
    Danger,
}

/// What a person is asked for when pressing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "camelCase")]
pub enum Input {
    /// A line of text.
    Text {
        /// Its label.
        label: String,
        /// It may not be empty.
        required: bool,
    },
    /// One of several.
    Choice {
        /// Its label.
        label: String,
        /// Value and words of each.
        choices: Vec<(String, String)>,
    },
    /// One of several lengths, or a day of the calendar instead (`2026-12-01`).
    Day {
        /// Its label.
        label: String,
        /// Value and words of each length.
        choices: Vec<(String, String)>,
    },
}

/// What a button carries: which thing, in which version; never the decision itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Press {
    /// What is asked for.
    pub verb: Verb,
    /// The thing it is about: `A-12`, `S-34`, `I-4`, a run's id.
    pub subject: String,
    /// The version of the thing that the card showed, for a decision: whoever saw another than the present one is shown that,
    /// and nothing is decided.
    pub version: i64,
    /// What the card said to be decided on, such as numbers of people, as a short hash; none beside a button whose card says
    /// nothing of the kind.
    pub says: Option<String>,
    /// What the person entered or chose; untrusted text.
    pub input: Option<String>,
    /// The platform's id of the message that holds the button.
    pub message: Option<String>,
}

/// What a button asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    /// Create the policy in report-only.
    Create,
    /// Put the suggestion off.
    Snooze,
    /// Turn the suggestion down, with a reason.
    Dismiss,
    /// Say what should be different about it.
    AskChange,
    /// Take up a suggestion that was put off or turned down.
    Reopen,
    /// Show the rows behind it.
    #[default]
    Evidence,
    /// Show the approval card of a suggestion.
    Propose,
    /// Take back what the bot did.
    Undo,
    /// Say that the policy is there, whose creation the bot couldn't follow.
    IsThere,
    /// Say that it isn't there.
    NotThere,
    /// Keep a standing instruction.
    KeepInstruction,
    /// Remove a standing instruction.
    RemoveInstruction,
    /// Start a scan.
    Run,
    /// Stop a scan.
    CancelRun,
    /// Keep a schedule for the summary.
    KeepSchedule,
    /// Let people ask in this channel.
    EnableChannel,
    /// Like a message.
    Like,
    /// Dislike a message, with a reason.
    Dislike,
}
