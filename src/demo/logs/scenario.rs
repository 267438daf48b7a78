//! What a session was: from which device and place, to which app, by which protocol.

use jiff::Timestamp;

use crate::demo::activity::{Session, TOLD};
use crate::demo::apps::{self, app_id};
use crate::demo::devices::{self, Device};
use crate::demo::names;
use crate::demo::people::{Kind, People};
use crate::demo::random::{chance, pick};

/// One visit, before anybody judges it.
#[derive(Clone, Debug)]
pub struct Visit {
    /// When.
    pub at: Timestamp,
    /// Index of the user.
    pub user: u32,
    /// Client app: id and name.
    pub client: (&'static str, &'static str),
    /// Apps that policies are evaluated for; the first is the resource.
    pub audiences: Vec<String>,
    /// Kind of client as policies name it.
    pub kind: &'static str,
    /// Kind of client as the log names it.
    pub used: &'static str,
    /// Platform as policies name it; none where unknown.
    pub platform: Option<&'static str>,
    /// Operating system as the log names it.
    pub system: &'static str,
    /// The registered device.
    pub device: Option<Device>,
    /// Address.
    pub address: String,
    /// Country and city; none where the address has none.
    pub place: Option<(&'static str, &'static str)>,
    /// Risk of the sign-in.
    pub risk: &'static str,
    /// `deviceCodeFlow` where the session began so.
    pub flow: Option<&'static str>,
    /// A person was there.
    pub interactive: bool,
    /// The password was wrong.
    pub failed: bool,
}

const OFFICE: (&str, &str) = ("4765445b-32c6-49b0-83e6-1d93765276ca", "OfficeHome");
const OUTLOOK: (&str, &str) = ("d3590ed6-52b3-4102-aeff-aad2292ab01c", "Microsoft Office");
const OUTLOOK_MOBILE: (&str, &str) = ("27922004-5251-4030-b22d-91ecd9a37ea4", "Outlook Mobile");
const TEAMS_CLIENT: (&str, &str) = ("1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Microsoft Teams");
const AZURE_CLI: (&str, &str) = (apps::AZURE_CLI, "Microsoft Azure CLI");
const GRAPH_POWERSHELL: (&str, &str) = (apps::GRAPH_POWERSHELL, "Microsoft Graph Command Line Tools");
const PORTAL: (&str, &str) = (apps::AZURE_PORTAL, "Azure Portal");
const EXCHANGE: (&str, &str) = (apps::EXCHANGE, "Office 365 Exchange Online");
const SYNC: (&str, &str) = ("cb1056e2-e479-49de-ae31-7812af012ed8", "Microsoft Azure Active Directory Connect");
/// Where nobody of Nordwerk works.
const ABROAD: &[(&str, &str)] = &[("US", "Ashburn"), ("BR", "São Paulo"), ("VN", "Hanoi"), ("NG", "Lagos")];

/// What a session of the log was.
#[must_use]
pub fn visit(people: &People, session: Session) -> Visit {
    let draw = Draw { people, session };
    let kind = people.get(session.user).map_or(Kind::Person, |user| user.kind);
    match kind {
        _ if session.number >= TOLD => draw.told(),
        Kind::Room => draw.room(),
        Kind::Service => draw.service(),
        Kind::Sync => draw.synchronisation(),
        Kind::Person => draw.person(),
        _ => draw.guest(),
    }
}

struct Draw<'a> {
    people: &'a People,
    session: Session,
}

impl Draw<'_> {
    fn roll(&self, question: u64) -> u64 {
        self.people.roll(self.session.user, 10_000 + u64::from(self.session.number) * 16 + question)
    }

    /// A browser on a computer of one's own, to an app: what the others vary.
    fn base(&self, resource: &str) -> Visit {
        let (city, country, office, home) = self.people.office(self.session.user);
        let (roll, near) = (self.roll(1), self.roll(2) % 1000);
        let address = match near {
            0..=569 => format!("{office}.{}", roll % 110 + 5),
            570..=599 if office == "192.0.2" => format!("2001:db8:48::{:x}", roll % 0xfff + 1),
            _ => format!("{home}.{}.{}", roll % 200 + 1, (roll >> 8) % 250 + 1),
        };
        Visit {
            at: Timestamp::from_second(self.session.at).unwrap_or(self.people.today),
            user: self.session.user,
            client: OFFICE,
            audiences: vec![resource.to_owned()],
            kind: "browser",
            used: "Browser",
            platform: Some("windows"),
            system: "Windows10",
            device: None,
            address,
            place: (near != 999).then_some((country, city)),
            risk: match self.roll(3) % 1000 {
                0..=3 => "medium",
                4 => "high",
                5..=14 => "low",
                _ => "none",
            },
            flow: None,
            interactive: true,
            failed: chance(self.roll(4), 35),
        }
    }

    fn person(&self) -> Visit {
        let department = self.people.get(self.session.user).and_then(|user| user.department);
        let technical = [Some(names::ENGINEERING), Some(names::INFORMATION_TECHNOLOGY)].contains(&department);
        let shifts = [Some(names::FIELD_OPERATIONS), Some(names::WAREHOUSE)].contains(&department);
        let admin = crate::demo::roles::at_first(self.session.user).is_some();
        let old_mail = ["Thiel", "Marchetti", "Brunner"].map(People::cast_index).contains(&self.session.user);
        match self.roll(5) % 1000 {
            0..=4 => self.legacy("IMAP4"),
            0..=449 if old_mail => self.legacy(pick(&["IMAP4", "Authenticated SMTP"], self.roll(6))),
            5..=11 => self.travelling(),
            12..=299 if shifts => self.timeclock(),
            12..=129 if technical => self.device_code(),
            130..=359 if admin => self.portal(),
            360..=519 => self.on_phone(),
            520..=599 => self.unmanaged(),
            600..=749 => self.own_app(),
            750..=849 => self.quiet(),
            850..=919 => self.on_computer(Visit { client: TEAMS_CLIENT, ..self.installed(apps::TEAMS) }),
            920..=964 => self.on_computer(Visit { client: OUTLOOK, ..self.installed(apps::EXCHANGE) }),
            _ => self.on_computer(self.base(pick(&[apps::SHAREPOINT, apps::EXCHANGE], self.roll(6)))),
        }
    }

    /// The visit, from the computer in slot 0 where there is one.
    fn on_computer(&self, visit: Visit) -> Visit {
        with_device(visit, devices::device(self.people, self.session.user, 0))
    }

    fn on_phone(&self) -> Visit {
        // Alice's iPad has a story of its own.
        let alice = self.session.user == People::cast_index("Moreau");
        let phone = devices::device(self.people, self.session.user, 1).filter(|_| !alice);
        match (phone, chance(self.roll(6), 600)) {
            (None, _) => self.unmanaged(),
            (phone, true) => with_device(Visit { client: OUTLOOK_MOBILE, ..self.installed(apps::EXCHANGE) }, phone),
            (phone, false) => with_device(Visit { client: TEAMS_CLIENT, ..self.installed(apps::TEAMS) }, phone),
        }
    }

    fn installed(&self, resource: &str) -> Visit {
        Visit { kind: "mobileAppsAndDesktopClients", used: "Mobile Apps and Desktop clients", ..self.base(resource) }
    }

    /// A browser on a machine nobody manages; rare in departments that have managed ones.
    fn unmanaged(&self) -> Visit {
        let department = self.people.get(self.session.user).and_then(|user| user.department);
        let managed =
            [names::SALES_EMEA, names::SALES_NORDICS, names::FINANCE, names::LEGAL].map(Some).contains(&department);
        if self.session.user == People::cast_index("Moreau") || (managed && chance(self.roll(8), 850)) {
            return self.on_computer(self.base(apps::SHAREPOINT));
        }
        if department == Some(names::FIELD_OPERATIONS) && chance(self.roll(8), 900) {
            return with_device(self.base(apps::SHAREPOINT), devices::device(self.people, self.session.user, 1));
        }
        let systems = [("windows", "Windows10"), ("macOS", "MacOs"), ("iOS", "Ios 17.7"), ("android", "Android 14")];
        let (platform, system) = pick(&systems, self.roll(7));
        Visit { platform: Some(platform), system, ..self.base(pick(&[apps::SHAREPOINT, apps::EXCHANGE], self.roll(6))) }
    }

    fn own_app(&self) -> Visit {
        let index = 1 + u32::try_from(self.roll(6) % 12).unwrap_or(0);
        let id = app_id(self.people.ids, index);
        let visit = self.base(&id);
        self.on_computer(Visit { client: ("", apps::app_name(self.people.ids, &id)), ..visit })
    }

    fn timeclock(&self) -> Visit {
        let visit = self.base(&app_id(self.people.ids, apps::TIMECLOCK));
        Visit { client: ("", "Nordwerk Timeclock"), platform: Some("android"), system: "Android 13", ..visit }
    }

    /// A token renewed without anybody there.
    fn quiet(&self) -> Visit {
        self.on_computer(Visit { client: OUTLOOK, interactive: false, failed: false, ..self.installed(apps::EXCHANGE) })
    }

    fn legacy(&self, used: &'static str) -> Visit {
        let base = self.base(apps::EXCHANGE);
        Visit { client: EXCHANGE, kind: "other", used, platform: None, system: "", ..base }
    }

    fn device_code(&self) -> Visit {
        let (client, resource) = if chance(self.roll(6), 800) {
            (AZURE_CLI, apps::AZURE_MANAGEMENT)
        } else {
            (GRAPH_POWERSHELL, apps::GRAPH)
        };
        Visit {
            client,
            flow: Some("deviceCodeFlow"),
            platform: Some("linux"),
            system: "Linux",
            ..self.installed(resource)
        }
    }

    fn portal(&self) -> Visit {
        let visit = self.base(apps::AZURE_MANAGEMENT);
        let audiences = vec![apps::AZURE_MANAGEMENT.to_owned(), apps::AZURE_PORTAL.to_owned()];
        self.on_computer(Visit { client: PORTAL, audiences, ..visit })
    }

    fn travelling(&self) -> Visit {
        let roll = self.roll(7);
        let address = format!("198.19.{}.{}", roll % 250 + 1, (roll >> 8) % 250 + 1);
        self.on_computer(Visit { place: Some(pick(ABROAD, roll)), address, ..self.base(apps::EXCHANGE) })
    }

    fn room(&self) -> Visit {
        let flow = chance(self.roll(6), 90).then_some("deviceCodeFlow");
        let (city, _, office, _) = self.people.office(self.session.user);
        // Rooms in Gdańsk reach the internet through the head office.
        let office = if city == "Gdańsk" { "192.0.2" } else { office };
        let address = format!("{office}.{}", self.roll(1) % 100 + 5);
        let visit = Visit {
            client: TEAMS_CLIENT,
            platform: Some("windows"),
            flow,
            failed: false,
            risk: "none",
            address,
            ..self.installed(apps::TEAMS)
        };
        Visit { interactive: chance(self.roll(7), 300), ..visit }
    }

    fn service(&self) -> Visit {
        let address = format!("192.0.2.{}", self.roll(1) % 50 + 200);
        let hosted = format!("203.0.113.{}", self.roll(1) % 100 + 130);
        let visit = match self.roll(6) % 10 {
            0..=5 => Visit { address, ..self.legacy("Authenticated SMTP") },
            6..=8 => Visit { address: hosted, client: GRAPH_POWERSHELL, ..self.installed(apps::GRAPH) },
            _ => Visit { address, ..self.legacy("Exchange Web Services") },
        };
        Visit { place: Some(("DE", "Hamburg")), risk: "none", failed: false, platform: None, system: "", ..visit }
    }

    fn synchronisation(&self) -> Visit {
        let visit =
            Visit { client: SYNC, interactive: false, failed: false, risk: "none", ..self.installed(apps::AZURE_AD) };
        Visit { address: "192.0.2.9".into(), place: Some(("DE", "Hamburg")), ..visit }
    }

    fn guest(&self) -> Visit {
        let resource = match self.roll(6) % 10 {
            0..=5 => apps::SHAREPOINT.to_owned(),
            6..=8 => apps::TEAMS.to_owned(),
            _ => app_id(self.people.ids, 11),
        };
        let (_, _, _, home) = self.people.office(self.session.user);
        let roll = self.roll(7);
        Visit { address: format!("{home}.{}.{}", roll % 200 + 1, (roll >> 8) % 250 + 1), ..self.base(&resource) }
    }

    /// Sessions that the demo's questions are about.
    fn told(&self) -> Visit {
        let calm = |visit| Visit { failed: false, risk: "none", ..visit };
        match self.session.number - TOLD {
            number @ 0..=3 => {
                let (client, slot) = if number < 3 { (OUTLOOK_MOBILE, 1) } else { (OUTLOOK, 0) };
                let device = devices::device(self.people, self.session.user, slot);
                let visit = calm(Visit { client, ..self.installed(apps::EXCHANGE) });
                with_device(Visit { address: "198.19.23.77".into(), place: Some(("FR", "Lyon")), ..visit }, device)
            }
            _ => calm(Visit { place: Some(("VN", "Hanoi")), address: "198.18.201.14".into(), ..self.device_code() }),
        }
    }
}

fn with_device(visit: Visit, device: Option<Device>) -> Visit {
    let Some(device) = device else { return visit };
    let system = match device.system {
        "Windows" => "Windows10",
        "MacMDM" => "MacOs",
        "IPad" | "IPhone" => "Ios 17.7",
        "AndroidForWork" => "Android 14",
        _ => "Linux",
    };
    Visit { platform: Some(device.platform()), system, device: Some(device), ..visit }
}
