//! What the renderers of all platforms share: untrusted text made visible, addresses checked, shares put into words.

use crate::facts::hidden;

/// Text for display: characters that nobody sees, or that reorder what others see, become `�`; lines are kept.
///
/// Names were cleaned when they became words; this is the second fence, for every text of a card.
#[must_use]
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if hidden(c) && c != '\n' && c != '\t' { '\u{FFFD}' } else { c }).collect()
}

/// The address if a button may open it: of the web, or of this program.
#[must_use]
pub fn web_address(url: &str) -> Option<&str> {
    let local = url.starts_with('/') && !url.starts_with("//") && !url.starts_with("/\\");
    (local || url.starts_with("https://") || url.starts_with("http://127.0.0.1:")).then_some(url)
}

/// A share in percent to one decimal, as people read it: `100.0 %` only when nothing is missing, `0.0 %` only when
/// there is nothing, `–` of nothing.
#[must_use]
pub fn share(value: u64, of: u64) -> String {
    tenths(value, of).map_or_else(|| "–".to_owned(), |tenths| format!("{}.{} %", tenths / 10, tenths % 10))
}

/// A share in tenths of a percent, 0 to 1000; none of nothing.
#[must_use]
pub fn tenths(value: u64, of: u64) -> Option<u64> {
    if of == 0 {
        return None;
    }
    if value == 0 || value >= of {
        return Some(if value == 0 { 0 } else { 1000 });
    }
    let rounded = (u128::from(value) * 2000 + u128::from(of)) / (u128::from(of) * 2);
    Some(u64::try_from(rounded).unwrap_or(1000).clamp(1, 999))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_reorder_text_become_visible() {
        assert_eq!(visible("a\u{202E}b\nc\u{200B}"), "a\u{FFFD}b\nc\u{FFFD}");
    }

    #[test]
    fn only_addresses_of_the_web_and_of_this_program_open() {
        assert!(web_address("https://entra.microsoft.com/").is_some());
        assert!(web_address("/evidence/1").is_some());
        for bad in
            ["javascript:alert(1)", "//evil.example", "/\\evil.example", "data:text/html,x", "http://evil.example"]
        {
            assert_eq!(web_address(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_share_is_whole_only_when_nothing_is_missing() {
        let shares = [(20_536, 21_180), (21_179, 21_180), (21_180, 21_180), (1, 1_000_000), (0, 5), (1, 0)];
        let words: Vec<_> = shares.iter().map(|(value, of)| share(*value, *of)).collect();
        assert_eq!(words, ["97.0 %", "99.9 %", "100.0 %", "0.1 %", "0.0 %", "–"]);
    }
}
