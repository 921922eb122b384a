//! A mail address, as far as finding its server needs it.

use crate::profile::normal_host;

/// RFC 5321 section 4.5.3.1.1.
const LONGEST_LOCAL_PART: usize = 64;

/// A mail address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    local_part: String,
    domain: String,
}

impl Address {
    /// Reads what a person typed.
    ///
    /// # Errors
    /// It is no address; the reason is for that person.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let text = text.strip_prefix("mailto:").unwrap_or(text);
        let (local_part, domain) = text
            .rsplit_once('@')
            .ok_or("an address has an @ in it, as in ada@example.com")?;
        if local_part.is_empty() {
            return Err("there is nothing before the @");
        }
        let wrong = |c: char| c.is_control() || c.is_whitespace() || "<>\"(),:;@\\[]".contains(c);
        if local_part.len() > LONGEST_LOCAL_PART || local_part.contains(wrong) {
            return Err("what stands before the @ is no user of a mail address");
        }
        if domain.is_empty() {
            return Err("there is nothing behind the @");
        }
        let domain = normal_host(domain).map_err(|_| "what stands behind the @ is no domain")?;
        if domain.parse::<std::net::IpAddr>().is_ok() {
            return Err("what stands behind the @ is an address of a machine, and no domain");
        }
        Ok(Self {
            local_part: local_part.to_owned(),
            domain,
        })
    }

    /// What stands before the @.
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// What stands behind it, as DNS has it.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Both.
    pub fn whole(&self) -> String {
        format!("{}@{}", self.local_part, self.domain)
    }

    /// `pattern` with the three placeholders of providers' tables and documents filled in.
    pub(super) fn fill(&self, pattern: &str) -> String {
        pattern
            .replace("%EMAILADDRESS%", &self.whole())
            .replace("%EMAILLOCALPART%", &self.local_part)
            .replace("%EMAILDOMAIN%", &self.domain)
    }

    /// Whether a host is in the address's own domain.
    pub fn owns(&self, host: &str) -> bool {
        let below = host.strip_suffix(self.domain.as_str());
        below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_people_write_it() {
        let address = Address::parse(" mailto:Ada+x@Example.COM. ").unwrap();
        assert_eq!(address.local_part(), "Ada+x");
        assert_eq!(address.domain(), "example.com");
        assert_eq!(address.whole(), "Ada+x@example.com");
        let umlaut = Address::parse("ada@bücher.example").unwrap();
        assert_eq!(umlaut.domain(), "xn--bcher-kva.example");
    }

    #[test]
    fn what_is_no_address_is_said_to_be_none() {
        for wrong in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@exa mple.com",
            "a b@example.com",
            "ada@example..com",
            "ada@[127.0.0.1]",
            "ada@127.0.0.1",
            "ada\n@example.com",
            "<ada@example.com>",
            "pops://ada@",
            "ada@@example.com",
        ] {
            assert!(Address::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(Address::parse(&format!("{}@example.com", "a".repeat(65))).is_err());
    }

    #[test]
    fn a_host_belongs_to_the_domain_or_does_not() {
        let address = Address::parse("ada@example.com").unwrap();
        assert!(address.owns("pop.example.com") && address.owns("example.com"));
        assert!(!address.owns("pop.badexample.com") && !address.owns("example.com.evil.org"));
    }
}
