//! "Which rules do you follow?": the standing instructions, who gave them, and buttons that remove them.

use crate::bot::access::Right;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::buttons::press;
use crate::chat::card::Verb;
use crate::facts::{Evidence, Fact, Term};
use crate::store::entries::Wanted;
use crate::store::instructions::Instruction;

use super::add_instruction::{check_words, day, object_name};
use super::bot_activity::row;
use super::meant::said;
use super::{Answering, Asked};

/// Lists the instructions that hold; ended and removed ones are counted.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let all = asked.app.store.instructions(asked.app.tenant()).await?;
        let (holding, over): (Vec<_>, Vec<_>) = all.into_iter().partition(|kept| kept.holds(asked.now));
        let named = number(asked.text);
        let shown: Vec<&Instruction> = match named {
            Some(number) => holding.iter().filter(|kept| kept.number == number).collect(),
            None => holding.iter().collect(),
        };
        if let (Some(number), true) = (named, shown.is_empty()) {
            let fact = said("refused.no_such_instruction").with("number", Term::Word(format!("I-{number}")));
            return Ok(Answer::sentences(vec![fact]).action(ask("All instructions", "show the standing instructions")));
        }
        let mut items = Vec::new();
        for kept in shown {
            let remove = press("Remove", Verb::RemoveInstruction, &format!("I-{}", kept.number), 0);
            let buttons = if asked.right == Right::Decide { vec![remove] } else { Vec::new() };
            items.push((one(asked, kept).await?, buttons));
        }
        let count = said("instructions.count").with("count", holding.len()).with("over", over.len());
        Ok(Answer::sentences(vec![count]).part(Part::List { ordered: false, items }))
    })
}

/// The number of an instruction in a text: `I-4`, `instruction 4`, `rule #4`.
fn number(text: &str) -> Option<i64> {
    let text = text.to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty()).collect();
    let short = words.iter().find_map(|word| word.strip_prefix("i-")?.parse().ok());
    let named = || {
        let after = words.iter().zip(words.iter().skip(1)).filter(|(word, _)| matches!(**word, "instruction" | "rule"));
        after.into_iter().find_map(|(_, number)| number.parse().ok())
    };
    short.or_else(named)
}

/// An instruction with the entry that keeps it.
async fn one(asked: Asked<'_>, kept: &Instruction) -> anyhow::Result<Fact> {
    let number = format!("I-{}", kept.number);
    let wanted = Wanted { subject: Some(number.clone()), limit: 5, ..Wanted::default() };
    let entries = asked.app.store.entries(asked.app.tenant(), &wanted).await?;
    let object = kept.said.object.as_deref().map(|id| object_name(asked.analysis.snapshot(), id)).unwrap_or_default();
    Ok(Fact::new("instructions.one", Evidence::of(entries.iter().map(row)))
        .with("number", Term::Word(number))
        .with("check", Term::Word(check_words(kept.said.check_id.as_deref())))
        .with("object", Term::Name(object))
        .with("until", day(asked, kept.said.until))
        .with("who", Term::Name(kept.said.by_name.clone()))
        .with("at", kept.said.created)
        .must_show())
}
