//! Countries and well-known cities by the names that people type, as the codes that policies use.

/// ISO 3166-1 alpha-2 codes with names and cities in lower case, the English name first.
const PLACES: &[(&str, &str)] = &[
    ("AE", "united arab emirates|uae|dubai|abu dhabi"),
    ("AR", "argentina|buenos aires"),
    ("AT", "austria|vienna"),
    ("AU", "australia|sydney|melbourne"),
    ("BE", "belgium|brussels"),
    ("BG", "bulgaria|sofia"),
    ("BR", "brazil|são paulo|sao paulo|rio"),
    ("BY", "belarus|minsk"),
    ("CA", "canada|toronto|montreal"),
    ("CH", "switzerland|zurich|zürich|geneva"),
    ("CL", "chile|santiago"),
    ("CN", "china|beijing|shanghai"),
    ("CO", "colombia|bogotá"),
    ("CU", "cuba"),
    ("CZ", "czechia|czech republic|prague"),
    ("DE", "germany|berlin|frankfurt|hamburg|munich|stuttgart"),
    ("DK", "denmark|copenhagen"),
    ("EE", "estonia|tallinn"),
    ("EG", "egypt|cairo"),
    ("ES", "spain|madrid|barcelona"),
    ("FI", "finland|helsinki"),
    ("FR", "france|paris|lyon|marseille"),
    ("GB", "united kingdom|uk|london"),
    ("GR", "greece|athens"),
    ("HK", "hong kong"),
    ("HR", "croatia|zagreb"),
    ("HU", "hungary|budapest"),
    ("ID", "indonesia|jakarta|bali"),
    ("IE", "ireland|dublin"),
    ("IL", "israel|tel aviv"),
    ("IN", "india|bangalore|delhi|mumbai"),
    ("IR", "iran|tehran"),
    ("IS", "iceland"),
    ("IT", "italy|rome|milan"),
    ("JP", "japan|tokyo|osaka"),
    ("KE", "kenya|nairobi"),
    ("KP", "north korea"),
    ("KR", "south korea|korea|seoul"),
    ("LT", "lithuania|vilnius"),
    ("LU", "luxembourg"),
    ("LV", "latvia|riga"),
    ("MA", "morocco|casablanca"),
    ("MX", "mexico|mexico city"),
    ("MY", "malaysia|kuala lumpur"),
    ("NG", "nigeria|lagos"),
    ("NL", "netherlands|amsterdam"),
    ("NO", "norway|oslo"),
    ("NZ", "new zealand"),
    ("PE", "peru|lima"),
    ("PH", "philippines|manila"),
    ("PK", "pakistan"),
    ("PL", "poland|warsaw"),
    ("PT", "portugal|lisbon|porto"),
    ("RO", "romania|bucharest"),
    ("RS", "serbia|belgrade"),
    ("RU", "russia|moscow"),
    ("SA", "saudi arabia|riyadh"),
    ("SE", "sweden|stockholm|gothenburg|malmö"),
    ("SG", "singapore"),
    ("SI", "slovenia"),
    ("SK", "slovakia"),
    ("SY", "syria"),
    ("TH", "thailand|bangkok"),
    ("TR", "turkey|türkiye|istanbul"),
    ("TW", "taiwan"),
    ("UA", "ukraine|kyiv|kiev"),
    ("US", "united states|usa|the us|new york|chicago|boston|los angeles|san francisco"),
    ("VE", "venezuela"),
    ("VN", "vietnam|hanoi"),
    ("ZA", "south africa|johannesburg"),
];

/// The countries of the European Union.
const EU: &[&str] = &[
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// The countries of a place that people name: those of the Union, or the one of a name.
pub(super) fn countries(name: &str) -> Option<Vec<&'static str>> {
    match name.to_lowercase().as_str() {
        "eu" | "the eu" | "european union" => Some(EU.to_vec()),
        name => country(name).map(|code| vec![code]),
    }
}

/// The English name of a country code; the code itself where it isn't known.
pub(super) fn name(code: &str) -> String {
    let names = PLACES.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)).map(|(_, names)| *names);
    let name = names.and_then(|names| names.split('|').next()).unwrap_or(code);
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    name.split(' ').map(capital).collect::<Vec<_>>().join(" ")
}

/// The country of a name; a code is taken as it is.
pub(super) fn country(name: &str) -> Option<&'static str> {
    let name = name.trim().to_lowercase();
    let known = |(code, names): &&(&str, &str)| {
        names.split('|').any(|one| one == name) || (name.len() == 2 && code.eq_ignore_ascii_case(&name))
    };
    PLACES.iter().find(known).map(|(code, _)| *code)
}

#[cfg(test)]
mod tests {
    use super::country;

    #[test]
    fn countries_cities_and_codes() {
        assert_eq!(country("Brazil"), Some("BR"));
        assert_eq!(country("Dubai"), Some("AE"));
        assert_eq!(country("fr"), Some("FR"));
        assert_eq!(country("the moon"), None);
    }
}
