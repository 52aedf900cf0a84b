//! A hub on loopback that misbehaves on demand: one repository, one listing, and faults that are used up one by one.

use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The repository it has.
pub const REPO: &str = "owner/Tiny-Model";
/// The name such a repository gets here.
pub const NAME: &str = "Tiny-Model";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What goes wrong with one request for a file's bytes.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The connection is cut after so many bytes of the body.
    Cut(usize),
    /// So many bytes, then silence until the client leaves.
    Silence(usize),
    /// The byte at this place of the file is another one.
    Flip(usize),
    /// A status without the file; with `Retry-After` when given.
    Status(u16, Option<u32>),
    /// The range that was asked for is ignored.
    WholeInstead,
    /// A range that was not asked for.
    OtherRange,
    /// A length that is not the file's.
    WrongLength,
}

/// What a client asked.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub path: String,
    pub range: Option<String>,
    pub if_range: Option<String>,
    pub token: Option<String>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    faults: BTreeMap<String, VecDeque<Fault>>,
    always: BTreeMap<String, Fault>,
    listing_faults: VecDeque<Fault>,
    extra: Vec<String>,
    /// Sizes that the listing claims instead of the real ones.
    claimed: BTreeMap<String, u64>,
    plain_listing: bool,
    asked: Vec<Asked>,
}

/// The stand-in; it ends with the test process.
pub struct Hub {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Hub {
    /// A hub with the model of a folder.
    pub fn with_model(folder: &Path) -> Hub {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(folder)
            .expect("the model's folder")
            .flatten()
        {
            if entry.path().is_file() {
                let name = entry.file_name().to_string_lossy().into_owned();
                files.insert(name, std::fs::read(entry.path()).expect("a readable file"));
            }
        }
        let state = Arc::new(Mutex::new(State {
            files,
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A client that leaves early is what some tests are about.
                std::thread::spawn(move || serve(stream, &state).is_ok());
            }
        });
        Hub { port, state }
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next requests for the bytes of `file` go wrong like this.
    pub fn spoil(&self, file: &str, faults: &[Fault]) {
        self.lock()
            .faults
            .insert(file.into(), faults.iter().cloned().collect());
    }

    /// Every request for the bytes of `file` goes wrong like this.
    pub fn spoil_always(&self, file: &str, fault: Fault) {
        self.lock().always.insert(file.into(), fault);
    }

    /// The next requests for the listing go wrong like this.
    pub fn spoil_listing(&self, faults: &[Fault]) {
        self.lock().listing_faults = faults.iter().cloned().collect();
    }

    /// The listing names another file.
    pub fn list_also(&self, name: &str) {
        self.lock().extra.push(name.into());
    }

    /// The listing claims a size.
    pub fn claim_size(&self, file: &str, size: u64) {
        self.lock().claimed.insert(file.into(), size);
    }

    /// The listing tells names only, and knows no options.
    pub fn list_names_only(&self) {
        self.lock().plain_listing = true;
    }

    pub fn set_file(&self, name: &str, bytes: Vec<u8>) {
        self.lock().files.insert(name.into(), bytes);
    }

    pub fn remove_file(&self, name: &str) {
        self.lock().files.remove(name);
    }

    pub fn file(&self, name: &str) -> Vec<u8> {
        self.lock().files[name].clone()
    }

    /// Requests for the bytes of `file`, in order.
    pub fn asked_for(&self, file: &str) -> Vec<Asked> {
        let path = format!("/cdn/{file}");
        self.lock()
            .asked
            .iter()
            .filter(|asked| asked.path == path)
            .cloned()
            .collect()
    }

    /// All requests, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.lock().asked.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no test panics while it holds the hub")
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let Some((method, asked)) = read_request(&mut reader)? else {
            return Ok(());
        };
        if method == "CONNECT" {
            // As a proxy it is at once the place it leads to.
            state.lock().expect("the hub").asked.push(asked);
            write!(stream, "HTTP/1.1 200 Connected\r\n\r\n")?;
            continue;
        }
        let path = asked.path.clone();
        state.lock().expect("the hub").asked.push(asked.clone());
        let (plain, query) = path.split_once('?').unwrap_or((&path, ""));
        let resolve = format!("/{REPO}/resolve/main/");
        if plain == format!("/api/models/{REPO}/revision/main") {
            listing(&mut stream, state, query)?;
        } else if let Some(file) = plain.strip_prefix(&resolve) {
            redirect(&mut stream, state, file)?;
        } else if let Some(file) = plain.strip_prefix("/cdn/") {
            body(&mut stream, state, file, &asked)?;
            return Ok(());
        } else {
            answer(&mut stream, 404, "", b"")?;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> std::io::Result<Option<(String, Asked)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut asked = Asked {
        path,
        ..Asked::default()
    };
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            return Ok(Some((method, asked)));
        };
        let value = Some(value.trim().to_owned());
        match name.to_ascii_lowercase().as_str() {
            "range" => asked.range = value,
            "if-range" => asked.if_range = value,
            "authorization" => asked.token = value,
            _ => {}
        }
    }
}

fn answer(stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} Status\r\n{headers}Content-Length: {length}\r\n\r\n"
    )?;
    stream.write_all(body)
}

fn status(stream: &mut TcpStream, status: u16, retry_after: Option<u32>) -> std::io::Result<()> {
    let header = retry_after.map_or(String::new(), |seconds| {
        format!("Retry-After: {seconds}\r\n")
    });
    answer(stream, status, &header, b"no")
}

fn listing(stream: &mut TcpStream, state: &Mutex<State>, query: &str) -> std::io::Result<()> {
    let mut state = state.lock().expect("the hub");
    match state.listing_faults.pop_front() {
        Some(Fault::Status(code, after)) => return status(stream, code, after),
        Some(Fault::Cut(_)) => return stream.shutdown(std::net::Shutdown::Both),
        _ => {}
    }
    if state.plain_listing && !query.is_empty() {
        return answer(stream, 404, "", b"");
    }
    let mut siblings: Vec<String> = state
        .files
        .iter()
        .map(|(name, bytes)| match state.plain_listing {
            true => format!(r#"{{"rfilename": "{name}"}}"#),
            false => described(name, bytes, state.claimed.get(name).copied()),
        })
        .collect();
    siblings.extend(
        state
            .extra
            .iter()
            .map(|name| format!(r#"{{"rfilename": "{name}"}}"#)),
    );
    let body = format!(
        r#"{{"sha": "{COMMIT}", "cardData": {{"license": "mit"}}, "siblings": [{}]}}"#,
        siblings.join(", ")
    );
    answer(stream, 200, "", body.as_bytes())
}

fn described(name: &str, bytes: &[u8], claimed: Option<u64>) -> String {
    let size = claimed.unwrap_or(bytes.len() as u64);
    let blob = git_blob(bytes);
    let lfs = match name.ends_with(".safetensors") {
        true => format!(
            r#", "lfs": {{"sha256": "{}", "size": {size}}}"#,
            sha256(bytes)
        ),
        false => String::new(),
    };
    format!(r#"{{"rfilename": "{name}", "size": {size}, "blobId": "{blob}"{lfs}}}"#)
}

fn redirect(stream: &mut TcpStream, state: &Mutex<State>, file: &str) -> std::io::Result<()> {
    let state = state.lock().expect("the hub");
    let Some(bytes) = state.files.get(file) else {
        return answer(stream, 404, "", b"");
    };
    let headers = format!(
        "Location: /cdn/{file}\r\nX-Linked-Etag: \"{}\"\r\nX-Linked-Size: {}\r\nX-Repo-Commit: {COMMIT}\r\n",
        sha256(bytes),
        bytes.len()
    );
    answer(stream, 302, &headers, b"")
}

fn body(
    stream: &mut TcpStream,
    state: &Mutex<State>,
    file: &str,
    asked: &Asked,
) -> std::io::Result<()> {
    let (mut bytes, fault) = {
        let mut state = state.lock().expect("the hub");
        let Some(bytes) = state.files.get(file).cloned() else {
            return answer(stream, 404, "", b"");
        };
        let next = state.faults.get_mut(file).and_then(VecDeque::pop_front);
        let fault = next.or_else(|| state.always.get(file).cloned());
        (bytes, fault)
    };
    let etag = format!("\"cdn-{}\"", &sha256(&bytes)[..16]);
    let total = bytes.len();
    if let Some(Fault::Flip(place)) = fault {
        bytes[place] ^= 1;
    }
    let range = asked
        .range
        .as_deref()
        .and_then(|range| range.strip_prefix("bytes="));
    let same = asked.if_range.as_ref().is_none_or(|tag| *tag == etag);
    let first: usize = range
        .filter(|_| same && !matches!(fault, Some(Fault::WholeInstead)))
        .and_then(|range| range.split('-').next()?.parse().ok())
        .unwrap_or(0);
    let ranged = range.is_some() && same && !matches!(fault, Some(Fault::WholeInstead));
    if first >= total && ranged {
        return answer(
            stream,
            416,
            &format!("Content-Range: bytes */{total}\r\n"),
            b"",
        );
    }
    let last = match range {
        Some("0-0") => 1,
        _ => total,
    };
    let told = match fault {
        Some(Fault::OtherRange) => first / 2,
        _ => first,
    };
    let part = &bytes[first..last.max(first)];
    let mut headers = format!("ETag: {etag}\r\nConnection: close\r\n");
    let code = match ranged {
        true => {
            headers += &format!("Content-Range: bytes {told}-{}/{total}\r\n", last - 1);
            206
        }
        false => 200,
    };
    match fault {
        Some(Fault::Status(code, after)) => status(stream, code, after),
        Some(Fault::WrongLength) => answer(stream, code, &headers, &part[..part.len() / 2]),
        Some(Fault::Cut(count) | Fault::Silence(count)) => {
            let count = count.min(part.len());
            write!(
                stream,
                "HTTP/1.1 {code} Status\r\n{headers}Content-Length: {}\r\n\r\n",
                part.len()
            )?;
            stream.write_all(&part[..count])?;
            if matches!(fault, Some(Fault::Silence(_))) {
                // Silence until the client leaves.
                stream.set_read_timeout(Some(Duration::from_secs(60)))?;
                std::io::copy(stream, &mut std::io::sink())?;
            }
            Ok(())
        }
        _ => answer(stream, code, &headers, part),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn git_blob(bytes: &[u8]) -> String {
    let mut hash = Sha1::new_with_prefix(format!("blob {}\0", bytes.len()));
    hash.update(bytes);
    hex(&hash.finalize())
}
