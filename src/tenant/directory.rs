//! The directory: people, groups, roles, apps and devices, as far as policies and answers need them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::policy::GuestType;
use super::shared::Shared;
use super::sign_in::DeviceInfo;
use super::text::{Compact, Known, Text, side_by_side};
use super::well_known::{GLOBAL_ADMINISTRATOR, role_name};

/// Everything read from the directory. Users are known by their position in [`Directory::users`], which sets use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Directory {
    /// All user objects, sorted by id.
    pub users: Vec<User>,
    /// Groups by id.
    pub groups: BTreeMap<String, Group>,
    /// Role assignments: active ones, and eligible ones of Privileged Identity Management.
    pub role_assignments: Vec<RoleAssignment>,
    /// Role definitions by id.
    pub roles: BTreeMap<String, Role>,
    /// Service principals, sorted by id.
    pub service_principals: Vec<ServicePrincipal>,
    /// Devices, sorted by `deviceId`.
    pub devices: Vec<Device>,
    /// Registered authentication methods by user id.
    pub registrations: BTreeMap<Text, Registration>,
    /// User risk by user id, for users at risk.
    pub risky_users: BTreeMap<String, String>,
}

impl Directory {
    /// The position of the user with this object id.
    #[must_use]
    pub fn user_index(&self, id: &str) -> Option<u32> {
        let at = self.users.binary_search_by(|user| user.id.as_str().cmp(id)).ok()?;
        u32::try_from(at).ok()
    }

    /// The user with this object id.
    #[must_use]
    pub fn user(&self, id: &str) -> Option<&User> {
        self.user_at(self.user_index(id)?)
    }

    /// The user at this position.
    #[must_use]
    pub fn user_at(&self, index: u32) -> Option<&User> {
        self.users.get(usize::try_from(index).ok()?)
    }

    /// The service principal with this object id.
    #[must_use]
    pub fn service_principal(&self, id: &str) -> Option<&ServicePrincipal> {
        let at = self.service_principals.binary_search_by(|one| one.id.as_str().cmp(id)).ok()?;
        self.service_principals.get(at)
    }

    /// The device with this `deviceId`.
    #[must_use]
    pub fn device(&self, id: &str) -> Option<&Device> {
        let at = self.devices.binary_search_by(|device| device.id.as_str().cmp(id)).ok()?;
        self.devices.get(at)
    }

    /// Whether a role, by its template id, is a built-in one: no other is enforced by Conditional Access. A list without
    /// Global Administrator holds the tenant's own roles only; what a whole list doesn't have was deleted.
    #[must_use]
    pub fn is_built_in(&self, role: &str) -> bool {
        match self.roles.get(role) {
            Some(definition) => definition.built_in,
            None => role_name(role).is_some() || !self.roles.contains_key(GLOBAL_ADMINISTRATOR),
        }
    }

    /// The service principal of this app id.
    #[must_use]
    pub fn app(&self, app_id: &str) -> Option<&ServicePrincipal> {
        self.service_principals.iter().find(|principal| principal.app_id == app_id)
    }
}

/// A `user`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Object id.
    pub id: Text,
    /// Its name; untrusted text.
    pub display_name: Text,
    /// User principal name.
    pub user_principal_name: Text,
    /// Whether the account is enabled.
    pub enabled: bool,
    /// Which kind of guest, as the directory shows it; none for members.
    pub guest: Option<GuestType>,
    /// The invitation has not been accepted yet.
    pub pending: bool,
    /// Department.
    pub department: Option<Text>,
    /// When the account was made.
    pub created: Option<Timestamp>,
    /// Last sign-in, interactive or not; none where unknown or never.
    pub last_sign_in: Option<Timestamp>,
    /// What the account is for.
    pub account: AccountKind,
    /// Synchronised from a directory on premises.
    #[serde(default)]
    pub synced: bool,
    /// Per-user MFA (the old kind) is enabled or enforced; none where unknown.
    #[serde(default)]
    pub per_user_mfa: Option<bool>,
}

impl Compact for User {
    fn compact(rows: &mut [Self], known: &mut Known) {
        rows.iter_mut().filter_map(|row| row.department.as_mut()).for_each(|text| known.text(text));
        side_by_side(rows, |row, each| {
            [&mut row.id, &mut row.display_name, &mut row.user_principal_name].into_iter().for_each(each);
        });
    }
}

/// What an account is for, as far as the directory shows it; emergency access accounts come from the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AccountKind {
    /// A person.
    #[default]
    Person,
    /// A service account: a user object that software signs in with.
    Service,
    /// A room or equipment.
    Room,
    /// The user account of an agent: policies reach it only through their agent scopes.
    Agent,
}

/// A `group` that is known by its members.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Object id.
    pub id: String,
    /// Its name; untrusted text.
    pub display_name: String,
    /// The rule of a dynamic group.
    pub membership_rule: Option<String>,
    /// The dynamic rule is paused.
    pub rule_paused: bool,
    /// Can hold directory roles.
    pub role_assignable: bool,
    /// In a restricted management administrative unit; none where unknown.
    #[serde(default)]
    pub management_restricted: Option<bool>,
    /// Object ids of direct members that are groups.
    pub member_groups: Vec<String>,
    /// Positions of the direct members that are users.
    pub members: Shared<RoaringBitmap>,
    /// Positions of all users in it, nested ones too; none when the members could not be read.
    pub transitive: Option<Shared<RoaringBitmap>>,
    /// Object ids of owners, where read.
    pub owners: Vec<String>,
    /// Only its members may see who is in it (`HiddenMembership`), and who was granted Member.Read.Hidden.
    pub hidden: bool,
}

/// A directory role assigned to a principal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoleAssignment {
    /// Object id of the user, group or service principal.
    pub principal_id: String,
    /// Id of the role definition; for a built-in role its template id.
    pub role_id: String,
    /// `/` for the whole tenant, otherwise an administrative unit or object.
    pub scope: String,
    /// Active, or eligible until activated.
    pub assignment: Assignment,
}

/// Whether a role is held or could be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Assignment {
    /// Held now; Conditional Access sees it.
    #[default]
    Active,
    /// Held once activated; Conditional Access doesn't see it.
    Eligible,
}

/// A `unifiedRoleDefinition`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// Id; for a built-in role its template id.
    pub id: String,
    /// Its name.
    pub display_name: String,
    /// Built-in, the only kind that Conditional Access enforces.
    pub built_in: bool,
    /// Microsoft calls it privileged (`isPrivileged`, beta); false where that wasn't read.
    #[serde(default)]
    pub privileged: bool,
}

/// The value of a custom security attribute: one text, or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tag {
    /// Of an attribute that takes one value.
    Text(String),
    /// Of an attribute that takes several.
    List(Vec<String>),
}

/// A `servicePrincipal`: an app in this tenant, or a workload identity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServicePrincipal {
    /// Object id.
    pub id: String,
    /// App id, which policies name.
    pub app_id: String,
    /// Its name; untrusted text.
    pub display_name: String,
    /// `Application`, `ManagedIdentity`, `Legacy`, `SocialIdp`.
    pub kind: String,
    /// Registered in this tenant for this tenant only.
    pub single_tenant: bool,
    /// Enabled for sign-in.
    pub enabled: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Custom security attributes, `Set_Attribute` to its values; none when they could not be read.
    pub attributes: Option<BTreeMap<String, Tag>>,
    /// What it opens through Private Access, as its tags say; none when they were not read.
    pub private_access: Option<PrivateAccess>,
}

/// What an app opens through Private Access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PrivateAccess {
    /// Nothing: it is an app like others.
    #[default]
    Nothing,
    /// A part of the inner network of its own.
    App,
    /// Whatever of the inner network no app of its own opens.
    QuickAccess,
}

/// A `device`, with the attributes that filters use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// `deviceId`.
    pub id: String,
    /// Its name; untrusted text.
    pub display_name: String,
    /// Marked as compliant; none where unknown.
    pub compliant: Option<bool>,
    /// Managed by Intune; none where unknown.
    pub managed: Option<bool>,
    /// `AzureAD`, `ServerAD` or `Workplace`.
    pub trust_type: Option<String>,
    /// Operating system.
    pub operating_system: Option<String>,
    /// Every other attribute that a filter may name, by its lower-case name.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// Object ids of registered owners.
    pub owners: Vec<String>,
}

impl Device {
    /// What filters see of a registered device.
    #[must_use]
    pub fn info(&self) -> DeviceInfo {
        let named = [("deviceid", Some(&self.id)), ("displayname", Some(&self.display_name))];
        let named = named.into_iter().chain([("operatingsystem", self.operating_system.as_ref())]);
        let filled = named.filter_map(|(name, value)| Some((name.to_owned(), vec![value?.clone()])));
        DeviceInfo {
            registered: true,
            compliant: self.compliant,
            managed: self.managed.unwrap_or_default(),
            trust_type: self.trust_type.clone(),
            attributes: self.attributes.clone().into_iter().chain(filled).collect(),
            partial: false,
        }
    }
}

/// A `userRegistrationDetails`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// Object id of the user.
    pub user_id: Text,
    /// Can do MFA.
    pub mfa_capable: bool,
    /// Can sign in without a password.
    pub passwordless_capable: bool,
    /// Names of the registered methods.
    pub methods: Arc<[Text]>,
}

impl Compact for Registration {
    fn compact(rows: &mut [Self], known: &mut Known) {
        rows.iter_mut().for_each(|row| known.list(&mut row.methods));
        side_by_side(rows, |row, each| each(&mut row.user_id));
    }
}

impl Compact for RoleAssignment {}
impl Compact for Role {}
impl Compact for ServicePrincipal {}
impl Compact for Device {}
