//! The words the made-up organisation "Nordwerk" is built from.

/// The organisation's name.
pub const ORGANISATION: &str = "Nordwerk";
/// Its mail domain.
pub const DOMAIN: &str = "nordwerk.example";
/// Its initial domain, in which guests' principal names are written.
pub const INITIAL_DOMAIN: &str = "nordwerk.onmicrosoft.example";

/// Given names.
pub const GIVEN: &[&str] = &[
    "Anna",
    "Lukas",
    "Marie",
    "Jonas",
    "Sofie",
    "Felix",
    "Clara",
    "Paul",
    "Emma",
    "Leon",
    "Hanna",
    "Max",
    "Laura",
    "Tim",
    "Julia",
    "Erik",
    "Ida",
    "Nils",
    "Elsa",
    "Oskar",
    "Camille",
    "Louis",
    "Manon",
    "Hugo",
    "Chloé",
    "Jules",
    "Margaux",
    "Théo",
    "Katarzyna",
    "Marek",
    "Agnieszka",
    "Paweł",
    "Zofia",
    "Jakub",
    "Ewa",
    "Michał",
    "Inês",
    "João",
    "Beatriz",
    "Tiago",
    "Mariana",
    "Rui",
    "Fatima",
    "Yusuf",
    "Leila",
    "Omar",
    "Priya",
    "Arjun",
    "Mei",
    "Chen",
    "Ingrid",
    "Lars",
    "Astrid",
    "Magnus",
    "Greta",
    "Anton",
    "Helena",
    "Viktor",
    "Nadia",
    "Samuel",
];
/// Family names.
pub const FAMILY: &[&str] = &[
    "Schmidt",
    "Weber",
    "Becker",
    "Hoffmann",
    "Schulz",
    "Koch",
    "Richter",
    "Klein",
    "Wolf",
    "Neumann",
    "Schwarz",
    "Zimmermann",
    "Krüger",
    "Hartmann",
    "Lange",
    "Werner",
    "Krause",
    "Meier",
    "Martin",
    "Bernard",
    "Dubois",
    "Laurent",
    "Lefèvre",
    "Michel",
    "Garcia",
    "Roux",
    "Girard",
    "Nowicki",
    "Kowalska",
    "Wiśniewski",
    "Wójcik",
    "Kamińska",
    "Lewandowski",
    "Mazur",
    "Andersson",
    "Johansson",
    "Karlsson",
    "Nilsson",
    "Eriksson",
    "Larsson",
    "Persson",
    "Svensson",
    "Silva",
    "Santos",
    "Ferreira",
    "Pereira",
    "Oliveira",
    "Costa",
    "Rodrigues",
    "Martins",
    "Demir",
    "Yilmaz",
    "Haddad",
    "Rahman",
    "Patel",
    "Sharma",
    "Wang",
    "Zhang",
    "Hansen",
    "Olsen",
    "Berg",
    "Dahl",
];

/// Departments with one title each; positions are what records store.
pub const DEPARTMENTS: &[(&str, &str)] = &[
    ("Sales EMEA", "Account Manager"),
    ("Sales Nordics", "Account Manager"),
    ("Finance", "Controller"),
    ("Human Resources", "HR Partner"),
    ("Engineering", "Engineer"),
    ("Field Operations", "Field Technician"),
    ("Warehouse", "Shift Lead"),
    ("Marketing", "Campaign Manager"),
    ("Legal", "Counsel"),
    ("Information Technology", "IT Specialist"),
    ("Customer Care", "Service Agent"),
];
/// Sales EMEA.
pub const SALES_EMEA: u8 = 0;
/// Sales Nordics.
pub const SALES_NORDICS: u8 = 1;
/// Finance.
pub const FINANCE: u8 = 2;
/// Human Resources.
pub const HUMAN_RESOURCES: u8 = 3;
/// Engineering.
pub const ENGINEERING: u8 = 4;
/// Field Operations.
pub const FIELD_OPERATIONS: u8 = 5;
/// Warehouse.
pub const WAREHOUSE: u8 = 6;
/// Marketing.
pub const MARKETING: u8 = 7;
/// Legal.
pub const LEGAL: u8 = 8;
/// Information Technology.
pub const INFORMATION_TECHNOLOGY: u8 = 9;
/// Customer Care.
pub const CUSTOMER_CARE: u8 = 10;

/// An office: city, country code, the /24 its people are seen from, and the provider's /16 when they work from home.
pub type Office = (&'static str, &'static str, &'static str, &'static str);
/// Offices; the first is the head office. Addresses are from the ranges reserved for documentation and benchmarks.
pub const OFFICES: &[Office] = &[
    ("Hamburg", "DE", "192.0.2", "198.18"),
    ("Lyon", "FR", "198.51.100", "198.19"),
    ("Gdańsk", "PL", "203.0.113", "198.18"),
    ("Malmö", "SE", "192.0.2", "198.19"),
    ("Porto", "PT", "198.51.100", "198.18"),
];

/// Partner organisations whose people are guests: domain, and how their people authenticate (identity issuer).
pub const PARTNERS: &[(&str, &str)] = &[
    ("kessler-logistik.example", "ExternalAzureAD"),
    ("brightwave.example", "ExternalAzureAD"),
    ("atelier-roux.example", "mail"),
    ("oakfield-audit.example", "ExternalAzureAD"),
    ("freelance-studio.example", "google.com"),
];

/// What service accounts do.
pub const SERVICES: &[&str] = &["scanner", "erp", "backup", "crm", "payroll", "monitoring", "fax", "ticketing"];

/// `text` for a principal name: lower case, accents dropped, anything else a full stop.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().map(plain_char).collect()
}

fn plain_char(letter: char) -> char {
    match letter.to_lowercase().next().unwrap_or(letter) {
        'é' | 'è' | 'ê' | 'ę' => 'e',
        'ã' | 'ą' | 'ä' => 'a',
        'ü' => 'u',
        'ó' | 'ö' => 'o',
        'ł' => 'l',
        'ś' => 's',
        'ń' => 'n',
        lower if lower.is_ascii_alphanumeric() || lower == '-' => lower,
        _ => '.',
    }
}
