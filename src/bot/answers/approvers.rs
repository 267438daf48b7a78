//! "Can Alice approve?": whether a person has an approver's role or group, and who has.

use roaring::RoaringBitmap;

use crate::bot::answer::{Answer, Part, ask};
use crate::checks::{rows, scopes};
use crate::facts::{Fact, Term};
use crate::tenant::{Assignment, Kind};

use super::meant::said;
use super::named::Back;
use super::{Asked, named, unread};

/// Whether the person of this name may decide, by what, and who else may.
///
/// # Errors
/// A question back, when the name fits nobody or several.
pub(super) fn told(asked: Asked<'_>, name: &str) -> Result<Answer, Back> {
    let user = named::user(asked, name)?;
    if let Some(back) = unread::back(asked, &[Kind::RoleAssignments]) {
        return Err(back);
    }
    let snapshot = asked.analysis.snapshot();
    let index = snapshot.directory.user_index(&user.id);
    let holds = |ways: &[Way]| {
        let held = ways.iter().filter(|(_, users)| index.is_some_and(|index| users.contains(index)));
        Term::Names(held.map(|(name, _)| name.clone()).collect())
    };
    let (now, later) = (ways(asked, Assignment::Active), ways(asked, Assignment::Eligible));
    let all = now.iter().fold(RoaringBitmap::new(), |all, (_, users)| all | users);
    let names = all.iter().filter_map(|index| snapshot.directory.user_at(index));
    let one = Fact::new("help.may_approve", asked.analysis.evidence(rows::users(&all, snapshot, None)))
        .with("person", Term::Name(user.display_name.to_string()))
        .with("ways", holds(&now))
        .with("later", holds(&later))
        .must_show();
    let who = Fact::new("help.approvers", asked.analysis.evidence(rows::users(&all, snapshot, None)))
        .with("count", all.len())
        .with("names", Term::Names(names.map(|user| user.display_name.to_string()).collect()))
        .must_show();
    let how = said("help.approving").with("needed", u64::from(asked.app.config.who.approvals_needed));
    Ok(Answer::sentences(vec![one, who, how])
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("What can you do?", "help")))
}

/// A role or group whose members may decide, by its name here.
type Way = (String, RoaringBitmap);

/// The configured roles and groups with those who are in them; nobody is eligible for a group here.
fn ways(asked: Asked<'_>, assignment: Assignment) -> Vec<Way> {
    let (model, snapshot) = (&asked.analysis.model, asked.analysis.snapshot());
    let approvers = &asked.app.config.who.approvers;
    let roles = approvers.roles.iter().map(|id| {
        let holders = model.role_holders(id, assignment).unwrap_or_default();
        (scopes::role_name(snapshot, id), holders)
    });
    let groups = approvers.groups.iter().filter(|_| assignment == Assignment::Active);
    let groups = groups.filter_map(|id| snapshot.directory.groups.get(id)).map(|group| {
        let members = group.transitive.as_deref().cloned().unwrap_or_default();
        (group.display_name.clone(), members & model.default_users())
    });
    roles.chain(groups).collect()
}

#[cfg(test)]
mod tests {
    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    #[tokio::test]
    async fn a_person_may_decide_or_not_and_who_may_is_named() {
        let words = said(&nordwerk(), Intent::Help, "can dana admin approve").await;
        assert!(words.starts_with("Yes: Dana Admin may decide, with Global Administrator."), "{words}");
        let words = said(&nordwerk(), Intent::Help, "can alice moreau approve").await;
        assert!(words.starts_with("No: Alice Moreau has no approver's role or group now."), "{words}");
        assert!(words.contains("1 person may: Dana Admin."), "{words}");
    }
}
