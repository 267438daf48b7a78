//! What a sign-in test hangs on, by who could say: whoever asks, what was not read, or a person who looks.

use std::collections::BTreeSet;

use crate::tenant::sign_in::Known;
use crate::tenant::{Kind, SignIn, Snapshot};

/// Names of what isn't known, as the engine gives them.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Hinges {
    /// The question leaves it open.
    pub(crate) asked: Vec<String>,
    /// It was not read; each with the file that would settle it.
    pub(crate) unread: Vec<String>,
    /// Parts of policies that can't be judged, as JSON pointers.
    pub(crate) look: Vec<String>,
}

impl Hinges {
    /// Sorts them.
    pub(crate) fn of(on: &BTreeSet<String>, sign_in: &SignIn, snapshot: &Snapshot) -> Self {
        let mut hinges = Self::default();
        for what in on {
            match settled_by(what, sign_in, snapshot) {
                _ if what.starts_with('/') => hinges.look.push(what.clone()),
                _ if what.contains("would settle it") => hinges.unread.push(what.clone()),
                Some(file) => hinges.unread.push(format!("{what} ({file} would settle it)")),
                None => hinges.asked.push(what.clone()),
            }
        }
        hinges
    }

    /// All of them, with their files.
    pub(crate) fn all(&self) -> Vec<String> {
        [self.asked.as_slice(), self.unread.as_slice(), self.look.as_slice()].concat()
    }
}

/// The file that would say it, or say it in full; none where only the question could.
fn settled_by(what: &str, sign_in: &SignIn, snapshot: &Snapshot) -> Option<String> {
    let lacks = |kind: Kind| !snapshot.has(kind);
    let placed = sign_in.ip != Known::Unknown || sign_in.country != Known::Unknown;
    let file = match what {
        "the user's groups and roles" if lacks(Kind::Users) => return Some(directory(snapshot)),
        "whether the user is an agent's account" if lacks(Kind::Users) => "users.json",
        "who holds which role" if lacks(Kind::RoleAssignments) => "roleAssignments.json",
        "who holds which role" => "groups.json",
        "the location" if placed && lacks(Kind::NamedLocations) => "namedLocations.json",
        "the service principal" if lacks(Kind::ServicePrincipals) => "servicePrincipals.json",
        "custom security attributes of apps" => "servicePrincipals.json with customSecurityAttributes",
        "the tenant's setting for baseline scopes" => "baselineScopes in settings.json",
        _ if what.starts_with("members of group ") => "groups.json with its members",
        _ if what.starts_with("which apps belong to ") => "appGroups in settings.json",
        _ => return None,
    };
    Some(file.to_owned())
}

/// The files that say who is in which group and role, as far as they were not read.
fn directory(snapshot: &Snapshot) -> String {
    let files =
        [(Kind::Users, "users.json"), (Kind::Groups, "groups.json"), (Kind::RoleAssignments, "roleAssignments.json")];
    let lacking: Vec<&str> = files.iter().filter(|(kind, _)| !snapshot.has(*kind)).map(|(_, file)| *file).collect();
    match lacking.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => lacking.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::Reading;

    fn hinges(on: &[&str], sign_in: &SignIn, read: &[Kind]) -> Hinges {
        let mut snapshot = Snapshot::default();
        snapshot.readings.extend(read.iter().map(|kind| (*kind, Reading::Complete { count: 1 })));
        Hinges::of(&on.iter().map(|what| (*what).to_owned()).collect(), sign_in, &snapshot)
    }

    #[test]
    fn what_was_not_read_is_told_from_what_the_question_leaves_open() {
        let on = ["the client app", "the user's groups and roles", "who holds which role", "/conditions/times"];
        let found = hinges(&on, &SignIn::default(), &[Kind::Groups]);
        assert_eq!(found.asked, ["the client app"]);
        assert_eq!(found.look, ["/conditions/times"]);
        let files = "the user's groups and roles (users.json and roleAssignments.json would settle it)";
        assert_eq!(found.unread, [files, "who holds which role (roleAssignments.json would settle it)"]);
        let directory = [Kind::Users, Kind::Groups, Kind::RoleAssignments];
        assert_eq!(hinges(&on[1..2], &SignIn::default(), &directory).asked, ["the user's groups and roles"]);
    }

    #[test]
    fn a_place_that_was_stated_hangs_on_the_named_locations() {
        let unstated = SignIn::default();
        let stated = SignIn { country: Known::Is("BR".to_owned()), ..SignIn::default() };
        assert_eq!(hinges(&["the location"], &unstated, &[]).asked, ["the location"]);
        let unread = ["the location (namedLocations.json would settle it)"];
        assert_eq!(hinges(&["the location"], &stated, &[]).unread, unread);
        assert_eq!(hinges(&["the location"], &stated, &[Kind::NamedLocations]).asked, ["the location"]);
    }
}
