//! Scopes that several checks look at.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use crate::engine::{Model, Scope};
use crate::tenant::policy::{GuestType, Guests, UserSide};
use crate::tenant::{Assignment, Directory, Kind, RoleAssignment, Snapshot, well_known};

/// Every kind of guest or external user.
pub const GUEST_TYPES: [GuestType; 6] = [
    GuestType::InternalGuest,
    GuestType::B2bCollaborationGuest,
    GuestType::B2bCollaborationMember,
    GuestType::B2bDirectConnectUser,
    GuestType::OtherExternalUser,
    GuestType::ServiceProvider,
];

/// What would say who the administrators are, where the role assignments weren't read.
#[must_use]
pub fn missing_administrators(model: &Model) -> Option<&'static str> {
    let missing = "who holds an administrator role (roleAssignments.json with users.json would settle it); everybody was looked at instead";
    (!model.snapshot.has(Kind::RoleAssignments)).then_some(missing)
}

/// A role's name, as read or as Microsoft documents it; its id for one that nobody knows.
#[must_use]
pub fn role_name(snapshot: &Snapshot, id: &str) -> String {
    if let Some(role) = snapshot.directory.roles.get(id) {
        return role.display_name.clone();
    }
    well_known::role_name(id).unwrap_or(id).to_owned()
}

/// Enabled accounts that hold an administrator role now.
#[must_use]
pub fn administrators(model: &Model) -> Scope {
    Scope { users: Some(role_holders(&model.snapshot.directory, Assignment::Active)), ..Scope::default() }
}

/// Those who authenticate here: members and local guests. The user risk of others is judged in their home tenant.
#[must_use]
pub fn members(model: &Model) -> Scope {
    if !model.snapshot.has(Kind::Users) {
        return Scope { residents: true, ..Scope::default() };
    }
    let guest = |at: &u32| model.snapshot.directory.user_at(*at).and_then(|user| user.guest);
    let elsewhere = |at: &u32| guest(at).is_some_and(|kind| kind != GuestType::InternalGuest);
    let here = model.default_users() - model.guests().iter().filter(elsewhere).collect::<RoaringBitmap>();
    Scope { users: Some(here), ..Scope::default() }
}

/// Guests and external users who authenticate elsewhere.
#[must_use]
pub fn external_guests() -> Guests {
    let types = GUEST_TYPES.into_iter().filter(|kind| *kind != GuestType::InternalGuest);
    Guests { types: types.collect(), tenants: None }
}

/// Every enabled account.
#[must_use]
pub fn everybody(snapshot: &Snapshot) -> RoaringBitmap {
    let users = snapshot.directory.users.iter().zip(0u32..);
    let enabled = users.filter(|(user, _)| user.enabled).map(|(_, index)| index);
    RoaringBitmap::from_sorted_iter(enabled).unwrap_or_default()
}

/// Guests and external users, with and without an account here.
#[must_use]
pub fn guests(model: &Model) -> Scope {
    let users = model.snapshot.directory.users.iter().enumerate();
    let guests = users.filter(|(_, user)| user.enabled && user.guest.is_some());
    Scope {
        users: Some(guests.filter_map(|(index, _)| u32::try_from(index).ok()).collect()),
        guest_types: BTreeSet::from(GUEST_TYPES),
        ..Scope::default()
    }
}

/// Template ids of the administrator roles: the 14 of Microsoft's templates, and every built-in role that Microsoft calls
/// privileged. The accounts that synchronise the directory can do nothing that policies ask of administrators.
#[must_use]
pub fn administrator_roles(directory: &Directory) -> BTreeSet<String> {
    let privileged = directory.roles.values().filter(|role| role.built_in && role.privileged).map(|role| &*role.id);
    let all = well_known::ADMIN_ROLES.iter().map(|(id, _)| *id).chain(privileged);
    all.filter(|id| !well_known::SYNCHRONISING.contains(id)).map(str::to_owned).collect()
}

/// Enabled accounts with an administrator role, tenant-wide, directly or through a group.
#[must_use]
pub fn role_holders(directory: &Directory, assignment: Assignment) -> RoaringBitmap {
    let roles = administrator_roles(directory);
    let tenant_wide = |held: &RoleAssignment| held.scope == "/" && roles.contains(&held.role_id);
    holders(directory, |held| held.assignment == assignment && tenant_wide(held))
}

/// Enabled accounts that may be administrators too: they hold an administrator role for a part of the tenant only, or a
/// role of which nobody read whether Microsoft calls it privileged.
#[must_use]
pub fn perhaps_administrators(model: &Model) -> RoaringBitmap {
    let directory = &model.snapshot.directory;
    let roles = administrator_roles(directory);
    // Only the beta of Graph has the mark; where no role has it, it wasn't read: some roles always have it.
    let marked = directory.roles.values().any(|role| role.privileged);
    let is_told = |id: &str| directory.roles.get(id).is_some_and(|role| marked || !role.built_in);
    let judged = |id: &str| is_told(id) || well_known::SYNCHRONISING.contains(&id);
    let perhaps = |held: &RoleAssignment| {
        if roles.contains(&held.role_id) { held.scope != "/" } else { !judged(&held.role_id) }
    };
    holders(directory, |held| held.assignment == Assignment::Active && perhaps(held))
        - role_holders(directory, Assignment::Active)
}

/// What holds an administrator role for the whole tenant and may be a group whose members nobody read: who in it is an
/// administrator isn't known. An assignment ends with whom it is for, so an id that no file lists is somebody.
#[must_use]
pub fn unread_administrators(model: &Model) -> BTreeSet<String> {
    let (directory, roles) = (&model.snapshot.directory, administrator_roles(&model.snapshot.directory));
    let wanted = |held: &&RoleAssignment| {
        held.assignment == Assignment::Active && held.scope == "/" && roles.contains(&held.role_id)
    };
    let held = directory.role_assignments.iter().filter(wanted).map(|held| held.principal_id.as_str());
    let workload = |id: &str| directory.service_principals.iter().any(|one| one.id == id);
    let unknown = held.filter(|id| directory.user_index(id).is_none() && !workload(id));
    let group = |id: &str| match directory.groups.get(id) {
        Some(group) => group.transitive.is_none().then(|| format!("members of group {}", group.display_name)),
        None => Some(format!("who {id} is")),
    };
    unknown.filter_map(group).collect()
}

/// Enabled accounts that hold one of these, directly or through a group.
fn holders(directory: &Directory, wanted: impl Fn(&RoleAssignment) -> bool) -> RoaringBitmap {
    let mut holders = RoaringBitmap::new();
    for held in directory.role_assignments.iter().filter(|held| wanted(held)) {
        holders.extend(directory.user_index(&held.principal_id));
        if let Some(members) = directory.groups.get(&held.principal_id).and_then(|group| group.transitive.as_deref()) {
            holders |= members;
        }
    }
    let enabled = |index: &u32| directory.user_at(*index).is_some_and(|user| user.enabled);
    holders.iter().filter(enabled).collect()
}

/// The target "Microsoft Admin Portals" of a policy.
pub const ADMIN_PORTALS: &str = "MicrosoftAdminPortals";

/// The administration portals: as the settings list them, or else the Azure portal, the one whose id is published.
#[must_use]
pub fn admin_portals(snapshot: &Snapshot) -> BTreeSet<String> {
    let listed = snapshot.settings.app_groups.get(ADMIN_PORTALS).cloned();
    listed.unwrap_or_else(|| BTreeSet::from([well_known::APP_AZURE_PORTAL.to_owned()]))
}

/// What isn't looked at where the settings don't list the portals.
#[must_use]
pub fn other_admin_portals(snapshot: &Snapshot) -> Option<String> {
    let unlisted = !snapshot.settings.app_groups.contains_key(ADMIN_PORTALS);
    let others = "the other administration portals (their app ids in appGroups.MicrosoftAdminPortals of settings.json would settle it)";
    unlisted.then(|| others.to_owned())
}

/// Exchange Online and SharePoint Online, which hold mail and files.
#[must_use]
pub fn office() -> BTreeSet<String> {
    [well_known::APP_EXCHANGE_ONLINE, well_known::APP_SHAREPOINT_ONLINE].map(str::to_owned).into()
}

/// The target "Office 365" of a policy.
#[must_use]
pub fn office_target() -> BTreeSet<String> {
    BTreeSet::from(["Office365".to_owned()])
}

/// The include side of a policy for all guests and external users.
#[must_use]
pub fn all_guests_side() -> UserSide {
    let guests = Guests { types: BTreeSet::from(GUEST_TYPES), tenants: None };
    UserSide { guests: Some(guests), ..UserSide::default() }
}
