//! The edit of a policy that lets people choose between controls, of which some are too little: only those stay that are
//! enough. All of them at once would ask for more than is wanted, and of two kinds of device nobody has both.

use serde_json::json;

use crate::engine::Model;
use crate::engine::ability::{is_compliant, is_hybrid};
use crate::engine::demands::asks_at_least;
use crate::engine::truth::Truth;
use crate::tenant::policy::{Control, GrantControls, Operator};
use crate::tenant::{Policy, Snapshot, User};

use super::{HandOver, hand_over};

/// The edit with its one-line title; none where no control alone is enough, or where somebody couldn't meet what stays.
pub(super) fn to(wanted: &Policy, policy: &Policy, model: &Model) -> Option<(String, HandOver)> {
    let snapshot = &model.snapshot;
    let grant = policy.grant.as_ref().filter(|grant| grant.operator == Operator::Or)?;
    let with = |grant: GrantControls| Policy { grant: Some(grant), ..policy.clone() };
    let alone = |control: &&Control| {
        let only = GrantControls { operator: Operator::Or, controls: [(*control).clone()].into() };
        asks_at_least(snapshot, &with(only), wanted)
    };
    let enough =
        GrantControls { operator: Operator::Or, controls: grant.controls.iter().filter(alone).cloned().collect() };
    let stays = if enough.controls.is_empty() { all_wanted(grant, wanted)? } else { enough };
    let after = with(stays.clone());
    if stays.controls.len() == grant.controls.len() && stays.operator == grant.operator
        || !asks_at_least(snapshot, &after, wanted)
        || !can_be_met(&stays, policy, model)
    {
        return None;
    }
    let (before, then) = (in_words(grant), in_words(&stays));
    let body = json!({"grantControls": crate::tenant::write_policy(&after).get("grantControls")});
    let action = hand_over::edit_policy(policy, vec![("Grant".to_owned(), before, then.clone())], &body);
    Some((format!("Require {then} in {}", policy.display_name), action))
}

/// Several controls that are wanted together, of which the policy asks for one.
fn all_wanted(grant: &GrantControls, wanted: &Policy) -> Option<GrantControls> {
    let wanted = wanted.grant.as_ref().filter(|wanted| wanted.operator == Operator::And)?;
    let devices = [Control::CompliantDevice, Control::DomainJoinedDevice];
    let both = devices.iter().all(|device| wanted.controls.contains(device));
    (!both && wanted.controls.is_subset(&grant.controls)).then(|| wanted.clone())
}

/// Whether everybody whom the policy reaches surely can do what stays: methods anybody can register, but a device or an
/// app somebody has or hasn't.
fn can_be_met(stays: &GrantControls, policy: &Policy, model: &Model) -> bool {
    let free = |control: &Control| {
        matches!(control, Control::Mfa | Control::Strength(_) | Control::PasswordChange | Control::TermsOfUse(_))
    };
    let enough = |any: bool| if stays.operator == Operator::Or { any } else { stays.controls.iter().all(free) };
    if enough(stays.controls.iter().any(free)) {
        return true;
    }
    let snapshot: &Snapshot = &model.snapshot;
    let abilities = model.abilities();
    let can = |user: &User, control: &Control| match control {
        Control::CompliantDevice => abilities.device(&user.id, is_compliant) == Truth::Yes,
        Control::DomainJoinedDevice => abilities.device(&user.id, is_hybrid) == Truth::Yes,
        control => free(control),
    };
    let met = |user: &User| match stays.operator {
        Operator::Or => stays.controls.iter().any(|control| can(user, control)),
        Operator::And => stays.controls.iter().all(|control| can(user, control)),
    };
    let (sure, possible) = model.users_of(&policy.id);
    let reached = sure | possible;
    let mut people = reached.iter().filter_map(|position| snapshot.directory.user_at(position));
    !reached.is_empty() && people.all(|user| !user.enabled || met(user))
}

fn in_words(grant: &GrantControls) -> String {
    let joined = if grant.operator == Operator::Or { " or " } else { " and " };
    grant.controls.iter().map(word).collect::<Vec<_>>().join(joined)
}

fn word(control: &Control) -> &'static str {
    match control {
        Control::Block => "a block",
        Control::Mfa => "multifactor authentication",
        Control::CompliantDevice => "a compliant device",
        Control::DomainJoinedDevice => "a hybrid joined device",
        Control::ApprovedApplication => "an approved client app",
        Control::CompliantApplication => "an app protection policy",
        Control::PasswordChange => "a password change",
        Control::RiskRemediation => "risk remediation",
        Control::VerifiedId => "a verified ID",
        Control::TermsOfUse(_) => "terms of use",
        Control::Strength(_) => "an authentication strength",
        Control::Custom(_) | Control::Unknown(_) => "another control",
    }
}
