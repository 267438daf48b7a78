//! The append-only activity log: what happened, by whom, on what evidence; one hash chain per tenant.
//!
//! Pure: the statements are in `store/entries.rs`. The chain shows an entry that was edited, deleted, inserted or
//! moved, and a counter beside it that the newest were cut off. Somebody who can write to the whole database can set
//! both right again: for that the head is posted in each daily summary, out of the database's reach.

use aws_lc_rs::digest::{Context as Hasher, SHA256};
use jiff::Timestamp;
use serde_json::Value;

/// What stands before the first entry of a tenant.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The bot itself or a person.
    pub kind: ActorKind,
    /// Entra object id of a person; the bot's own name otherwise.
    pub id: String,
    /// Display name; untrusted text.
    pub name: String,
}

impl Actor {
    /// The bot, acting on a schedule or carrying out what a person approved.
    #[must_use]
    pub fn bot() -> Self {
        Self { kind: ActorKind::Bot, id: "bot".into(), name: "the bot".into() }
    }

    /// A person by Entra object id and display name.
    #[must_use]
    pub fn person(id: &str, name: &str) -> Self {
        Self { kind: ActorKind::Person, id: id.into(), name: name.into() }
    }
}

/// The two kinds of actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// The bot.
    Bot,
    /// Somebody.
    Person,
}

impl ActorKind {
    /// As stored and hashed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Person => "person",
        }
    }

    /// From its stored form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Bot, Self::Person].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The actions and their stored names, written once.
macro_rules! actions {
    ($($variant:ident = $name:literal, $doc:literal;)*) => {
        /// What can happen. The names are stored and hashed: never rename one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Action {
            $(#[doc = $doc] $variant,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As stored and hashed.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

actions! {
    RunAsked = "run.asked", "A person asked for a scan.";
    RunStarted = "run.started", "A scan began.";
    RunFinished = "run.finished", "A scan ended with a new reading.";
    RunCancelled = "run.cancelled", "A scan was cancelled by a person.";
    RunFailed = "run.failed", "A scan could not be finished.";
    SuggestionOpened = "suggestion.opened", "A finding was suggested for the first time, or again.";
    SuggestionSnoozed = "suggestion.snoozed", "A person put a suggestion off.";
    SuggestionDismissed = "suggestion.dismissed", "A person dismissed a suggestion with a reason.";
    SuggestionReopened = "suggestion.reopened", "A dismissal or snooze ended.";
    SuggestionOutOfDate = "suggestion.out-of-date", "What the suggestion rests on has changed.";
    SuggestionResolved = "suggestion.resolved", "The finding is gone, with its proof.";
    SuggestionDone = "suggestion.done", "A person created the policy as described; the tenant's audit record is its proof.";
    SuggestionDoneOtherwise = "suggestion.done-otherwise", "A person made the change, but not as described; it stays open.";
    SuggestionChangeAsked = "suggestion.change-asked", "A person wants what is suggested to be different; the card shows it.";
    SuggestionHandedOver = "suggestion.handed-over", "The exact change was given to a person to make.";
    ApprovalRequested = "approval.requested", "A card asks for a decision.";
    ApprovalGranted = "approval.granted", "A person approved.";
    ApprovalWithdrawn = "approval.withdrawn", "A person took an approval back.";
    ApprovalRefused = "approval.refused", "A click was refused, or the checks before creating failed.";
    ApprovalExpired = "approval.expired", "Nobody decided in time.";
    PolicyCreateIntended = "policy.create.intended", "About to ask for a report-only policy; written before the request.";
    PolicyCreated = "policy.created", "The report-only policy was read back as drafted.";
    PolicyCreateUnknown = "policy.create.unknown", "The request's outcome is not known; it is looked for, not repeated.";
    PolicyNeedsPerson = "policy.needs-person", "The bot can't tell or won't touch it: a person must look.";
    PolicySettled = "policy.settled", "A person looked in the tenant for what the bot couldn't tell.";
    PolicyRemoveIntended = "policy.remove.intended", "About to remove an untouched report-only policy of the bot's own.";
    PolicyRemoved = "policy.removed", "The bot's own report-only policy is gone.";
    PolicyGone = "policy.gone", "A policy that was created from a card is gone, and the bot didn't remove it.";
    PolicyRemoveRefused = "policy.remove.refused", "Somebody edited the policy: the bot leaves it.";
    InstructionAdded = "instruction.added", "A standing instruction was confirmed.";
    InstructionRemoved = "instruction.removed", "A standing instruction was taken back.";
    SettingChanged = "setting.changed", "A person changed a setting of the bot.";
    ConversationEnabled = "conversation.enabled", "An administrator let the bot answer in a channel.";
    SummaryPosted = "summary.posted", "A summary was posted; its body holds the head of this log.";
    FeedbackGiven = "feedback.given", "Somebody liked or disliked an answer or a suggestion.";
    QuestionAnswered = "question.answered", "A question was answered.";
    QuestionRefused = "question.refused", "A question was refused.";
}

impl Action {
    /// From its stored form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == text)
    }
}

/// An entry to append.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// Whose log.
    pub tenant: String,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What happened.
    pub action: Action,
    /// To what: `S-34`, `A-3`, a policy id, a run id.
    pub subject: String,
    /// The particulars, as JSON.
    pub body: Value,
    /// Ids of the evidence it rests on.
    pub evidence: Vec<String>,
}

/// An entry as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whose log.
    pub tenant: String,
    /// Its number, from 1, without gaps.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What happened.
    pub action: Action,
    /// To what.
    pub subject: String,
    /// The particulars: the very JSON text that was hashed.
    pub body: String,
    /// Ids of the evidence it rests on.
    pub evidence: Vec<String>,
    /// Hash of the entry before it.
    pub prev: String,
    /// Hash of this one, in lower-case hexadecimal.
    pub hash: String,
}

impl Entry {
    /// Seals `new` as number `seq` behind the entry with hash `prev`.
    #[must_use]
    pub fn seal(new: NewEntry, seq: i64, prev: &str) -> Self {
        let NewEntry { tenant, at, actor, action, subject, body, evidence } = new;
        let body = body.to_string();
        let (prev, hash) = (prev.to_owned(), String::new());
        let mut entry = Self { tenant, seq, at, actor, action, subject, body, evidence, prev, hash };
        entry.hash = entry.digest();
        entry
    }

    /// The particulars as JSON.
    #[must_use]
    pub fn details(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// SHA-256 over every field but the hash itself. Each is preceded by its length, so that no text can pretend
    /// to be a boundary.
    fn digest(&self) -> String {
        let (seq, at) = (self.seq.to_string(), self.at.as_millisecond().to_string());
        let mut fields = vec!["portcullis entry 1", &self.tenant, &seq, &self.prev, &at];
        fields.extend([self.actor.kind.as_str(), &self.actor.id, &self.actor.name]);
        fields.extend([self.action.as_str(), &self.subject, &self.body]);
        fields.extend(self.evidence.iter().map(String::as_str));
        let mut hasher = Hasher::new(&SHA256);
        for field in fields {
            hasher.update(format!("{}:{field},", field.len()).as_bytes());
        }
        hex(hasher.finish().as_ref())
    }
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |text, byte| format!("{text}{byte:02x}"))
}

/// The newest entry of a chain: what to note somewhere else, to notice a log that was cut short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 for an empty log.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { seq: 0, hash: GENESIS.into() }
    }
}

/// The outcome of checking a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many entries fit.
    pub entries: u64,
    /// The last one that fits; compare it with the head that a summary posted.
    pub head: Head,
    /// The first that doesn't fit; none: the chain holds.
    pub first_break: Option<Break>,
}

/// Where a chain breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// A number is missing or comes twice: entries were deleted, inserted or moved.
    #[error("entry {expected} is missing; entry {found} stands in its place")]
    Number {
        /// What should have come.
        expected: i64,
        /// What came.
        found: i64,
    },
    /// The entry doesn't continue from the one before it.
    #[error("entry {seq} does not follow the entry before it")]
    Link {
        /// Its number.
        seq: i64,
    },
    /// The newest entries are gone: more were counted than are there.
    #[error("the log ends at entry {found}, but {expected} were written")]
    Cut {
        /// How many were written.
        expected: i64,
        /// The last that is there.
        found: i64,
    },
    /// The content isn't what was hashed.
    #[error("entry {seq} was changed after it was written")]
    Edited {
        /// Its number.
        seq: i64,
    },
}

impl Verified {
    /// Takes the next entry in order of its number; after the first break nothing more counts.
    pub fn take(&mut self, entry: &Entry) {
        if self.first_break.is_some() {
            return;
        }
        match self.fits(entry) {
            Ok(()) => {
                self.entries += 1;
                self.head = Head { seq: entry.seq, hash: entry.hash.clone() };
            }
            Err(found) => self.first_break = Some(found),
        }
    }

    /// Closes the check, given how many entries were `counted` before it began.
    #[must_use]
    pub fn close(mut self, counted: i64) -> Self {
        if self.first_break.is_none() && self.head.seq < counted {
            self.first_break = Some(Break::Cut { expected: counted, found: self.head.seq });
        }
        self
    }

    fn fits(&self, entry: &Entry) -> Result<(), Break> {
        let (seq, expected) = (entry.seq, self.head.seq + 1);
        if seq != expected {
            return Err(Break::Number { expected, found: seq });
        }
        if entry.prev != self.head.hash {
            return Err(Break::Link { seq });
        }
        if entry.digest() != entry.hash {
            return Err(Break::Edited { seq });
        }
        Ok(())
    }
}

/// Checks a whole chain, oldest entry first.
#[must_use]
pub fn verify(entries: &[Entry]) -> Verified {
    let mut verified = Verified::default();
    for entry in entries {
        verified.take(entry);
    }
    verified
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn chain(length: i64) -> Vec<Entry> {
        let mut chain: Vec<Entry> = Vec::new();
        for seq in 1..=length {
            let new = NewEntry {
                tenant: "t".into(),
                at: Timestamp::from_millisecond(seq * 1000).unwrap(),
                actor: Actor::person("p-1", "M. Okafor"),
                action: Action::ApprovalGranted,
                subject: format!("A-{seq}"),
                body: json!({"n": seq, "share": 0.1}),
                evidence: vec!["e1".into(), "e2".into()],
            };
            let prev = chain.last().map_or(GENESIS, |entry| &entry.hash).to_owned();
            chain.push(Entry::seal(new, seq, &prev));
        }
        chain
    }

    #[test]
    fn a_whole_chain_holds_and_names_its_head() {
        let chain = chain(5);
        let verified = verify(&chain);
        assert_eq!(verified.entries, 5);
        assert_eq!(verified.first_break, None);
        assert_eq!(verified.head.hash, chain[4].hash);
    }

    #[test]
    fn any_edit_of_any_field_is_seen() {
        let edits: [fn(&mut Entry); 8] = [
            |e| e.tenant = "u".into(),
            |e| e.at = Timestamp::from_millisecond(1).unwrap(),
            |e| e.actor.name = "Somebody Else".into(),
            |e| e.actor.kind = ActorKind::Bot,
            |e| e.action = Action::ApprovalRefused,
            |e| e.subject.push('0'),
            |e| e.body = e.body.replace('3', "4"),
            |e| e.evidence = vec!["e1e2".into()],
        ];
        for edit in edits {
            let mut chain = chain(5);
            edit(&mut chain[2]);
            assert_eq!(verify(&chain).first_break, Some(Break::Edited { seq: 3 }));
        }
    }

    #[test]
    fn deletion_insertion_reordering_and_resealing_are_seen() {
        let mut deleted = chain(5);
        deleted.remove(2);
        assert_eq!(verify(&deleted).first_break, Some(Break::Number { expected: 3, found: 4 }));
        let mut inserted = chain(5);
        inserted.insert(2, inserted[1].clone());
        assert_eq!(verify(&inserted).first_break, Some(Break::Number { expected: 3, found: 2 }));
        let mut moved = chain(5);
        moved.swap(1, 2);
        assert_eq!(verify(&moved).first_break, Some(Break::Number { expected: 2, found: 3 }));
        let mut resealed = chain(5);
        resealed[2].subject = "A-99".into();
        resealed[2].hash = resealed[2].digest();
        assert_eq!(verify(&resealed).first_break, Some(Break::Link { seq: 4 }));
    }

    #[test]
    fn a_cut_shows_beside_the_counter_or_the_posted_head() {
        let whole = chain(5);
        let cut = verify(&whole[..3]);
        assert_eq!(cut.first_break, None);
        assert_ne!(cut.head, verify(&whole).head);
        assert_eq!(cut.close(5).first_break, Some(Break::Cut { expected: 5, found: 3 }));
        assert_eq!(verify(&whole).close(5).first_break, None);
    }

    #[test]
    fn the_stored_names_of_actions_are_distinct() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(*action));
        }
    }
}
