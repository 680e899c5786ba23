//! Who may have what: the secret tokens of the links, and checks that a request comes from a page of this server.
//!
//! A page of another origin can send requests to loopback, and by DNS rebinding even as if it were of the same origin. It does not
//! know the token, and its `Host` is a name, where this server is only ever reached by an address or as `localhost`.

use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper::header::{HOST, HeaderMap, HeaderName, ORIGIN};

/// Bytes of a token: 128 bits, which nobody can guess.
const TOKEN_BYTES: usize = 16;
/// A header in which browsers say where a request comes from (<https://www.w3.org/TR/fetch-metadata/>).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A secret part of a link.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    /// A token from the system's random numbers.
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The token as it stands in a link.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `text` is this token; takes the same time wherever they differ.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let difference = self.0.bytes().zip(text.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
        self.0.len() == text.len() && difference == 0
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessError {
    /// `Host` is not the address that the connection came to.
    Host,
    /// The request comes from a page of another origin.
    Origin,
}

/// Checks that `Host` is the address `local` that the connection came to, or `localhost` where that is loopback; and, unless
/// the request opens a page, that a browser does not say that it comes from elsewhere. Where `requires_origin`, an `Origin`
/// must be given: browsers give one with every POST.
pub(crate) fn check_origin(
    headers: &HeaderMap,
    local: SocketAddr,
    opens_page: bool,
    requires_origin: bool,
) -> Result<(), AccessError> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).ok_or(AccessError::Host)?;
    if hosts.next().is_some() || !is_own_host(host, local) {
        return Err(AccessError::Host);
    }
    let mut origins = headers.get_all(ORIGIN).iter();
    match origins.next() {
        Some(origin) => {
            let is_own = origin.as_bytes() == format!("http://{host}").as_bytes();
            if !is_own || origins.next().is_some() {
                return Err(AccessError::Origin);
            }
        }
        None if requires_origin => return Err(AccessError::Origin),
        None => {}
    }
    let is_own_site = |site: &[u8]| site == b"same-origin" || site == b"none";
    let site = headers.get(SEC_FETCH_SITE);
    if !opens_page && site.is_some_and(|site| !is_own_site(site.as_bytes())) {
        return Err(AccessError::Origin);
    }
    Ok(())
}

/// Whether `host`, the value of the header, names `local`.
fn is_own_host(host: &str, local: SocketAddr) -> bool {
    // An IPv4 client of a socket that takes both families has a mapped address.
    let local = SocketAddr::new(local.ip().to_canonical(), local.port());
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (host, Some(80)),
    };
    if port != Some(local.port()) {
        return false;
    }
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let is_localhost = local.ip().is_loopback() && name.eq_ignore_ascii_case("localhost");
    is_localhost || name.parse::<IpAddr>().is_ok_and(|address| address == local.ip())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn check(pairs: &[(&'static str, &str)], requires_origin: bool) -> Result<(), AccessError> {
        check_origin(&headers(pairs), "127.0.0.1:8000".parse().unwrap(), false, requires_origin)
    }

    #[test]
    fn a_foreign_host_is_refused() {
        for host in ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000"] {
            assert_eq!(check(&[("host", host)], false), Ok(()), "{host}");
        }
        for host in [
            "example.org:8000",
            "127.0.0.1",
            "127.0.0.1:8001",
            "127.0.0.2:8000",
            "localhost.example.org:8000",
            "127.0.0.1:8000.example.org",
            "[::1]:8000",
            "",
            ":8000",
        ] {
            assert_eq!(check(&[("host", host)], false), Err(AccessError::Host), "{host}");
        }
        assert_eq!(check(&[], false), Err(AccessError::Host));
        let two = [("host", "127.0.0.1:8000"), ("host", "example.org")];
        assert_eq!(check(&two, false), Err(AccessError::Host));
    }

    #[test]
    fn addresses_of_both_families_are_their_own_hosts() {
        for (host, local, expected) in [
            ("[::1]:8000", "[::1]:8000", true),
            ("localhost:8000", "[::1]:8000", true),
            ("192.168.0.7:8000", "[::ffff:192.168.0.7]:8000", true),
            ("localhost:8000", "192.168.0.7:8000", false),
            ("192.168.0.7", "192.168.0.7:80", true),
            ("[fe80::1]", "[fe80::1]:80", true),
        ] {
            assert_eq!(is_own_host(host, local.parse().unwrap()), expected, "{host} {local}");
        }
    }

    #[test]
    fn a_foreign_or_missing_origin_is_refused() {
        let host = ("host", "127.0.0.1:8000");
        assert_eq!(check(&[host, ("origin", "http://127.0.0.1:8000")], true), Ok(()));
        for origin in ["http://example.org", "null", "https://127.0.0.1:8000", "http://localhost:8000"] {
            assert_eq!(check(&[host, ("origin", origin)], false), Err(AccessError::Origin), "{origin}");
        }
        assert_eq!(check(&[host], true), Err(AccessError::Origin));
        assert_eq!(check(&[host, ("sec-fetch-site", "cross-site")], false), Err(AccessError::Origin));
        assert_eq!(check(&[host, ("sec-fetch-site", "same-site")], false), Err(AccessError::Origin));
        assert_eq!(check(&[host, ("sec-fetch-site", "same-origin")], false), Ok(()));
    }

    #[test]
    fn tokens_differ_and_match_only_themselves() {
        let (one, two) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_eq!(one.as_str().len(), 22);
        assert!(one.matches(one.as_str()) && !one.matches(two.as_str()));
        assert!(
            !one.matches("")
                && !one.matches(&one.as_str()[1..])
                && !one.matches(&format!("{}x", one.as_str()))
        );
    }
}
