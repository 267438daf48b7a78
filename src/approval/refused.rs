//! Why an event changes nothing: what to say to the person who clicked.

use jiff::Timestamp;

use super::{Click, Event, Person, State};

/// Why an event changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Two people are needed, and whoever asked is neither.
    #[error("whoever asked for it can't approve it when two people are needed")]
    Asker,
    /// Somebody was quicker, perhaps the same person.
    #[error("already {what} by {} at {at}", by.name)]
    Already {
        /// What they did.
        what: Did,
        /// Who.
        by: Person,
        /// When; render it in the reader's time zone.
        at: Timestamp,
    },
    /// The person had not approved.
    #[error("there is no approval of yours to take back")]
    NotGranted,
    /// A person created the policy.
    #[error("a person created this policy, so it isn't mine to take back")]
    NotOurs,
    /// The card was open for too long.
    #[error("expired at {at}; ask for a new card")]
    Expired {
        /// When.
        at: Timestamp,
    },
    /// Something that only time allows came too soon.
    #[error("not before {until}")]
    TooEarly {
        /// When it can come.
        until: Timestamp,
    },
    /// Whether its policy is in the tenant isn't known.
    #[error(
        "whether its policy is in the tenant is for a person to say first; look in Entra and click \"It is there\" or \
         \"It isn't there\""
    )]
    LookFirst,
    /// The event has no place in this state.
    #[error("{}", standing(state))]
    NotNow {
        /// The state's name.
        state: &'static str,
    },
}

/// What somebody did before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// Approved.
    Approved,
    /// Asked for a change, the same or later.
    AskedChange,
    /// Snoozed.
    Snoozed,
    /// Dismissed.
    Dismissed,
    /// Asked to remove the policy.
    Undone,
    /// Looked whether the policy is there.
    Settled,
}

impl std::fmt::Display for Did {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Approved => "approved",
            Self::AskedChange => "asked for a change",
            Self::Snoozed => "snoozed",
            Self::Dismissed => "dismissed",
            Self::Undone => "undone",
            Self::Settled => "settled",
        })
    }
}

impl Refused {
    /// The refusal of an event that has no move in this state: who was quicker, if somebody was.
    pub(super) fn of(state: &State, event: &Event) -> Self {
        let earlier = match state {
            State::Snoozed { click, .. } => Some((Did::Snoozed, click)),
            State::Dismissed { click, .. } => Some((Did::Dismissed, click)),
            State::Settled { click, .. } => Some((Did::Settled, click)),
            State::Undoing { click, .. } | State::Undone { click, .. } => Some((Did::Undone, click)),
            State::Creating { granted, .. } => granted.last().map(|click| (Did::Approved, click)),
            State::Created(made) => made.granted.last().map(|click| (Did::Approved, click)),
            _ => None,
        };
        match earlier {
            Some((what, click)) if event.is_click() => Self::already(what, click),
            None if event.is_click() && matches!(state, State::NeedsPerson { .. }) => Self::LookFirst,
            _ => Self::NotNow { state: state.name() },
        }
    }

    pub(super) fn already(what: Did, click: &Click) -> Self {
        Self::Already { what, by: click.by.clone(), at: click.at }
    }
}

/// Where an approval in a state of this name stands, as people say it.
fn standing(state: &str) -> &'static str {
    match state {
        "open" => "the card waits for a decision",
        "snoozed" => "it is put off",
        "dismissed" => "it is dismissed",
        "undoing" => "its policy is being removed",
        "undone" => "its policy was taken back",
        "created" => "its policy is in report-only already",
        "gone" => "its policy isn't in the tenant any more",
        "out-of-date" => "the card is out of date; ask for a new one",
        "expired" => "the card has expired; ask for a new one",
        "needs-person" => "a person has to look in Entra first",
        "settled" => "a person has looked it up already",
        "refused" => "it was not created; ask for a new card",
        "resolved" => "it is resolved",
        _ => "its policy is being created",
    }
}

impl Event {
    /// Whether a person did it, and waits for an answer.
    fn is_click(&self) -> bool {
        matches!(
            self,
            Self::Approve(_)
                | Self::Withdraw(_)
                | Self::AskChange(_)
                | Self::Snooze { .. }
                | Self::Dismiss { .. }
                | Self::Reopen(_)
                | Self::Undo(_)
                | Self::Settle { .. }
        )
    }
}
