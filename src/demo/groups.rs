//! Groups: who is in them by rule, by hand, by nesting, and since when.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::names;
use super::people::{Kind, People};
use super::random::{Object, chance, days_before, midnight_before, written};
use super::user_json::guest;

/// Who belongs to a group by what they are.
#[derive(Clone, Debug)]
pub enum Rule {
    /// Nobody.
    Nobody,
    /// Everybody of a department.
    Department(u8),
    /// Employees whose department is filled.
    Internals,
    /// Guests.
    Guests,
    /// Accounts of a kind.
    Kind(Kind),
    /// Employees on the harbour project.
    Project,
    /// These users.
    These(Vec<u32>),
}

/// What a group can have as member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// A user, by index.
    User(u32),
    /// A group, by index.
    Group(usize),
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Members by rule.
    pub rule: Rule,
    /// Whether the directory keeps the rule itself, with the text of it.
    pub dynamic: Option<&'static str>,
    /// Groups nested in it from the start.
    pub nested: Vec<usize>,
    /// Members added by somebody at a moment that matters.
    pub added: Vec<(Member, Timestamp)>,
    /// Members that somebody took out.
    pub removed: BTreeSet<Member>,
    /// Index of the owner.
    pub owner: u32,
    /// Only its members see who is in it, and who was permitted to.
    pub hidden: bool,
}

/// All groups.
#[derive(Clone, Debug, Default)]
pub struct Groups(Vec<Group>);

impl Groups {
    /// The groups of Nordwerk.
    #[must_use]
    pub fn generate(people: &People) -> Self {
        let mut groups =
            Self(DEPARTMENT_GROUPS.iter().map(|(name, at)| group(name, "", Rule::Department(*at))).collect());
        groups.push(nesting("Sales", "Everybody in sales", &[0, 1]));
        groups.push(group("Projects-Harbour", "Harbour terminal project team", Rule::Project));
        let devices = ["Sales", "Finance", "Legal"].map(|name| groups.at(name));
        groups.add_access_groups(people, &devices);
        groups
    }

    fn add_access_groups(&mut self, people: &People, devices: &[usize]) {
        let cast = People::cast_index;
        let internals = "(user.userType -eq \"Member\") and (user.department -ne null)";
        self.push(group(
            "CA-BreakGlass",
            "Emergency access accounts. Excluded everywhere.",
            Rule::Kind(Kind::Emergency),
        ));
        self.push(dynamic("CA-Internals", "Employees", internals, Rule::Internals));
        self.push(dynamic("CA-Guests", "Guests", "(user.userType -eq \"Guest\")", Rule::Guests));
        self.push(group("CA-TeamsRooms", "Meeting room accounts", Rule::Kind(Kind::Room)));
        self.push(group("CA-ServiceAccounts", "Non-personal accounts", Rule::Kind(Kind::Service)));
        self.push(nesting("CA-Managed-Devices", "Departments with managed devices", devices));
        let legacy = Rule::These(vec![cast("Thiel"), cast("Marchetti"), cast("Brunner")]);
        self.push(group("CA-Excl-Legacy-Mail", "Scanners and old mail programs, until migrated", legacy));
        let field = self.at("Field-Operations");
        self.push(nesting("CA-Field", "Field staff with handheld devices", &[field]));
        self.push(rollout(self.at("Projects-Harbour"), people));
        let pilot = Rule::These(vec![cast("Lindqvist"), cast("Sjöberg"), cast("Whitfield")]);
        self.push(group("CA-Pilot-Passkeys", "Passkey pilot", pilot));
    }

    /// Adds a group at the end.
    fn push(&mut self, group: Group) {
        self.0.push(group);
    }

    /// Index of the group of this name; groups are known at compile time, so a wrong name shows in the first test.
    #[must_use]
    pub fn at(&self, name: &str) -> usize {
        self.0.iter().position(|group| group.name == name).unwrap_or(usize::MAX)
    }

    /// Groups with their indices.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Group)> {
        self.0.iter().enumerate()
    }

    /// The group at `at`.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&Group> {
        self.0.get(at)
    }

    /// Adds `member` to the group at `at`, at a moment.
    pub fn add_member(&mut self, at: usize, member: Member, when: Timestamp) {
        if let Some(group) = self.0.get_mut(at) {
            group.removed.remove(&member);
            group.added.push((member, when));
        }
    }

    /// Takes `member` out of the group at `at`.
    pub fn remove_member(&mut self, at: usize, member: Member) {
        if let Some(group) = self.0.get_mut(at) {
            group.added.retain(|(added, _)| *added != member);
            group.removed.insert(member);
        }
    }

    /// From now on not everybody sees who is in the group at `at`.
    pub fn hide(&mut self, at: usize) {
        if let Some(group) = self.0.get_mut(at) {
            group.hidden = true;
        }
    }

    /// Whether a user is a direct member at a moment.
    #[must_use]
    pub fn has(&self, people: &People, at: usize, user: u32, when: Timestamp) -> bool {
        self.0.get(at).is_some_and(|group| {
            let member = Member::User(user);
            if group.removed.contains(&member) || people.get(user).is_none() {
                return false;
            }
            by_rule(people, &group.rule, user)
                || group.added.iter().any(|(added, since)| *added == member && *since <= when)
        })
    }

    /// The group itself and everything nested in it at a moment.
    #[must_use]
    pub fn below(&self, at: usize, when: Timestamp) -> BTreeSet<usize> {
        let mut found = BTreeSet::from([at]);
        let mut open = vec![at];
        while let Some(next) = open.pop() {
            open.extend(self.children(next, when).filter(|child| found.insert(*child)));
        }
        found
    }

    /// Groups nested directly at a moment.
    pub fn children(&self, at: usize, when: Timestamp) -> impl Iterator<Item = usize> + '_ {
        let group = self.0.get(at);
        let late = group.into_iter().flat_map(|group| &group.added).filter_map(move |(member, since)| match member {
            Member::Group(child) if *since <= when => Some(*child),
            _ => None,
        });
        let stays = move |child: &usize| group.is_some_and(|group| !group.removed.contains(&Member::Group(*child)));
        group.into_iter().flat_map(|group| group.nested.iter().copied()).chain(late).filter(stays)
    }

    /// All groups a user is in at a moment, nesting counted.
    #[must_use]
    pub fn of_user(&self, people: &People, user: u32, when: Timestamp) -> BTreeSet<usize> {
        let mut found: BTreeSet<usize> = (0..self.0.len()).filter(|at| self.has(people, *at, user, when)).collect();
        loop {
            let holder =
                |at: &usize| !found.contains(at) && self.children(*at, when).any(|child| found.contains(&child));
            let Some(more) = (0..self.0.len()).find(holder) else { return found };
            found.insert(more);
        }
    }

    /// A group as Graph writes it.
    #[must_use]
    pub fn json(&self, people: &People, at: usize) -> Value {
        let Some(group) = self.0.get(at) else { return Value::Null };
        json!({
            "id": group_id(people, at),
            "displayName": group.name,
            "description": (!group.description.is_empty()).then_some(group.description),
            "mailNickname": group.name.to_lowercase(),
            "mailEnabled": false,
            "securityEnabled": true,
            "isAssignableToRole": false,
            // Emergency access is looked after by few; everything else can be changed by any group administrator.
            "isManagementRestricted": group.name == "CA-BreakGlass",
            "visibility": group.hidden.then_some("HiddenMembership"),
            "groupTypes": if group.dynamic.is_some() { json!(["DynamicMembership"]) } else { json!([]) },
            "membershipRule": group.dynamic,
            "membershipRuleProcessingState": group.dynamic.map(|_| "On"),
            "createdDateTime": written(days_before(people.today, 900)),
        })
    }
}

/// Object id of the group at `at`.
#[must_use]
pub fn group_id(people: &People, at: usize) -> String {
    people.ids.id(Object::Group, u32::try_from(at).unwrap_or(u32::MAX)).to_string()
}

/// Object id of an activated directory role, which is not its template id.
#[must_use]
pub fn role_object_id(people: &People, template: &str) -> String {
    uuid::Uuid::new_v5(&people.ids.id(Object::Tenant, 0), template.as_bytes()).to_string()
}

/// Whether somebody works on the harbour project, as about one in fourteen does.
#[must_use]
pub fn on_project(people: &People, user: u32) -> bool {
    super::people::cast(user).is_none() && chance(people.roll(user, 40), 70)
}

/// Yesterday afternoon, when Piotr let more people out of MFA.
#[must_use]
pub fn rollout_grew(people: &People) -> Timestamp {
    let seconds = -(16 * 3_600 + 42 * 60 + 7);
    super::random::seconds_before(midnight_before(people.today, 1), seconds)
}

const DEPARTMENT_GROUPS: &[(&str, u8)] = &[
    ("Sales-EMEA", names::SALES_EMEA),
    ("Sales-Nordics", names::SALES_NORDICS),
    ("Finance", names::FINANCE),
    ("Human-Resources", names::HUMAN_RESOURCES),
    ("Engineering", names::ENGINEERING),
    ("Field-Operations", names::FIELD_OPERATIONS),
    ("Warehouse", names::WAREHOUSE),
    ("Marketing", names::MARKETING),
    ("Legal", names::LEGAL),
    ("Information-Technology", names::INFORMATION_TECHNOLOGY),
    ("Customer-Care", names::CUSTOMER_CARE),
];

/// The group that grew: meant for three people of the first wave, it has held a whole project since yesterday.
fn rollout(project: usize, people: &People) -> Group {
    let when = rollout_grew(people);
    let few = [People::cast_index("Kowalczyk"), People::cast_index("Vogel"), People::cast_index("Strand")];
    let late = [People::cast_index("Benali"), People::cast_index("Novák")].map(|user| (Member::User(user), when));
    let added = std::iter::once((Member::Group(project), when)).chain(late).collect();
    let base =
        group("CA-Excl-MFA-Rollout", "Temporary: people still waiting for their first method", Rule::These(few.into()));
    Group { added, owner: People::cast_index("Nowak"), ..base }
}

fn by_rule(people: &People, rule: &Rule, user: u32) -> bool {
    let Some(record) = people.get(user) else { return false };
    let internal = record.kind == Kind::Person && record.department.is_some();
    match rule {
        Rule::Nobody => false,
        Rule::Department(department) => record.department == Some(*department),
        Rule::Internals => internal,
        Rule::Guests => guest(record.kind),
        Rule::Kind(kind) => record.kind == *kind,
        Rule::Project => internal && on_project(people, user),
        Rule::These(users) => users.contains(&user),
    }
}

fn group(name: &'static str, description: &'static str, rule: Rule) -> Group {
    let owner = People::cast_index("Dahlberg");
    Group {
        name,
        description,
        rule,
        dynamic: None,
        nested: Vec::new(),
        added: Vec::new(),
        removed: BTreeSet::new(),
        owner,
        hidden: false,
    }
}

fn dynamic(name: &'static str, description: &'static str, text: &'static str, rule: Rule) -> Group {
    Group { dynamic: Some(text), ..group(name, description, rule) }
}

fn nesting(name: &'static str, description: &'static str, groups: &[usize]) -> Group {
    Group { nested: groups.to_vec(), ..group(name, description, Rule::Nobody) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::random::Ids;

    #[test]
    fn nesting_counts_and_the_exclusion_grew_yesterday() {
        let today = "2026-11-24T08:30:00Z".parse().unwrap();
        let people = People::generate(Ids::new(1), today, 500);
        let groups = Groups::generate(&people);
        let names = |user, when| -> Vec<_> {
            groups.of_user(&people, user, when).into_iter().map(|at| groups.get(at).unwrap().name).collect()
        };
        let alice = People::cast_index("Moreau");
        assert_eq!(names(alice, today), ["Sales-EMEA", "Sales", "CA-Internals", "CA-Managed-Devices"]);
        let grew = |when| {
            let rollout = groups.at("CA-Excl-MFA-Rollout");
            (0..500).filter(|user| groups.of_user(&people, *user, when).contains(&rollout)).count()
        };
        assert_eq!(grew(days_before(today, 2)), 3);
        assert!(grew(today) > 15, "{}", grew(today));
    }
}
