//! Names and values in a message, each a verbatim part of its text.

use std::collections::BTreeMap;

use super::spans::Kind;
use super::text::Message;

/// What a value is; the names are those of the question files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotName {
    /// The account a question is about.
    User,
    /// Groups, roles, departments, classes of users, account patterns.
    Group,
    /// Cloud apps, portals, app ids.
    App,
    /// Policy id, GUID, name or a phrase used as its name.
    Policy,
    /// `S-n`.
    Suggestion,
    /// Country, city, site, named location, address.
    Location,
    /// Operating system or device.
    Platform,
    /// Browsers, protocols, authentication flows.
    ClientApp,
    /// A risk level.
    Risk,
    /// A start, or a point to compare with.
    Since,
    /// A bounded span, or a day.
    Period,
    /// On, off, report-only, as words.
    State,
    /// Length or end of a snooze, pause or rule.
    Duration,
    /// Why something is dismissed or snoozed.
    Reason,
    /// Clock time.
    Time,
    /// Days of a schedule.
    Days,
    /// AADSTS codes, with or without the prefix.
    ErrorCode,
}

impl SlotName {
    /// All names.
    pub const ALL: &'static [Self] = &[
        Self::User,
        Self::Group,
        Self::App,
        Self::Policy,
        Self::Suggestion,
        Self::Location,
        Self::Platform,
        Self::ClientApp,
        Self::Risk,
        Self::Since,
        Self::Period,
        Self::State,
        Self::Duration,
        Self::Reason,
        Self::Time,
        Self::Days,
        Self::ErrorCode,
    ];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::App => "app",
            Self::Policy => "policy",
            Self::Suggestion => "suggestion",
            Self::Location => "location",
            Self::Platform => "platform",
            Self::ClientApp => "client_app",
            Self::Risk => "risk",
            Self::Since => "since",
            Self::Period => "period",
            Self::State => "state",
            Self::Duration => "duration",
            Self::Reason => "reason",
            Self::Time => "time",
            Self::Days => "days",
            Self::ErrorCode => "error_code",
        }
    }
}

/// Values by name, in the order of the text.
pub type Slots = BTreeMap<SlotName, Vec<String>>;

impl Message<'_> {
    /// The slots of the message.
    pub(crate) fn slots(&self) -> Slots {
        let mut slots = Slots::new();
        for span in self.spans() {
            let Some(name) = name(span.kind) else { continue };
            slots.entry(name).or_default().push(span.text(self.raw()).trim_matches(['\'', '"']).to_owned());
        }
        slots
    }
}

fn name(kind: Kind) -> Option<SlotName> {
    Some(match kind {
        Kind::Suggestion => SlotName::Suggestion,
        Kind::Policy | Kind::Quoted => SlotName::Policy,
        Kind::Upn | Kind::Account | Kind::Person => SlotName::User,
        Kind::Code => SlotName::ErrorCode,
        Kind::Ip | Kind::Place => SlotName::Location,
        Kind::Clock => SlotName::Time,
        Kind::App => SlotName::App,
        Kind::Platform => SlotName::Platform,
        Kind::ClientApp => SlotName::ClientApp,
        Kind::Group | Kind::ExclusionGroup => SlotName::Group,
        Kind::Guid | Kind::Run | Kind::Mention => return None,
    })
}
