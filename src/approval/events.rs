//! What can happen to an approval, and what has to be done about it.

use jiff::Timestamp;

use super::{AuditRef, Click, Kept, Person, State, Tried, Wish};
use crate::log::Action;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A person approved.
    Approve(Click),
    /// A person took their approval back.
    Withdraw(Click),
    /// A person wants it to be different.
    AskChange(Wish),
    /// A person put it off.
    Snooze {
        /// Who.
        click: Click,
        /// Until when.
        until: Timestamp,
    },
    /// A person turned it down.
    Dismiss {
        /// Who.
        click: Click,
        /// Why.
        reason: String,
    },
    /// A person ended a snooze or dismissal.
    Reopen(Click),
    /// A person asked to remove what the bot made.
    Undo(Click),
    /// A person looked in the tenant for what the bot couldn't tell.
    Settle {
        /// Who.
        click: Click,
        /// Whether a policy is there.
        there: bool,
    },
    /// Nothing relevant changed, lint and lock-out check are content.
    ChecksPassed,
    /// Lint or lock-out check are not content.
    ChecksFailed {
        /// Why, as people read it.
        why: String,
    },
    /// Something that the card rests on has changed.
    OutOfDate {
        /// What, as people read it.
        why: String,
    },
    /// The state `intended` and its entry are committed.
    IntentCommitted {
        /// Now: from here on the request may be sent.
        at: Timestamp,
    },
    /// Graph answered with the new policy's object id.
    PostAnswered {
        /// That id.
        policy_id: String,
    },
    /// Graph refused for certain: nothing was created.
    PostRefused {
        /// Why, as people read it.
        why: String,
    },
    /// Nothing was sent, or Graph did nothing because of the moment: another try may succeed.
    PostNotSent {
        /// Why, as people read it.
        why: String,
        /// Now.
        at: Timestamp,
    },
    /// No answer, or one that doesn't tell.
    PostUnknown,
    /// The one policy whose name ends with the marker.
    FoundByMarker {
        /// Its object id.
        policy_id: String,
    },
    /// Several policies whose names end with the marker.
    FoundSeveral {
        /// Their object ids.
        policy_ids: Vec<String>,
    },
    /// Tried until the lag bound, in vain.
    LagBoundPassed {
        /// Now.
        at: Timestamp,
    },
    /// The lag bound has passed, and the policies can't be listed.
    ListUnreadable {
        /// Now.
        at: Timestamp,
    },
    /// The policy was read.
    ReadBack {
        /// Whether it is as drafted, in report-only.
        same: bool,
        /// Now.
        at: Timestamp,
    },
    /// A worker took it up from the stored state, knowing nothing of what ran before.
    Resumed {
        /// Now.
        at: Timestamp,
    },
    /// The bot removed its own, untouched, still report-only policy.
    PolicyRemoved,
    /// The policy is gone, and the bot didn't remove it.
    PolicyGone {
        /// The removal in the tenant's audit log, where one is known.
        record: Option<AuditRef>,
    },
    /// The policy was left alone: somebody edited it or turned it on.
    PolicyLeft(Kept),
    /// The time that [`State::due`] named has come.
    Due {
        /// Now.
        at: Timestamp,
    },
    /// A scan, or a person who looked, found it settled.
    Resolved {
        /// The evidence, as people read it.
        proof: String,
        /// The change in the tenant's audit log, where one is known.
        record: Option<AuditRef>,
    },
    /// A person made the change as the card describes it.
    Done {
        /// Where the tenant's audit log tells it.
        record: AuditRef,
        /// The new policy's object id; none: an edit.
        policy_id: Option<String>,
    },
    /// A person made the change, but not as the card describes it.
    DoneOtherwise(Tried),
}

/// What has to be done. The first two are written in the transaction of the new state, the rest runs after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write this entry.
    Record(Action),
    /// Write the entry that a policy is about to be created.
    CommitIntent,
    /// Read again what the card rests on, then lint and admin lock-out check.
    CheckAgain,
    /// The same after a while.
    CheckLater,
    /// Send the one request; on an answer that doesn't tell, never again.
    Create,
    /// List policies until one ends with the marker, or until this time.
    LookForMarker {
        /// The lag bound.
        until: Timestamp,
    },
    /// Read the policy and compare it with the draft.
    ReadBack {
        /// Its object id.
        policy_id: String,
    },
    /// Remove the policy if it is the bot's own, untouched and still report-only; otherwise leave it.
    RemovePolicy {
        /// Its object id.
        policy_id: String,
    },
    /// Show the new state on every copy of the card.
    UpdateCard,
    /// Tell these people, who clicked and can't see what came of it.
    Tell(Vec<Person>),
}

/// The next state and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The state to commit; may be the same.
    pub state: State,
    /// In this order.
    pub effects: Vec<Effect>,
}
