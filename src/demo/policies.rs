//! The 25 policies of Nordwerk, with the faults real tenants have; each fault is said where it is made.

use serde_json::{Value, json};

use super::apps::{self, TIMECLOCK, app_id};
use super::groups::{Groups, group_id};
use super::people::People;
use super::places::{Place, passkey_strength, place_id};
use super::random::{Object, days_before, written};

/// The policies as Graph writes them, in the order of their names.
#[must_use]
pub fn policies(people: &People, groups: &Groups) -> Vec<Value> {
    let maker = Maker { people, groups };
    let mut all = maker.everyone();
    all.extend(maker.administrators());
    all.extend(maker.internals());
    all.extend(maker.devices_and_accounts());
    all.extend(maker.guests());
    all.extend(maker.trials());
    all.into_iter().zip(0..).map(|(policy, index)| maker.finish(policy, index)).collect()
}

struct Maker<'a> {
    people: &'a People,
    groups: &'a Groups,
}

/// A policy in the making.
struct Made {
    name: &'static str,
    state: &'static str,
    /// Days since it was made, and since it was last changed.
    age: (i64, Option<i64>),
    conditions: Value,
    grant: Value,
    session: Value,
}

const ON: &str = "enabled";
const OFF: &str = "disabled";
const REPORT: &str = "enabledForReportingButNotEnforced";

fn made(name: &'static str, conditions: Value, grant: Value) -> Made {
    Made { name, state: ON, age: (900, Some(60)), conditions, grant, session: Value::Null }
}

impl Maker<'_> {
    fn everyone(&self) -> Vec<Made> {
        let timeclock = self.all_but_timeclock();
        // Legacy mail stays open for scanners and for "a few" people that nobody moved since.
        let legacy = self.all_users(&["CA-BreakGlass", "CA-ServiceAccounts", "CA-Excl-Legacy-Mail"]);
        let countries = with(
            self.all_users(&["CA-BreakGlass", "CA-Guests"]),
            json!({ "applications": timeclock,
            "locations": { "includeLocations": ["All"], "excludeLocations": [self.place(Place::Allowed)] } }),
        );
        let register = with(
            self.all_users(&["CA-BreakGlass", "CA-Guests"]),
            json!({ "applications":
            { "includeApplications": [], "excludeApplications": [], "includeUserActions": ["urn:user:registersecurityinfo"] },
            "locations": { "includeLocations": ["All"], "excludeLocations": ["AllTrusted"] } }),
        );
        let sign_in_risk = with(
            self.all_users(&["CA-BreakGlass"]),
            json!({ "applications": timeclock, "signInRiskLevels": ["high"] }),
        );
        let user_risk = with(
            self.all_users(&["CA-BreakGlass", "CA-Guests", "CA-TeamsRooms"]),
            json!({ "userRiskLevels": ["high"] }),
        );
        vec![
            made(
                "CA001 – Block legacy authentication – All users",
                with(legacy, json!({ "applications": timeclock, "clientAppTypes": ["exchangeActiveSync", "other"] })),
                block(),
            ),
            made("CA002 – Block outside allowed countries – All users", countries, block()),
            made("CA003 – Require MFA – Register security info", register, controls("OR", &["mfa"])),
            made("CA005 – Block high sign-in risk – All users", sign_in_risk, block()),
            // Switched Off in spring after complaints, and forgotten.
            Made {
                state: OFF,
                age: (700, Some(210)),
                ..made(
                    "CA006 – Require password change – High user risk",
                    user_risk,
                    controls("AND", &["mfa", "passwordChange"]),
                )
            },
        ]
    }

    fn administrators(&self) -> Vec<Made> {
        let mut strong = self.roles(ADMINISTRATORS);
        // The id of a consultant's account that was deleted.
        merge(&mut strong, "users", json!({ "excludeUsers": [self.gone(1)] }));
        let strong = with(strong, json!({ "applications": self.all_but_timeclock() }));
        let portals =
            with(self.roles(PORTAL_ROLES), json!({ "applications": target(&["MicrosoftAdminPortals"], &[]) }));
        let session = json!({ "signInFrequency": { "isEnabled": true, "type": "hours", "value": 4, "frequencyInterval": "timeBased",
            "authenticationType": "primaryAndSecondaryAuthentication" }, "persistentBrowser": { "isEnabled": true, "mode": "never" } });
        vec![
            made(
                "CA100 – Require phishing-resistant MFA – Administrators",
                strong,
                strength("00000000-0000-0000-0000-000000000004"),
            ),
            // Redundant: everyone in it is in CA100, which asks for more, everywhere.
            made(
                "CA101 – Require MFA – Administrators on admin portals",
                portals,
                strength("00000000-0000-0000-0000-000000000002"),
            ),
            Made {
                session,
                age: (900, Some(5)),
                ..made(
                    "CA102 – Sign-in frequency 4 hours – Administrators",
                    self.roles(&ADMINISTRATORS.iter().take(5).copied().collect::<Vec<_>>()),
                    Value::Null,
                )
            },
        ]
    }

    fn internals(&self) -> Vec<Made> {
        let modern = json!(["browser", "mobileAppsAndDesktopClients"]);
        // People whose department is empty are not in CA-Internals, and the exclusion group holds a whole project.
        let internals = with(
            self.group_users(&["CA-Internals"], &["CA-BreakGlass", "CA-Excl-MFA-Rollout", "CA-Field"]),
            json!({ "applications": self.all_but_timeclock(), "clientAppTypes": modern }),
        );
        // Reads like MFA for all users; holds on one platform.
        let mobile = with(
            self.all_users(&["CA-BreakGlass", "CA-ServiceAccounts", "CA-TeamsRooms", "CA-Excl-MFA-Rollout"]),
            json!({ "applications": self.all_but_timeclock(), "platforms": { "includePlatforms": ["iOS"], "excludePlatforms": [] } }),
        );
        // One of the two is enough: whoever holds a compliant device never does MFA.
        let field = with(
            self.group_users(&["CA-Field"], &["CA-BreakGlass"]),
            json!({ "applications": self.all_but_timeclock() }),
        );
        let azure = |excluded: &[&str]| {
            with(self.all_users(excluded), json!({ "applications": target(&[apps::AZURE_MANAGEMENT], &[]) }))
        };
        let context = with(
            self.group_users(&["CA-Internals"], &["CA-BreakGlass"]),
            json!({ "applications":
            { "includeApplications": [], "excludeApplications": [], "includeUserActions": [], "includeAuthenticationContextClassReferences": ["c1"] } }),
        );
        vec![
            Made {
                age: (820, Some(75)),
                ..made("CA200 – Require MFA – Internals", internals, controls("OR", &["mfa"]))
            },
            made("CA203 – Require MFA – All users on mobile", mobile, controls("OR", &["mfa"])),
            made("CA206 – Require MFA or compliant device – Field", field, controls("OR", &["mfa", "compliantDevice"])),
            // Two people wrote the same policy a year apart.
            made("CA207 – Require MFA – Azure management", azure(&["CA-BreakGlass"]), controls("OR", &["mfa"])),
            Made {
                age: (400, None),
                ..made(
                    "CA208 – Require MFA – Azure Resource Manager",
                    azure(&["CA-BreakGlass", "CA-ServiceAccounts"]),
                    controls("OR", &["mfa"]),
                )
            },
            made(
                "CA210 – Require passkey – Confidential documents",
                context,
                strength(&passkey_strength(self.people.ids)),
            ),
        ]
    }

    fn devices_and_accounts(&self) -> Vec<Made> {
        let office = target(&["Office365"], &[]);
        let compliant = with(
            self.group_users(&["CA-Managed-Devices"], &["CA-BreakGlass"]),
            json!({ "applications": office,
            "clientAppTypes": ["browser", "mobileAppsAndDesktopClients"],
            "platforms": { "includePlatforms": ["windows", "macOS", "iOS", "android"], "excludePlatforms": [] } }),
        );
        let protection = with(
            self.group_users(&["CA-Internals"], &["CA-BreakGlass", "CA-Managed-Devices"]),
            json!({ "applications": office,
            "clientAppTypes": ["mobileAppsAndDesktopClients"], "platforms": { "includePlatforms": ["iOS", "android"], "excludePlatforms": [] } }),
        );
        let away = |group: &str, more: &[String]| {
            let excluded: Vec<String> = ["AllTrusted".to_owned()].into_iter().chain(more.iter().cloned()).collect();
            with(
                self.group_users(&[group], &["CA-BreakGlass"]),
                json!({ "applications": self.all_but_timeclock(),
                "locations": { "includeLocations": ["All"], "excludeLocations": excluded } }),
            )
        };
        // A location and a group that were deleted.
        let services = away("CA-ServiceAccounts", &[self.place(Place::Hosting), self.gone(2)]);
        let mut rooms = away("CA-TeamsRooms", &[]);
        merge(&mut rooms, "users", json!({ "excludeGroups": [self.group("CA-BreakGlass"), self.gone(3)] }));
        let workloads = json!({ "clientAppTypes": ["all"], "applications": target(&["All"], &[]), "users": { "includeUsers": ["None"] },
            "clientApplications": { "includeServicePrincipals": [apps::principal_id(self.people.ids, apps::ERP_CONNECTOR),
                apps::principal_id(self.people.ids, apps::BACKUP_AGENT)], "excludeServicePrincipals": [] },
            "locations": { "includeLocations": ["All"], "excludeLocations": ["AllTrusted", self.place(Place::Hosting)] } });
        vec![
            made(
                "CA205 – Require compliant device – Managed departments",
                compliant,
                controls("OR", &["compliantDevice"]),
            ),
            made(
                "CA209 – Require app protection – Mobile",
                protection,
                controls("OR", &["compliantApplication", "approvedApplication"]),
            ),
            made("CA300 – Block outside trusted locations – Service accounts", services, block()),
            made("CA301 – Block outside offices – Teams rooms", rooms, block()),
            made("CA600 – Block outside hosting – Workload identities", workloads, block()),
        ]
    }

    fn guests(&self) -> Vec<Made> {
        let types = "internalGuest,b2bCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,otherExternalUser,serviceProvider";
        let all =
            json!({ "@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants", "membershipKind": "all" });
        let guests = users(
            &json!({ "includeGuestsOrExternalUsers": { "guestOrExternalUserTypes": types, "externalTenants": all } }),
        );
        let timeclock = app_id(self.people.ids, TIMECLOCK);
        // SharePoint was taken out "for the supplier project"; it is where guests work.
        let mfa = with(guests.clone(), json!({ "applications": target(&["All"], &[apps::SHAREPOINT, &timeclock]) }));
        let countries = with(
            guests.clone(),
            json!({ "applications": self.all_but_timeclock(),
            "locations": { "includeLocations": ["All"], "excludeLocations": [self.place(Place::AllowedGuests)] } }),
        );
        let terms = json!({ "operator": "OR", "builtInControls": [], "customAuthenticationFactors": [], "termsOfUse": [self.gone(4)] });
        vec![
            made("CA400 – Require MFA – Guests", mfa, controls("OR", &["mfa"])),
            made("CA401 – Block outside allowed countries – Guests", countries, block()),
            Made {
                state: OFF,
                age: (640, Some(610)),
                ..made(
                    "CA402 – Terms of use – Guests",
                    with(guests, json!({ "applications": target(&["All"], &[]) })),
                    terms,
                )
            },
        ]
    }

    fn trials(&self) -> Vec<Made> {
        // Left in report-only since summer; emergency access accounts are not excluded.
        let windows = with(
            self.group_users(&["CA-Internals"], &[]),
            json!({ "applications": target(&["All"], &[]),
            "platforms": { "includePlatforms": ["windows"], "excludePlatforms": [] } }),
        );
        let platforms = with(
            self.group_users(&["CA-Internals"], &["CA-BreakGlass"]),
            json!({ "applications": target(&["All"], &[]),
            "platforms": { "includePlatforms": ["all"], "excludePlatforms": ["android", "iOS", "windows", "macOS"] } }),
        );
        let managed = with(
            users(&json!({ "includeUsers": ["All"] })),
            json!({ "applications": target(&["All"], &[]),
            "clientAppTypes": ["exchangeActiveSync", "other"] }),
        );
        vec![
            Made {
                state: REPORT,
                age: (143, None),
                ..made(
                    "CA512 – Require compliant device – Windows",
                    windows,
                    controls("OR", &["compliantDevice", "domainJoinedDevice"]),
                )
            },
            Made {
                state: REPORT,
                age: (9, None),
                ..made("CA519 – Block unsupported platforms – Internals", platforms, block())
            },
            Made { state: REPORT, age: (20, None), ..made(MANAGED, managed, block()) },
        ]
    }

    fn finish(&self, made: Made, index: u32) -> Value {
        let today = self.people.today;
        let template = (made.name == MANAGED).then_some("0b2282f9-2862-4178-88b5-d79340b36cb8");
        let mut conditions = json!({ "userRiskLevels": [], "signInRiskLevels": [], "servicePrincipalRiskLevels": [],
            "insiderRiskLevels": null, "clientAppTypes": ["all"], "platforms": null, "locations": null, "devices": null,
            "clientApplications": null, "authenticationFlows": null, "times": null, "deviceStates": null });
        overlay(&mut conditions, made.conditions);
        json!({
            "id": self.people.ids.id(Object::Policy, index),
            "displayName": made.name,
            "state": made.state,
            "createdDateTime": written(days_before(today, made.age.0)),
            "modifiedDateTime": made.age.1.map(|days| written(days_before(today, days))),
            "templateId": template,
            "partialEnablementStrategy": null,
            "conditions": conditions,
            "grantControls": made.grant,
            "sessionControls": made.session,
        })
    }

    fn all_but_timeclock(&self) -> Value {
        target(&["All"], &[&app_id(self.people.ids, TIMECLOCK)])
    }

    fn all_users(&self, excluded: &[&str]) -> Value {
        users(&json!({ "includeUsers": ["All"], "excludeGroups": self.group_list(excluded) }))
    }

    fn group_users(&self, included: &[&str], excluded: &[&str]) -> Value {
        users(&json!({ "includeGroups": self.group_list(included), "excludeGroups": self.group_list(excluded) }))
    }

    fn roles(&self, roles: &[&str]) -> Value {
        users(&json!({ "includeRoles": roles, "excludeGroups": self.group_list(&["CA-BreakGlass"]) }))
    }

    fn group_list(&self, names: &[&str]) -> Vec<String> {
        names.iter().map(|name| self.group(name)).collect()
    }

    fn group(&self, name: &str) -> String {
        group_id(self.people, self.groups.at(name))
    }

    fn place(&self, place: Place) -> String {
        place_id(self.people.ids, place)
    }

    /// The id of something that is no more.
    fn gone(&self, which: u32) -> String {
        self.people.ids.id(Object::Other, 90 + which).to_string()
    }
}

const MANAGED: &str = "Microsoft-managed: Block legacy authentication";

/// Roles of CA100: Microsoft's 14, without the two that came later and are in use here.
const ADMINISTRATORS: &[&str] = &[
    "62e90394-69f5-4237-9190-012177145e10",
    "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "f28a1f50-f6e7-4571-818b-6a12f2af6b6c",
    "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9",
    "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "b0f54661-2d74-4c50-afa3-1ec803f12efe",
    "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "c4e39bd9-1100-46d3-8c65-fb160da0071f",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "966707d0-3269-4727-9be2-8c3a10f19b9d",
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    "e8611ab8-c189-46e8-94e1-60213ab1f814",
];
const PORTAL_ROLES: &[&str] = &[
    "62e90394-69f5-4237-9190-012177145e10",
    "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9",
];

/// Conditions with these users and all resources.
fn users(some: &Value) -> Value {
    let mut users = json!({ "includeUsers": [], "excludeUsers": [], "includeGroups": [], "excludeGroups": [], "includeRoles": [],
        "excludeRoles": [], "includeGuestsOrExternalUsers": null, "excludeGuestsOrExternalUsers": null });
    overlay(&mut users, some.clone());
    json!({ "users": users, "applications": target(&["All"], &[]) })
}

fn target(included: &[&str], excluded: &[&str]) -> Value {
    json!({ "includeApplications": included, "excludeApplications": excluded, "includeUserActions": [],
        "includeAuthenticationContextClassReferences": [], "applicationFilter": null })
}

fn block() -> Value {
    controls("OR", &["block"])
}

fn controls(operator: &str, names: &[&str]) -> Value {
    json!({ "operator": operator, "builtInControls": names, "customAuthenticationFactors": [], "termsOfUse": [],
        "authenticationStrength": null })
}

/// A grant of one strength; the server fills in the rest of it when it is read.
fn strength(id: &str) -> Value {
    json!({ "operator": "OR", "builtInControls": [], "customAuthenticationFactors": [], "termsOfUse": [],
        "authenticationStrength": { "id": id } })
}

fn with(mut conditions: Value, more: Value) -> Value {
    overlay(&mut conditions, more);
    conditions
}

fn merge(conditions: &mut Value, key: &str, more: Value) {
    if let Some(inner) = conditions.get_mut(key) {
        overlay(inner, more);
    }
}

fn overlay(onto: &mut Value, more: Value) {
    if let (Value::Object(onto), Value::Object(more)) = (onto, more) {
        onto.extend(more);
    }
}
