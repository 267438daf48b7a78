//! The people every Nordwerk has, whatever its size: administrators, the story's people, and one account of each kind.

use super::names::{
    CUSTOMER_CARE, ENGINEERING, FIELD_OPERATIONS, FINANCE, HUMAN_RESOURCES, INFORMATION_TECHNOLOGY as IT, LEGAL,
    MARKETING, SALES_EMEA, WAREHOUSE,
};
use super::people::Kind;

/// A user whose name and place do not depend on the seed.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Given name; for accounts that are no person the whole name.
    pub given: &'static str,
    /// Family name; empty for accounts that are no person.
    pub family: &'static str,
    /// Kind of account.
    pub kind: Kind,
    /// Position in the departments.
    pub department: Option<u8>,
    /// Position in the offices.
    pub office: u8,
    /// Job title, where it is not the department's.
    pub title: &'static str,
    /// Role held, by template id; empty for none.
    pub role: &'static str,
    /// The role has to be activated first (Privileged Identity Management).
    pub eligible: bool,
}

const fn person(given: &'static str, family: &'static str, department: u8, office: u8) -> Member {
    let department = Some(department);
    Member { given, family, kind: Kind::Person, department, office, title: "", role: "", eligible: false }
}

const fn admin(given: &'static str, family: &'static str, title: &'static str, role: &'static str) -> Member {
    Member { title, role, ..person(given, family, IT, 0) }
}

const fn account(given: &'static str, kind: Kind) -> Member {
    Member { kind, department: None, ..person(given, "", 0, 0) }
}

const fn from(kind: Kind, given: &'static str, family: &'static str) -> Member {
    Member { kind, department: None, ..person(given, family, 0, 1) }
}

/// Global Administrator.
pub const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
/// Conditional Access Administrator.
pub const CONDITIONAL_ACCESS_ADMINISTRATOR: &str = "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9";
/// Security Administrator.
pub const SECURITY_ADMINISTRATOR: &str = "194ae4cb-b126-40b2-bd5b-6091b380977d";
/// Security Reader.
pub const SECURITY_READER: &str = "5d6b6bb7-de71-4623-b4af-96380a352509";
const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
const EXCHANGE: &str = "29232cdf-9323-42fd-ade2-1d097af3e4de";
const SHAREPOINT: &str = "f28a1f50-f6e7-4571-818b-6a12f2af6b6c";
const INTUNE: &str = "3a2c62db-5318-420d-8d74-23affee5d9d5";
const APPLICATION: &str = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3";
const CLOUD_APPLICATION: &str = "158c047a-c907-4556-b7ef-446551a6b5f7";
const HELPDESK: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
const AUTHENTICATION: &str = "c4e39bd9-1100-46d3-8c65-fb160da0071f";
const GLOBAL_READER: &str = "f2ef992c-3afb-46b9-b7cf-a126ee74c451";
const SYNCHRONISATION: &str = "d29b2b05-8046-44ba-8758-1e26182fcf32";

/// Everybody who is always there, in index order.
pub const CAST: &[Member] = &[
    admin("Dana", "Whitfield", "Identity Lead", CONDITIONAL_ACCESS_ADMINISTRATOR),
    admin("Mara", "Okafor", "Security Lead", SECURITY_ADMINISTRATOR),
    admin("Jonas", "Lindgren", "Security Analyst", SECURITY_READER),
    person("Lena", "Fischer", FINANCE, 0),
    admin("Piotr", "Nowak", "Workplace Engineer", USER_ADMINISTRATOR),
    person("Alice", "Moreau", SALES_EMEA, 1),
    person("Alice", "Lindqvist", ENGINEERING, 3),
    admin("Henrik", "Dahlberg", "Head of IT", GLOBAL_ADMINISTRATOR),
    admin("Sofia", "Almeida", "Cloud Architect", GLOBAL_ADMINISTRATOR),
    admin("Tomasz", "Zieliński", "Infrastructure Engineer", GLOBAL_ADMINISTRATOR),
    admin("Birgit", "Sommer", "Messaging Engineer", EXCHANGE),
    admin("Amélie", "Fontaine", "Collaboration Engineer", SHAREPOINT),
    admin("Karim", "Benali", "Endpoint Engineer", INTUNE),
    admin("Olga", "Petrova", "Application Owner", APPLICATION),
    admin("Mikael", "Strand", "Integration Engineer", CLOUD_APPLICATION),
    admin("Grace", "Mensah", "Service Desk Lead", HELPDESK),
    admin("Ruben", "Cardoso", "Identity Engineer", AUTHENTICATION),
    Member { eligible: true, ..admin("Nora", "Keller", "Deputy Head of IT", GLOBAL_ADMINISTRATOR) },
    admin("Stefan", "Brandt", "IT Auditor", GLOBAL_READER),
    Member { role: GLOBAL_ADMINISTRATOR, ..account("Emergency Access 1", Kind::Emergency) },
    Member { role: GLOBAL_ADMINISTRATOR, ..account("Emergency Access 2", Kind::Emergency) },
    Member { role: SYNCHRONISATION, ..account("On-Premises Directory Synchronization", Kind::Sync) },
    account("svc-scanner-01", Kind::Service),
    account("svc-erp-01", Kind::Service),
    account("Room Hamburg 4.12", Kind::Room),
    account("Room Lyon 1.03", Kind::Room),
    from(Kind::B2bGuest, "Claire", "Duval"),
    from(Kind::B2bGuest, "Matthias", "Kessler"),
    from(Kind::B2bMember, "Aiko", "Tanaka"),
    from(Kind::InternalGuest, "Bruno", "Keita"),
    from(Kind::PendingGuest, "Elif", "Aydin"),
    Member { department: None, ..person("Oliver", "Stein", 0, 2) },
    Member { department: None, ..person("Carla", "Mendes", 0, 4) },
    person("Jan", "Kowalczyk", FIELD_OPERATIONS, 2),
    person("Filipa", "Rocha", FIELD_OPERATIONS, 4),
    person("Werner", "Thiel", WAREHOUSE, 0),
    person("Ines", "Marchetti", CUSTOMER_CARE, 1),
    person("Peter", "Vogel", LEGAL, 0),
    person("Hilde", "Brunner", MARKETING, 0),
    person("David", "Novák", HUMAN_RESOURCES, 2),
    person("Ellen", "Sjöberg", ENGINEERING, 3),
    person("Marc", "Tessier", SALES_EMEA, 1),
];
