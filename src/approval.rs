//! The life of an approval as a pure state machine: [`step`] takes a state and an event and gives the next state and
//! what has to be done about it.
//!
//! Three rules keep a policy from being created twice or unannounced. The new state is committed before its effects
//! run; `Record` and `CommitIntent` are entries of the activity log written in that same transaction. So the intent
//! stands in the log before the request is sent, and `Create` is done by whoever committed `posting`, once. A worker
//! that takes an approval up again knows nothing of what ran before: it says `Resumed`, and a request that may have
//! been sent is looked for by its marker, never repeated.
//!
//! Where a person is asked because the policies couldn't be listed, `LagBoundPassed` says that they can be again, and that
//! the policy isn't among them.
//!
//! A card's buttons carry the version of what is decided ([`State::decides_as`]), and a click on another is shown the card as
//! it is and decides nothing. A wish raises it never: whoever may only ask must not take a card out of an approver's hands.
//!
//! The moves (`tests/approval.rs` compares this table with the code; everything else is refused):
//!
//! | state | event | next state | effects |
//! |---|---|---|---|
//! | open | Approve | checking | Record(approval.granted), CheckAgain, UpdateCard |
//! | open | AskChange | open | Record(suggestion.change-asked), UpdateCard |
//! | open | Snooze | snoozed | Record(suggestion.snoozed), UpdateCard |
//! | open | Dismiss | dismissed | Record(suggestion.dismissed), UpdateCard |
//! | open | OutOfDate | out-of-date | Record(suggestion.out-of-date), UpdateCard |
//! | open | Due | expired | Record(approval.expired), UpdateCard |
//! | open | Resolved | resolved | Record(suggestion.resolved), UpdateCard |
//! | open | Done, an edit | resolved | Record(suggestion.resolved), UpdateCard |
//! | open | Done, a policy | created | Record(suggestion.done), UpdateCard |
//! | open | DoneOtherwise | open | Record(suggestion.done-otherwise), UpdateCard |
//! | open, none of two | Approve | open | Record(approval.granted), UpdateCard |
//! | open, one of two | Approve | checking | Record(approval.granted), CheckAgain, UpdateCard |
//! | open, one of two | Withdraw | open | Record(approval.withdrawn), UpdateCard |
//! | snoozed | Dismiss | dismissed | Record(suggestion.dismissed), UpdateCard |
//! | snoozed | Reopen | open | Record(suggestion.reopened), UpdateCard |
//! | snoozed | Due | open | Record(suggestion.reopened), UpdateCard |
//! | snoozed | Resolved | resolved | Record(suggestion.resolved), UpdateCard |
//! | snoozed | Done, an edit | resolved | Record(suggestion.resolved), UpdateCard |
//! | snoozed | Done, a policy | created | Record(suggestion.done), UpdateCard |
//! | dismissed | Reopen | open | Record(suggestion.reopened), UpdateCard |
//! | checking | ChecksPassed | intended | CommitIntent |
//! | checking | ChecksFailed | refused | Record(approval.refused), UpdateCard, Tell |
//! | checking | OutOfDate | out-of-date | Record(suggestion.out-of-date), UpdateCard, Tell |
//! | checking | Due | expired | Record(approval.expired), UpdateCard, Tell |
//! | checking | Resumed | checking | CheckAgain |
//! | intended | IntentCommitted | posting | Create |
//! | intended | Resumed | posting | Create |
//! | posting | PostAnswered | reading-back | ReadBack |
//! | posting | PostRefused | refused | Record(approval.refused), UpdateCard, Tell |
//! | posting | PostNotSent | checking | CheckLater |
//! | posting | PostUnknown | looking | Record(policy.create.unknown), LookForMarker, UpdateCard |
//! | posting | Resumed | looking | Record(policy.create.unknown), LookForMarker, UpdateCard |
//! | looking | PostAnswered | reading-back | ReadBack |
//! | looking | FoundByMarker | reading-back | ReadBack |
//! | looking | FoundSeveral | needs-person | Record(policy.needs-person), UpdateCard, Tell |
//! | looking | LagBoundPassed | needs-person | Record(policy.needs-person), UpdateCard, Tell |
//! | looking | ListUnreadable | needs-person | Record(policy.needs-person), UpdateCard, Tell |
//! | looking | Resumed | looking | LookForMarker |
//! | reading-back | ReadBack as drafted | created | Record(policy.created), UpdateCard |
//! | reading-back | ReadBack otherwise | needs-person | Record(policy.needs-person), UpdateCard, Tell |
//! | reading-back | LagBoundPassed | needs-person | Record(policy.needs-person), UpdateCard, Tell |
//! | reading-back | Resumed | reading-back | ReadBack |
//! | created | Undo | undoing | Record(policy.remove.intended), RemovePolicy, UpdateCard |
//! | created | Resolved | resolved | Record(suggestion.resolved), UpdateCard |
//! | created | PolicyGone | gone | Record(policy.gone), UpdateCard |
//! | undoing | PolicyGone | gone | Record(policy.gone), UpdateCard |
//! | undoing | PolicyRemoved | undone | Record(policy.removed), UpdateCard |
//! | undoing | PolicyLeft | created | Record(policy.remove.refused), UpdateCard, Tell |
//! | undoing | LagBoundPassed | needs-person | Record(policy.needs-person), UpdateCard, Tell |
//! | undoing | Resumed | undoing | RemovePolicy |
//! | needs-person | PostAnswered | reading-back | ReadBack |
//! | needs-person | FoundByMarker | reading-back | ReadBack |
//! | needs-person | FoundSeveral | needs-person | Record(policy.needs-person), UpdateCard, Tell |
//! | needs-person | Resumed | needs-person | LookForMarker |
//! | needs-person | Settle | settled | Record(policy.settled), UpdateCard |
//! | needs-person | Resolved | resolved | Record(suggestion.resolved), UpdateCard |

mod events;
mod moves;
mod outside;
mod refused;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use events::{Effect, Event, Move};
pub use moves::step;
pub use outside::{AuditRef, Kept, RestsOn, Tried, Wish};
pub use refused::{Did, Refused};

/// Somebody, as the directory knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Entra object id: what makes it the same person.
    pub id: String,
    /// Display name; untrusted text.
    pub name: String,
}

/// A decision by a person whose right to decide was checked at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Click {
    /// Who.
    pub by: Person,
    /// When.
    pub at: Timestamp,
}

/// What was fixed when the card was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Who asked for it; none: the bot itself, after a scan.
    pub asker: Option<Person>,
    /// How many people must approve: 1, or 2 of whom none is the asker.
    pub needed: u8,
    /// When nobody can approve any more.
    pub expires: Timestamp,
    /// How long Graph may go on not showing a policy that it created.
    pub lag_bound: SignedDuration,
    /// Ends the policy's display name; finds it again when the request's outcome is not known.
    pub marker: String,
    /// The ticket that it is for, as a person named it, such as `CHG0041877`.
    #[serde(default)]
    pub ticket: Option<String>,
    /// The policies that were On when the card was made: a change of one makes the card out of date.
    #[serde(default)]
    pub rests_on: Vec<RestsOn>,
}

/// Where an approval is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// Waits for people.
    Open {
        /// Who approved so far.
        granted: Vec<Click>,
        /// What a person did about it that isn't what the card says.
        #[serde(default)]
        tried: Option<Tried>,
        /// What people want to be different, the newest last.
        #[serde(default)]
        wishes: Vec<Wish>,
    },
    /// Put off.
    Snoozed {
        /// By whom.
        click: Click,
        /// Until when.
        until: Timestamp,
    },
    /// Turned down.
    Dismissed {
        /// By whom.
        click: Click,
        /// Why; untrusted text.
        reason: String,
    },
    /// Approved; on its way into the tenant.
    Creating {
        /// Who approved.
        granted: Vec<Click>,
        /// How far.
        phase: Phase,
    },
    /// The policy exists in report-only.
    Created(Made),
    /// Its removal was asked for.
    Undoing {
        /// What was made.
        made: Made,
        /// Who asked to remove it.
        click: Click,
    },
    /// The bot's own policy was removed again.
    Undone {
        /// What had been made.
        made: Made,
        /// Who asked to remove it.
        click: Click,
    },
    /// Somebody else removed the policy.
    Gone {
        /// What had been made.
        made: Made,
        /// The removal in the tenant's audit log, where one is known.
        record: Option<AuditRef>,
    },
    /// What the card rests on has changed; a new card must be decided.
    OutOfDate {
        /// What changed, as people read it.
        why: String,
    },
    /// The bot can't tell, or won't touch it.
    NeedsPerson {
        /// What it can't settle.
        doubt: Doubt,
        /// Who approved.
        granted: Vec<Click>,
        /// The policy, if one is known.
        policy_id: Option<String>,
        /// Further policies with the same marker, of which there must be none.
        #[serde(default)]
        others: Vec<String>,
    },
    /// A person looked in the tenant for what the bot couldn't tell; whatever is there is a person's from then on.
    Settled {
        /// Who looked.
        click: Click,
        /// Whether a policy is there.
        there: bool,
        /// What the bot couldn't tell.
        doubt: Doubt,
        /// The policy, if one is known.
        policy_id: Option<String>,
    },
    /// Not created, for a reason that another click wouldn't change.
    Refused {
        /// Why, as people read it.
        why: String,
    },
    /// Nobody decided in time.
    Expired,
    /// A person did it, or the finding is gone.
    Resolved {
        /// The evidence, as people read it.
        proof: String,
        /// The change in the tenant's audit log, where one is known.
        #[serde(default)]
        record: Option<AuditRef>,
    },
}

/// How far the creation of a policy is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// What the card rests on is read again; lint and admin lock-out check follow.
    Checking,
    /// The log says that a policy is about to be created; no request was sent.
    Intended,
    /// The request may have been sent.
    Posting {
        /// From when on.
        since: Timestamp,
    },
    /// The request's outcome is not known.
    Looking {
        /// Since when the request may have been sent.
        since: Timestamp,
    },
    /// The policy exists; whether it is as drafted is read.
    ReadingBack {
        /// Since when the request may have been sent.
        since: Timestamp,
        /// The policy's object id.
        policy_id: String,
    },
}

/// A policy that exists as it was drafted, in report-only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Who approved; nobody when a person created it.
    pub granted: Vec<Click>,
    /// The policy's object id.
    pub policy_id: String,
    /// When it was read back as drafted.
    pub at: Timestamp,
    /// How a person created it, whom the bot handed it over to; none: the bot made it.
    #[serde(default)]
    pub record: Option<AuditRef>,
    /// Why it was not taken back when somebody asked.
    #[serde(default)]
    pub kept: Option<Kept>,
}

/// What a person has to settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// The request's outcome is unknown and no policy with the marker appeared in time.
    NotFound,
    /// Graph gave the policy an id but didn't show it in time.
    NotReadable,
    /// The policy isn't as it was drafted, or not report-only.
    Differs,
    /// The request's outcome is unknown, and the policies couldn't be listed when it should have shown.
    NotListed,
    /// Several policies carry the marker.
    Several,
    /// Whether the policy was removed isn't known, or Graph refuses it.
    NotRemoved,
}

impl State {
    /// A new card.
    #[must_use]
    pub fn new() -> Self {
        Self::Open { granted: Vec::new(), tried: None, wishes: Vec::new() }
    }

    /// Its name, as stored and listed.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Snoozed { .. } => "snoozed",
            Self::Dismissed { .. } => "dismissed",
            Self::Creating { phase, .. } => phase.name(),
            Self::Created(_) => "created",
            Self::Undoing { .. } => "undoing",
            Self::Undone { .. } => "undone",
            Self::Gone { .. } => "gone",
            Self::OutOfDate { .. } => "out-of-date",
            Self::NeedsPerson { .. } => "needs-person",
            Self::Settled { .. } => "settled",
            Self::Refused { .. } => "refused",
            Self::Expired => "expired",
            Self::Resolved { .. } => "resolved",
        }
    }

    /// Whether nothing can change it any more.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Settled { .. }
                | Self::Undone { .. }
                | Self::Gone { .. }
                | Self::OutOfDate { .. }
                | Self::Refused { .. }
                | Self::Expired
                | Self::Resolved { .. }
        )
    }

    /// Whether a click on a card in the other state decides the same: both wait, and at most people's wishes differ.
    #[must_use]
    pub fn decides_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Open { granted, tried, .. }, Self::Open { granted: others, tried: otherwise, .. }) => {
                granted == others && tried == otherwise
            }
            _ => false,
        }
    }

    /// When time itself changes it ([`Event::Due`]); none: never.
    #[must_use]
    pub fn due(&self, terms: &Terms) -> Option<Timestamp> {
        match self {
            Self::Open { .. } => Some(terms.expires),
            Self::Snoozed { until, .. } => Some(*until),
            // What was approved at the last minute still has some time to be checked.
            Self::Creating { phase: Phase::Checking, .. } => Some(terms.expires.saturating_add(terms.lag_bound).ok()?),
            _ => None,
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl Phase {
    fn name(&self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Intended => "intended",
            Self::Posting { .. } => "posting",
            Self::Looking { .. } => "looking",
            Self::ReadingBack { .. } => "reading-back",
        }
    }
}
