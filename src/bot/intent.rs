//! What a message asks for: its intent, the names and values in it, and whether it must be refused.
//!
//! Routing decides which card or answer a person sees, never what happens: text leads to a card, a button acts.
//! Two witnesses are added up: a small model that learns from the example utterances under `prompts/intents` when
//! it is first used, and a few [`rules`] over [`concepts`] (word families) for what it confuses.

pub(crate) mod concepts;
pub(crate) mod features;
pub(crate) mod foreign;
pub(crate) mod forms;
pub(crate) mod gazetteer;
pub(crate) mod kinds;
pub(crate) mod model;
pub(crate) mod names;
pub(crate) mod pattern;
pub(crate) mod questions;
pub(crate) mod refusals;
pub(crate) mod replies;
pub(crate) mod rules;
pub(crate) mod slots;
pub(crate) mod spans;
pub(crate) mod spelling;
pub(crate) mod text;
pub(crate) mod times;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use kinds::{Class, Intent, Refusal, UnknownIntent};
pub use questions::question;
pub use slots::{SlotName, Slots};

/// The turn before, for words that mean nothing alone ("and from Android?").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// What that turn was about.
    pub intent: Intent,
    /// Its subject in words: a policy, a suggestion, "CA011 was disabled on Saturday".
    pub subject: String,
}

/// The reading of one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Routed {
    /// The best reading.
    pub intent: Intent,
    /// Names and values, each a verbatim part of the text.
    pub slots: Slots,
    /// Set with [`Intent::OutOfScope`] only: what was asked for that the bot refuses or does not know.
    pub refusal: Option<Refusal>,
    /// False when the next best reading is close: ask back, with the alternatives as buttons.
    pub sure: bool,
    /// The next best readings, best first, at most three; never the intent itself.
    pub alternatives: Vec<Intent>,
    /// It needs the turn before to be understood, so what that was about counts for this one too.
    pub follows: bool,
}

/// A lead of the best reading below this is a guess (in units of rule weight); found on the example questions.
const SURE_LEAD: f32 = 2.0;

/// A question is hardly an order that must be refused; the patterns have found the exceptions before.
const QUESTION_DOUBT: f32 = 2.0;

/// No word and no name is longer, in bytes.
const LONGEST_WORD: usize = 60;

/// Longer messages are cut here before anything looks at them: no question needs more, and work stays bounded.
const MAX_CHARS: usize = 2_000;

/// Reads a message. Costs about a millisecond; the first call also trains the model.
#[must_use]
pub fn route(text: &str, previous: Option<&Previous>) -> Routed {
    route_among(text, previous, std::iter::empty())
}

/// The same in a tenant with these people, whose names are known however they are written.
#[must_use]
pub fn route_among<'a>(text: &str, previous: Option<&Previous>, people: impl Iterator<Item = &'a str>) -> Routed {
    let text: String = text.chars().take(MAX_CHARS).collect();
    let message = text::Message::among(&text, &names::find(&text, people));
    let alone = weigh(model::Model::shared(), &message, None);
    let lead_alone = lead(&ranked(&alone));
    let needed = context_needed(&message, lead_alone);
    let scores = previous.map_or_else(|| alone.clone(), |turn| mixed(&alone, needed, &message, turn));
    let refusal = refusals::find(&message, previous.map(|turn| turn.intent));
    let unread = || foreign::is_foreign(&text) || is_unreadable(&message, previous);
    let refusal = refusal.or_else(|| unread().then_some(Refusal::OtherTopic));
    let refusal = refusal.or_else(|| replies::find(&message, previous));
    let turned = || forms::turns_to(&message, previous.map(|turn| turn.intent));
    let shown = || forms::shows(&message, previous.map(|turn| turn.intent));
    let form = forms::find(&message).or_else(turned).or_else(shown).filter(|_| refusal.is_none());
    let goes_on = forms::goes_on(&message, previous.map(|turn| turn.intent)).filter(|_| refusal.is_none());
    let ranked = ranked(&scores);
    let best = ranked.first().map_or(Class::Outside(Refusal::OtherTopic), |(class, _)| *class);
    let class = refusal.map(Class::Outside).or(form.or(goes_on).map(Class::Answered)).unwrap_or(best);
    Routed {
        intent: class.intent(),
        slots: message.slots(class.intent()),
        refusal: class.refusal(),
        sure: refusal.is_some() || form.or(goes_on).is_some() || lead(&ranked) >= SURE_LEAD,
        alternatives: alternatives(&ranked, class.intent()),
        follows: goes_on.is_some() || (previous.is_some() && form.is_none() && follows(&message, lead_alone)),
    }
}

/// Whether what the turn before was about counts: the message goes on, refers back, or is too short or unclear to stand
/// alone. What it asks may be clear all the same ("why was it blocked"), so this isn't whether context is needed for that.
fn follows(message: &text::Message<'_>, lead_alone: f32) -> bool {
    let goes_on = message.words().count() <= 2 || message.opens_as_follow_up() || message.refers_back();
    goes_on || (lead_alone < SURE_LEAD && !message.is_whole_question())
}

/// Whether hardly a word is one that the examples use: another language, or no words at all. A single one may be a name
/// that the turn before asked for.
fn is_unreadable(message: &text::Message<'_>, previous: Option<&Previous>) -> bool {
    let is_word = |word: &&str| !word.starts_with('_') && word.chars().all(char::is_alphabetic);
    let words: Vec<&str> = message.words().filter(is_word).collect();
    if message.is_code() || words.iter().any(|word| word.len() > LONGEST_WORD) {
        return true;
    }
    let known = words.iter().filter(|word| spelling::vocabulary().contains_key(**word)).count();
    let answers = previous.is_some() && words.len() < 3;
    !words.is_empty() && !answers && known * 3 < words.len()
}

/// The next best readings that the bot could answer.
fn alternatives(ranked: &[(Class, f32)], chosen: Intent) -> Vec<Intent> {
    let intents = ranked.iter().map(|(class, _)| class.intent());
    intents.filter(|intent| *intent != chosen && *intent != Intent::OutOfScope).take(3).collect()
}

/// Every class with its score; the turn before counts the less, the more the words say without it.
fn mixed(alone: &[(Class, f32)], needed: f32, message: &text::Message<'_>, turn: &Previous) -> Vec<(Class, f32)> {
    let after = weigh(model::Model::shared(), message, Some(turn.intent));
    alone.iter().zip(after).map(|((class, alone), (_, after))| (*class, alone + needed * (after - alone))).collect()
}

/// From 0, words that stand alone, to 1, words that mean nothing without the turn before.
///
/// A clear reading needs no context, unless the words say that they go on or refer back; found on the questions.
fn context_needed(message: &text::Message<'_>, lead_alone: f32) -> f32 {
    let clear = match message {
        message if message.words().count() <= 2 && !model::is_command(message.plain()) => return 1.0,
        message if message.opens_as_follow_up() => 12.0,
        message if message.refers_back() => 6.0,
        _ => 2.0,
    };
    (1.0 - lead_alone / clear).max(0.0)
}

/// What a model and the rules say for each class after a turn of that intent.
fn weigh(model: &model::Model, message: &text::Message<'_>, previous: Option<Intent>) -> Vec<(Class, f32)> {
    let concepts = concepts::of(message);
    let learnt = model.scores(&features::of(message, &concepts, previous));
    let rules = rules::scores(&concepts, message, previous);
    let asked = refusals::is_question(message.plain());
    let weight_of = |class: Class| match rules.get(&class).copied().unwrap_or_default() {
        weight if asked && class.refusal().is_some_and(Refusal::is_refused) => weight - QUESTION_DOUBT,
        weight => weight,
    };
    Class::all().zip(learnt).map(|(class, learnt)| (class, learnt + weight_of(class))).collect()
}

/// How far the best intent is ahead of the next.
fn lead(ranked: &[(Class, f32)]) -> f32 {
    match ranked {
        [(_, best), (_, next), ..] => best - next,
        _ => f32::MAX,
    }
}

/// The best class of each intent, best intent first.
fn ranked(scores: &[(Class, f32)]) -> Vec<(Class, f32)> {
    let mut best: BTreeMap<Intent, (Class, f32)> = BTreeMap::new();
    for &(class, score) in scores {
        let entry = best.entry(class.intent()).or_insert((class, score));
        if score > entry.1 {
            *entry = (class, score);
        }
    }
    let mut ranked: Vec<(Class, f32)> = best.into_values().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked
}
