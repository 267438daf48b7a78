//! The message that carries a card: citations, the label for text ordered by a model, the wish for feedback.
//!
//! Form: "Bot messages with AI-generated content" (Microsoft Learn): one root entity; names of 80 and abstracts of
//! 160 characters; each position stands as `[n]` in the text.

use serde_json::{Value, json};

use super::parse::Reference;
use super::render::clip;
use crate::chat::card::{Card, Citation, Kind};

/// Citations that a message may carry: the page says 20, the Agents Playground refuses a message with more than 10. The
/// card's own list of sources goes on.
const CITATIONS: usize = 10;

/// A message activity around a rendered card.
pub(crate) fn message(card: &Card, rendered: &Value, conversation: &str, to: &Reference) -> Value {
    let mut message = json!({
        "type": "message",
        "from": {"id": to.bot},
        "conversation": {"id": conversation},
        "summary": clip(&card.summary, 300),
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": rendered}],
    });
    if let Some(entity) = entity(card) {
        add(&mut message, "entities", json!([entity]));
    }
    if card.kind == Kind::Answer {
        add(&mut message, "channelData", json!({"feedbackLoop": {"type": "default"}}));
        // Teams splits text and card, and tells no id then; cards that change later carry their sources inside only.
        if let Some(text) = sources(&card.citations) {
            add(&mut message, "text", json!(text));
        }
    }
    message
}

/// The marks that Teams turns into chips. Written by us alone, as this text is read as Markdown.
fn sources(citations: &[Citation]) -> Option<String> {
    let marks: Vec<String> =
        citations.iter().take(CITATIONS).map(|citation| format!("[{}]", citation.number)).collect();
    (!marks.is_empty()).then(|| format!("Sources {}", marks.join(" ")))
}

/// The root entity; none when there is nothing to label and nothing to cite, since its mere presence may say "AI".
fn entity(card: &Card) -> Option<Value> {
    let cited = if card.kind == Kind::Answer { card.citations.as_slice() } else { &[] };
    if cited.is_empty() && !card.ordered_by_model {
        return None;
    }
    let mut entity = json!({
        "type": "https://schema.org/Message", "@type": "Message", "@context": "https://schema.org", "@id": "",
        "citation": cited.iter().take(CITATIONS).map(claim).collect::<Vec<_>>(),
    });
    if card.ordered_by_model {
        add(&mut entity, "additionalType", json!(["AIGeneratedContent"]));
    }
    Some(entity)
}

fn claim(citation: &Citation) -> Value {
    json!({
        "@type": "Claim",
        "position": citation.number,
        "appearance": {
            "@type": "DigitalDocument",
            "name": clip(&citation.title, 80),
            "abstract": clip(if citation.about.is_empty() { &citation.title } else { &citation.about }, 160),
        },
    })
}

fn add(object: &mut Value, field: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(field.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to() -> Reference {
        Reference { service_url: "https://smba.trafficmanager.net/".into(), bot: "28:bot".into(), thread: None }
    }

    fn cited(count: u32) -> Card {
        let citation = |number| Citation {
            number,
            evidence: format!("e-{number}"),
            title: "t".repeat(100),
            about: "a".repeat(200),
        };
        Card { citations: (1..=count).map(citation).collect(), ..Card::default() }
    }

    #[test]
    fn citations_keep_to_the_limits_and_stand_in_the_text() {
        let message = message(&cited(25), &json!({}), "c", &to());
        let claims = message.pointer("/entities/0/citation").and_then(Value::as_array).unwrap();
        assert_eq!(claims.len(), 10);
        for claim in claims {
            let text = |pointer| claim.pointer(pointer).and_then(Value::as_str).unwrap().chars().count();
            assert_eq!((text("/appearance/name"), text("/appearance/abstract")), (80, 160));
            assert!(message["text"].as_str().unwrap().contains(&format!("[{}]", claim["position"])));
        }
        assert_eq!(message.pointer("/entities/0/additionalType"), None, "no model, no label");
        assert_eq!(message["entities"].as_array().unwrap().len(), 1, "two root entities are an error");
    }

    #[test]
    fn the_label_stands_on_text_ordered_by_a_model_only() {
        let by_model = Card { ordered_by_model: true, ..Card::default() };
        let labelled = message(&by_model, &json!({}), "c", &to());
        assert_eq!(labelled.pointer("/entities/0/additionalType/0"), Some(&json!("AIGeneratedContent")));
        assert_eq!(message(&Card::default(), &json!({}), "c", &to()).get("entities"), None);
    }
}
