//! URLs without what varies from one call to the next, so that those of one kind are one.

/// Characters of a segment of a path past which it is taken for an id.
const LONG: usize = 32;

/// A URL with `…` for the numbers and ids in it: segments of its path with a digit, an escape or an `@`,
/// very long ones, and every value of its query. `v2` and the host stay as they are.
#[must_use]
pub fn url_pattern(url: &str) -> String {
    let (address, query) = url.split('#').next().unwrap_or_default().split_once('?').unwrap_or((url, ""));
    let address = address.split('#').next().unwrap_or_default();
    let path = address.find("://").map_or(0, |at| at + 3);
    let path = address[path..].find('/').map_or(address.len(), |at| path + at);
    let (host, path) = address.split_at(path);
    let path: Vec<&str> = path.split('/').map(|part| if varies(part) { "…" } else { part }).collect();
    let mut pattern = format!("{host}{}", path.join("/"));
    for (at, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        pattern.push(if at == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((name, _)) => {
                pattern.push_str(name);
                pattern.push_str("=…");
            }
            None => pattern.push_str(if varies(pair) { "…" } else { pair }),
        }
    }
    pattern
}

fn varies(part: &str) -> bool {
    let version = part
        .strip_prefix('v')
        .is_some_and(|rest| (1..=3).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_digit()));
    !version
        && (part.chars().count() > LONG || part.contains(|c: char| c.is_ascii_digit() || "%@•".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ids_are_folded_and_what_names_the_resource_stays() {
        for (url, pattern) in [
            ("http://127.0.0.1:9000/custmers/c.meyer%40example.com", "http://127.0.0.1:9000/custmers/…"),
            ("https://api.example/v2/orders/10438/lines/7", "https://api.example/v2/orders/…/lines/…"),
            ("https://api.example/v2024/a", "https://api.example/…/a"),
            ("https://api.example", "https://api.example"),
            ("https://api.example/", "https://api.example/"),
            ("https://api.example?since=3&all", "https://api.example?since=…&all"),
            ("https://api.example/f?key=•••&x=", "https://api.example/f?key=…&x=…"),
            ("https://api.example/t/•••/send#part7", "https://api.example/t/…/send"),
            ("https://api.example/customers/c@example.com", "https://api.example/customers/…"),
            ("https://api.example/abcdefghijklmnopqrstuvwxyzabcdefghij/x", "https://api.example/…/x"),
            ("", ""),
        ] {
            assert_eq!(url_pattern(url), pattern, "{url}");
            assert_eq!(url_pattern(pattern), pattern, "a pattern is its own");
        }
    }
}
