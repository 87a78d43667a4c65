//! Who is at the other end of a unix socket: the system user's name.

/// The name of a user id by `/etc/passwd`, else `uid 1000`.
pub fn name(uid: u32) -> String {
    std::fs::read_to_string("/etc/passwd")
        .ok()
        .and_then(|text| find(&text, uid))
        .unwrap_or_else(|| format!("uid {uid}"))
}

fn find(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid) && !name.is_empty()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_id_has_a_name_where_the_system_knows_one() {
        let passwd = "# users\nroot:x:0:0:root:/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\nbroken\n";
        assert_eq!(find(passwd, 1000).as_deref(), Some("anna"));
        assert_eq!(find(passwd, 0).as_deref(), Some("root"));
        assert_eq!(find(passwd, 7), None);
        assert_eq!(name(u32::MAX - 1), format!("uid {}", u32::MAX - 1));
    }
}
