//! Only a few people may change the groups that policies go by.

use std::collections::BTreeMap;

use crate::facts::{Fact, Row, Term};
use crate::tenant::directory::Group;
use crate::tenant::{Kind, Policy};

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, HandOver, Severity, Verdict, hand_over, policies, rows};

/// Only a few people may change the groups that policies go by.
#[derive(Debug)]
pub(super) struct UnprotectedGroups;

static ABOUT: About = About {
    id: "unprotected-groups",
    title: "Groups of policies that many people may change",
    severity: Severity::High,
    rationale: "Whoever may add a member to an exclusion group may take anybody out of a policy: its owners, and every group administrator, unless the group is role-assignable or its management is restricted.",
    references: &["MT.1035", "prowler:entra_conditional_access_policy_groups_management_restricted"],
    see_also: &["MT.1036"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for UnprotectedGroups {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let named = named(context);
        if named.is_empty() {
            return listing::open(context, ABOUT.id, "unprotected_groups.nobody", Verdict::NotApplicable);
        }
        let directory = &context.model.snapshot.directory;
        let groups: Vec<(&Group, Use<'_>)> =
            named.into_iter().filter_map(|(id, use_of)| Some((directory.groups.get(id)?, use_of))).collect();
        let open = |group: &Group| !group.role_assignable && group.management_restricted == Some(false);
        let unknown = |group: &Group| !group.role_assignable && group.management_restricted.is_none();
        let unsettled = groups.iter().filter(|(group, _)| unknown(group)).count();
        let mut open: Vec<_> = groups.into_iter().filter(|(group, _)| open(group)).collect();
        open.sort_by_key(|(_, use_of)| std::cmp::Reverse((use_of.excluded.len(), use_of.included.len())));
        let unread = !context.model.snapshot.has(Kind::Groups);
        if open.is_empty() && (unread || unsettled > 0) {
            let mut finding = listing::open(context, ABOUT.id, "unprotected_groups.review", Verdict::Review);
            finding
                .not_checked
                .push("isManagementRestricted of the groups (groups.json with it would settle it)".to_owned());
            return finding;
        }
        let mut listed: Vec<Listed> = open.iter().map(|(group, use_of)| listed(group, use_of, context)).collect();
        let groups: Vec<&Group> = open.iter().map(|(group, _)| *group).collect();
        // One administrative unit holds them all, so it is one change.
        if let Some(first) = listed.first_mut() {
            let title = if groups.len() == 1 { "the group".to_owned() } else { format!("{} groups", groups.len()) };
            first.cure =
                listing::hand_over("", format!("Restrict who may change {title} of policies"), restrict(&groups));
        }
        let mut finding = listing::finding(context, (ABOUT.id, "unprotected_groups"), listed);
        finding.not_checked.push("owners of groups, where they weren't read".to_owned());
        finding
    }
}

/// How policies that are On use a group.
#[derive(Default)]
struct Use<'a> {
    excluded: Vec<&'a Policy>,
    included: Vec<&'a Policy>,
}

fn named<'a>(context: &'a Context<'_>) -> BTreeMap<&'a String, Use<'a>> {
    let mut named: BTreeMap<&String, Use<'_>> = BTreeMap::new();
    for policy in policies::on(&context.model.snapshot) {
        let users = &policy.conditions.users;
        users.exclude.groups.iter().for_each(|id| named.entry(id).or_default().excluded.push(policy));
        users.include.groups.iter().for_each(|id| named.entry(id).or_default().included.push(policy));
    }
    named
}

fn listed(group: &Group, use_of: &Use<'_>, context: &Context<'_>) -> Listed {
    let directory = &context.model.snapshot.directory;
    let owners = group.owners.iter().filter_map(|id| directory.user(id));
    let owners: Vec<String> = owners.map(|user| user.display_name.as_str().to_owned()).collect();
    let policies = use_of.excluded.iter().chain(&use_of.included).copied();
    let evidence: Vec<Row> = std::iter::once(rows::group(group)).chain(policies.map(rows::policy)).collect();
    let (way, policies) = if use_of.excluded.is_empty() {
        ("included", policies::names(use_of.included.iter().copied()))
    } else {
        ("excluded", policies::names(use_of.excluded.iter().copied()))
    };
    Listed {
        fact: Fact::new(&format!("unprotected_groups.{way}"), context.evidence(evidence))
            .with("group", Term::Name(group.display_name.clone()))
            .with("policies", policies)
            .with("known", owners.len())
            .with("owners", owners),
        cure: None,
    }
}

fn restrict(groups: &[&Group]) -> HandOver {
    let names: Vec<&str> = groups.iter().map(|group| group.display_name.as_str()).collect();
    let change =
        ("Administrative unit", "none with restricted management", "a restricted management administrative unit");
    let portal = "Entra admin center > Roles & admins > Admin units > Add > Restricted management administrative unit";
    let ids: Vec<String> = groups.iter().map(|group| format!("'{}'", group.id.replace('\'', ""))).collect();
    HandOver {
        powershell: format!(
            "Connect-MgGraph -Scopes 'AdministrativeUnit.ReadWrite.All'\n\
             $unit = New-MgDirectoryAdministrativeUnit -DisplayName 'Conditional Access groups' -IsMemberManagementRestricted\n\
             foreach ($id in {}) {{\n    \
             $ref = @{{ '@odata.id' = \"https://graph.microsoft.com/v1.0/groups/$id\" }}\n    \
             New-MgDirectoryAdministrativeUnitMemberByRef -AdministrativeUnitId $unit.Id -BodyParameter $ref\n}}",
            ids.join(", "),
        ),
        ..hand_over::change_of(("Groups", "", &names.join(", ")), change, portal.to_owned())
    }
}
