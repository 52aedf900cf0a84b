//! One request at a time over a thread of its own, so that no wait of the network can hold up a cancel.
//!
//! Redirects are followed here and not by the client: the hub's own headers are on the first hop, the bytes on the last,
//! and the token must not travel to another origin.

use crate::cancel::Cancel;
use std::io::Read;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::http::{HeaderMap, Uri};

const PIECE: usize = 128 * 1024;
/// Pieces that may wait for the disk.
const PIECES_AHEAD: usize = 16;
const MOST_REDIRECTS: usize = 10;
/// Longest time between two looks at the cancel flag.
const LOOK: Duration = Duration::from_millis(50);

/// Why a request brought nothing more.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Someone asked to stop.
    Cancelled,
    /// Worth another try.
    Broken(String),
    /// Never going to work.
    Hopeless(String),
}

/// What the headers said, of all hops together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub status: u16,
    /// Entity tag of the hop that sends the bytes.
    pub etag: Option<String>,
    /// Hash of the content, as the hub promises it.
    pub linked_etag: Option<String>,
    pub linked_size: Option<u64>,
    pub commit: Option<String>,
    pub length: Option<u64>,
    /// First byte and total of a partial answer.
    pub range: Option<(u64, Option<u64>)>,
    pub retry_after: Option<Duration>,
}

/// A client for one origin.
#[derive(Clone)]
pub(super) struct Link {
    agent: Agent,
    origin: Uri,
    token: Option<String>,
    stall: Duration,
}

/// An answer whose bytes are still arriving. Dropping it closes the connection.
pub(super) struct Stream {
    pub head: Head,
    pieces: Receiver<Result<Message, Trouble>>,
    stall: Duration,
}

enum Message {
    Head(Head),
    Bytes(Vec<u8>),
}

impl Link {
    /// A client that sends `token` to `origin` only, and calls a silence of `stall` a failure.
    pub fn new(origin: Uri, token: Option<String>, stall: Duration) -> Link {
        // The listener gives up first and says so in its own words; this only ends the thread behind it.
        let abandoned = Some(stall * 2);
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .accept_encoding("identity")
            .user_agent(concat!("r3mes/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(abandoned)
            .timeout_recv_response(abandoned)
            .timeout_per_read(abandoned);
        if is_loopback(&origin) {
            // A server on this computer is never behind a proxy.
            config = config.proxy(None);
        }
        Link {
            agent: config.build().new_agent(),
            origin,
            token,
            stall,
        }
    }

    /// Asks for `url` and waits for the headers of the last hop.
    pub fn get(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        cancel: &Cancel,
    ) -> Result<Stream, Trouble> {
        let (sender, pieces) = sync_channel(PIECES_AHEAD);
        let (link, url, headers) = (self.clone(), url.to_owned(), headers.to_vec());
        std::thread::Builder::new()
            .name("r3mes-download".into())
            .spawn(move || link.run(&url, &headers, &sender))
            .map_err(|error| Trouble::Hopeless(format!("cannot start a thread: {error}")))?;
        let mut stream = Stream {
            head: Head::default(),
            pieces,
            stall: self.stall,
        };
        match stream.receive(cancel)? {
            Some(Message::Head(head)) => stream.head = head,
            _ => {
                return Err(Trouble::Broken(
                    "the connection closed before an answer".into(),
                ));
            }
        }
        Ok(stream)
    }

    /// The thread: headers, then pieces; ends when nobody listens.
    fn run(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        sender: &SyncSender<Result<Message, Trouble>>,
    ) {
        let mut body = match self.follow(url, headers) {
            Ok((head, body)) => {
                if sender.send(Ok(Message::Head(head))).is_err() {
                    return;
                }
                body
            }
            Err(trouble) => {
                // Nobody listens any more: nothing to tell.
                let _unheard = sender.send(Err(trouble));
                return;
            }
        };
        loop {
            let mut piece = vec![0; PIECE];
            let message = match body.read(&mut piece) {
                Ok(0) => return,
                Ok(read) => {
                    piece.truncate(read);
                    Ok(Message::Bytes(piece))
                }
                Err(error) => Err(Trouble::Broken(error.to_string())),
            };
            let last = message.is_err();
            if sender.send(message).is_err() || last {
                return;
            }
        }
    }

    fn follow(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
    ) -> Result<(Head, ureq::BodyReader<'static>), Trouble> {
        let mut url: Uri = url
            .parse()
            .map_err(|error| Trouble::Hopeless(format!("address `{url}`: {error}")))?;
        let mut head = Head::default();
        for _ in 0..=MOST_REDIRECTS {
            let mut request = self.agent.get(&url);
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            if let Some(token) = self
                .token
                .as_ref()
                .filter(|_| same_origin(&url, &self.origin))
            {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            let answer = request.call().map_err(|error| match error {
                ureq::Error::BadUri(_) | ureq::Error::InvalidProxyUrl | ureq::Error::Http(_) => {
                    Trouble::Hopeless(error.to_string())
                }
                error => Trouble::Broken(error.to_string()),
            })?;
            head.take(answer.status().as_u16(), answer.headers());
            if !matches!(head.status, 301 | 302 | 303 | 307 | 308) {
                return Ok((head, answer.into_body().into_reader()));
            }
            let target = text(answer.headers(), "location")
                .ok_or_else(|| Trouble::Broken("a redirect without a target".into()))?;
            url = join(&url, &target).map_err(Trouble::Hopeless)?;
        }
        Err(Trouble::Broken(format!(
            "more than {MOST_REDIRECTS} redirects"
        )))
    }
}

impl Stream {
    /// The next bytes; nothing at the end.
    pub fn next(&mut self, cancel: &Cancel) -> Result<Option<Vec<u8>>, Trouble> {
        match self.receive(cancel)? {
            Some(Message::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Message::Head(_)) => Err(Trouble::Broken("a second answer".into())),
            None => Ok(None),
        }
    }

    /// The whole body, which must not be longer than `most` bytes.
    pub fn collect(&mut self, most: usize, cancel: &Cancel) -> Result<Vec<u8>, Trouble> {
        let mut body = Vec::new();
        while let Some(bytes) = self.next(cancel)? {
            if body.len() + bytes.len() > most {
                return Err(Trouble::Hopeless(format!(
                    "an answer of more than {most} B"
                )));
            }
            body.extend_from_slice(&bytes);
        }
        Ok(body)
    }

    fn receive(&mut self, cancel: &Cancel) -> Result<Option<Message>, Trouble> {
        let since = Instant::now();
        loop {
            if cancel.is_set() {
                return Err(Trouble::Cancelled);
            }
            match self.pieces.recv_timeout(LOOK) {
                Ok(message) => return message.map(Some),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) if since.elapsed() > self.stall => {
                    let seconds = self.stall.as_secs_f64();
                    return Err(Trouble::Broken(format!(
                        "nothing arrived for {seconds:.1} s"
                    )));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Head {
    /// Takes the headers of one hop; what only the hub knows stays from the first.
    fn take(&mut self, status: u16, headers: &HeaderMap) {
        let number = |name| text(headers, name).and_then(|value| value.parse().ok());
        self.status = status;
        self.etag = text(headers, "etag");
        self.length = number("content-length");
        self.range = text(headers, "content-range").and_then(|value| content_range(&value));
        self.retry_after = number("retry-after").map(Duration::from_secs);
        self.linked_etag = self
            .linked_etag
            .take()
            .or_else(|| text(headers, "x-linked-etag"));
        self.linked_size = self.linked_size.or_else(|| number("x-linked-size"));
        self.commit = self
            .commit
            .take()
            .or_else(|| text(headers, "x-repo-commit"));
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.trim().to_owned())
}

/// `bytes 3-9/10` → first byte 3 of 10.
fn content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = value.strip_prefix("bytes")?.trim().split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, total.trim().parse().ok()))
}

fn same_origin(a: &Uri, b: &Uri) -> bool {
    a.scheme() == b.scheme() && a.authority() == b.authority()
}

fn is_loopback(origin: &Uri) -> bool {
    let host = origin.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Where a redirect from `base` leads; never from https to http.
fn join(base: &Uri, target: &str) -> Result<Uri, String> {
    let scheme = base.scheme_str().unwrap_or("https");
    let authority = base.authority().map_or("", |authority| authority.as_str());
    let whole = if target.starts_with("http://") || target.starts_with("https://") {
        target.to_owned()
    } else if target.starts_with("//") {
        format!("{scheme}:{target}")
    } else if target.starts_with('/') {
        format!("{scheme}://{authority}{target}")
    } else {
        let folder = base
            .path()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{target}")
    };
    let url: Uri = whole
        .parse()
        .map_err(|error| format!("redirect to `{whole}`: {error}"))?;
    if scheme == "https" && url.scheme_str() == Some("http") {
        return Err(format!("redirect from https to `{whole}`, expected https"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_resolved_like_a_browser_does() {
        let base: Uri = "https://hub.test/a/b?c".parse().unwrap();
        let check = |target: &str, expected: &str| {
            assert_eq!(join(&base, target).unwrap().to_string(), expected)
        };
        check("https://cdn.test/x?sig=1", "https://cdn.test/x?sig=1");
        check("//cdn.test/x", "https://cdn.test/x");
        check("/x", "https://hub.test/x");
        check("x", "https://hub.test/a/x");
        assert!(join(&base, "http://cdn.test/x").is_err());
    }

    #[test]
    fn a_content_range_tells_first_byte_and_total() {
        assert_eq!(content_range("bytes 3-9/10"), Some((3, Some(10))));
        assert_eq!(content_range("bytes 3-9/*"), Some((3, None)));
        assert_eq!(content_range("bytes */10"), None);
        assert_eq!(content_range("lines 1-2/3"), None);
    }

    #[test]
    fn only_this_computer_is_reached_without_a_proxy() {
        for near in ["http://127.0.0.1:80", "http://localhost", "http://[::1]:9"] {
            assert!(is_loopback(&near.parse().unwrap()), "{near}");
        }
        assert!(!is_loopback(&"http://hub.test".parse().unwrap()));
    }
}
