//! Long work with progress: downloads, imports, verifications. Each runs on a thread of its own; the list outlives them.
//!
//! - Pausing a download is stopping it and keeping what is here; cancelling deletes that.
//! - Downloads that an earlier run left unfinished are paused jobs of this one.
//! - Progress is announced at most four times a second, a change of state always.

use crate::api::{
    Change, Job, JobKind, JobState, PullEvent, PullOutcome, PullRequest, Verification,
};
use crate::cancel::Cancel;
use crate::engine::Engine;
use crate::error::{EngineError, ErrorCode};
use crate::random;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const BETWEEN_ANNOUNCEMENTS: Duration = Duration::from_millis(250);

/// Called when something changed.
pub type Announce = Arc<dyn Fn(Change) + Send + Sync>;

/// The list of long work. Clones share it.
#[derive(Clone)]
pub struct Jobs {
    engine: Arc<Engine>,
    entries: Arc<Mutex<Vec<Entry>>>,
    announce: Announce,
}

struct Entry {
    job: Job,
    work: Work,
    cancel: Cancel,
    /// What a stop that was asked for leaves behind.
    after_stop: JobState,
}

#[derive(Clone, Debug)]
enum Work {
    Pull(PullRequest),
    Import(PathBuf),
    Verify(String),
}

/// How work ended without an error.
enum Ended {
    Done(String),
    Stopped,
    Wrong(String),
}

impl Jobs {
    /// The list as an earlier run left it.
    ///
    /// # Errors
    /// If the folder of models is there and cannot be read.
    pub fn open(engine: Arc<Engine>, announce: Announce) -> Result<Jobs, EngineError> {
        let unfinished = engine.models().unfinished_requests()?;
        let entries = unfinished.into_iter().map(|(unfinished, request)| {
            let mut entry = Entry::new(Work::Pull(request));
            entry.job.state = JobState::Paused;
            entry.job.done_bytes = unfinished.done_bytes;
            entry.job.total_bytes = unfinished.total_bytes;
            entry
        });
        Ok(Jobs {
            entries: Arc::new(Mutex::new(entries.collect())),
            engine,
            announce,
        })
    }

    /// Every job, oldest first.
    pub fn list(&self) -> Vec<Job> {
        self.entries()
            .iter()
            .map(|entry| entry.job.clone())
            .collect()
    }

    /// Fetches a model. A job that already does so goes on instead of a second one.
    ///
    /// # Errors
    /// If the system starts no thread.
    pub fn pull(&self, request: PullRequest) -> Result<Job, EngineError> {
        let same = |entry: &Entry| {
            entry.job.kind == JobKind::Pull
                && entry.job.subject == request.repo
                && matches!(
                    entry.job.state,
                    JobState::Running | JobState::Paused | JobState::Failed
                )
        };
        let earlier = self
            .entries()
            .iter()
            .find(|entry| same(entry))
            .map(|entry| entry.job.id.clone());
        match earlier {
            Some(id) => self.resume(&id),
            None => self.begin(Work::Pull(request)),
        }
    }

    /// Copies a model into the data folder.
    ///
    /// # Errors
    /// If the system starts no thread.
    pub fn import(&self, path: PathBuf) -> Result<Job, EngineError> {
        self.begin(Work::Import(path))
    }

    /// Compares an installed model's files with their record.
    ///
    /// # Errors
    /// If the system starts no thread.
    pub fn verify(&self, name: String) -> Result<Job, EngineError> {
        self.begin(Work::Verify(name))
    }

    /// Stops a download and keeps what is here of it.
    ///
    /// # Errors
    /// If there is no such job, or it is not a download.
    pub fn pause(&self, id: &str) -> Result<(), EngineError> {
        self.stop(id, JobState::Paused)
    }

    /// Stops a job and deletes what is here of it.
    ///
    /// # Errors
    /// If there is no such job, or the system refuses to delete.
    pub fn cancel(&self, id: &str) -> Result<(), EngineError> {
        self.stop(id, JobState::Cancelled)
    }

    /// Goes on with a job that was paused or failed; a running one is left alone.
    ///
    /// # Errors
    /// If there is no such job, or the system starts no thread.
    pub fn resume(&self, id: &str) -> Result<Job, EngineError> {
        let job = {
            let mut entries = self.entries();
            let entry = found(&mut entries, id)?;
            if entry.job.state == JobState::Running {
                return Ok(entry.job.clone());
            }
            entry.cancel = Cancel::new();
            entry.after_stop = JobState::Cancelled;
            entry.job.state = JobState::Running;
            entry.job.message.clear();
            entry.job.code.clear();
            entry.job.clone()
        };
        self.run(id)?;
        Ok(job)
    }

    /// Takes a job that has ended off the list.
    ///
    /// # Errors
    /// If there is no such job, or it is running or paused.
    pub fn dismiss(&self, id: &str) -> Result<(), EngineError> {
        {
            let mut entries = self.entries();
            let state = found(&mut entries, id)?.job.state;
            if matches!(state, JobState::Running | JobState::Paused) {
                return Err(refuse("job", "one that goes on", "one that has ended"));
            }
            entries.retain(|entry| entry.job.id != id);
        }
        (self.announce)(Change::Jobs);
        Ok(())
    }

    /// Asks every job to stop; downloads go on in the next run.
    pub fn stop_all(&self) {
        for entry in self.entries().iter_mut() {
            if entry.job.kind == JobKind::Pull {
                entry.after_stop = JobState::Paused;
            }
            entry.cancel.set();
        }
    }

    fn stop(&self, id: &str, after: JobState) -> Result<(), EngineError> {
        let delete = {
            let mut entries = self.entries();
            let entry = found(&mut entries, id)?;
            if after == JobState::Paused && entry.job.kind != JobKind::Pull {
                return Err(refuse("job", "not a download", "a download"));
            }
            match entry.job.state {
                JobState::Running => {
                    entry.after_stop = after;
                    entry.cancel.set();
                    None
                }
                JobState::Paused | JobState::Failed if after == JobState::Cancelled => {
                    entry.job.state = JobState::Cancelled;
                    Some(entry.work.clone())
                }
                _ => None,
            }
        };
        if let Some(work) = delete {
            self.discard(&work)?;
        }
        (self.announce)(Change::Jobs);
        Ok(())
    }

    fn begin(&self, work: Work) -> Result<Job, EngineError> {
        let entry = Entry::new(work);
        let job = entry.job.clone();
        self.entries().push(entry);
        self.run(&job.id)?;
        Ok(job)
    }

    fn run(&self, id: &str) -> Result<(), EngineError> {
        let (work, cancel) = {
            let mut entries = self.entries();
            let entry = found(&mut entries, id)?;
            (entry.work.clone(), entry.cancel.clone())
        };
        let jobs = self.clone();
        let own = id.to_owned();
        (self.announce)(Change::Jobs);
        let started = std::thread::Builder::new()
            .name("r3mes-job".into())
            .spawn(move || {
                let result = jobs.work(&own, &work, &cancel);
                jobs.end(&own, &work, result);
            });
        match started {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = EngineError::io("start a thread for", "long work")(error);
                self.change(id, |job| fail(job, &error));
                Err(error)
            }
        }
    }

    fn work(&self, id: &str, work: &Work, cancel: &Cancel) -> Result<Ended, EngineError> {
        let mut announced: Option<Instant> = None;
        let mut report = |event: PullEvent| {
            self.change(id, |job| apply(job, event));
            if announced.is_none_or(|before| before.elapsed() >= BETWEEN_ANNOUNCEMENTS) {
                announced = Some(Instant::now());
                (self.announce)(Change::Jobs);
            }
        };
        match work {
            Work::Pull(request) => self
                .engine
                .pull(request, cancel, &mut report)
                .map(installed),
            Work::Import(path) => self
                .engine
                .models()
                .import(path, None, cancel, &mut report)
                .map(installed),
            Work::Verify(name) => {
                let started = Instant::now();
                let mut progress = |done_bytes: u64, total_bytes: u64| {
                    let seconds = started.elapsed().as_secs_f64().max(1e-3);
                    let bytes_per_second = done_bytes as f64 / seconds;
                    let left = total_bytes.saturating_sub(done_bytes) as f64;
                    report(PullEvent::Progress {
                        file: String::new(),
                        done_bytes,
                        total_bytes,
                        bytes_per_second,
                        eta: (bytes_per_second > 0.0)
                            .then(|| Duration::from_secs_f64(left / bytes_per_second)),
                    });
                };
                let verified = self.engine.models().verify(name, cancel, &mut progress)?;
                Ok(verified.map_or(Ended::Stopped, judged))
            }
        }
    }

    fn end(&self, id: &str, work: &Work, result: Result<Ended, EngineError>) {
        let after = {
            let mut entries = self.entries();
            found(&mut entries, id).map_or(JobState::Cancelled, |entry| entry.after_stop)
        };
        let stopped = matches!(result, Ok(Ended::Stopped));
        let discarded = match after {
            JobState::Cancelled if stopped => self.discard(work),
            _ => Ok(()),
        };
        self.change(id, |job| {
            job.bytes_per_second = 0.0;
            job.eta_seconds = None;
            match result.and_then(|ended| discarded.map(|()| ended)) {
                Ok(Ended::Done(message)) => {
                    job.state = JobState::Done;
                    job.message = message;
                    job.done_bytes = job.total_bytes;
                }
                Ok(Ended::Wrong(message)) => {
                    job.state = JobState::Failed;
                    job.message = message;
                    job.code = ErrorCode::ModelUnusable.as_str().into();
                }
                Ok(Ended::Stopped) => {
                    job.state = after;
                    job.message.clear();
                }
                Err(error) => fail(job, &error),
            }
        });
        (self.announce)(Change::Jobs);
        (self.announce)(Change::Models);
    }

    /// Deletes what is here of work that was given up.
    fn discard(&self, work: &Work) -> Result<(), EngineError> {
        match work {
            Work::Pull(request) => self.engine.models().discard_unfinished(&request.repo),
            // An import deletes its own copy when it is stopped.
            Work::Import(_) | Work::Verify(_) => Ok(()),
        }
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Job)) {
        let mut entries = self.entries();
        // A job that was dismissed meanwhile needs no change.
        if let Ok(entry) = found(&mut entries, id) {
            change(&mut entry.job);
        }
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn new(work: Work) -> Entry {
        let (kind, subject) = match &work {
            Work::Pull(request) => (JobKind::Pull, request.repo.clone()),
            Work::Import(path) => (JobKind::Import, path.display().to_string()),
            Work::Verify(name) => (JobKind::Verify, name.clone()),
        };
        Entry {
            job: Job {
                id: random::uuid(),
                kind,
                subject,
                state: JobState::Running,
                message: String::new(),
                code: String::new(),
                done_bytes: 0,
                total_bytes: 0,
                bytes_per_second: 0.0,
                eta_seconds: None,
            },
            work,
            cancel: Cancel::new(),
            after_stop: JobState::Cancelled,
        }
    }
}

fn found<'a>(entries: &'a mut [Entry], id: &str) -> Result<&'a mut Entry, EngineError> {
    entries
        .iter_mut()
        .find(|entry| entry.job.id == id)
        .ok_or_else(|| refuse("job", &format!("`{id}`"), "a job on the list"))
}

fn refuse(field: &str, found: &str, expected: &str) -> EngineError {
    EngineError::BadRequest {
        field: field.into(),
        found: found.into(),
        expected: expected.into(),
    }
}

fn fail(job: &mut Job, error: &EngineError) {
    job.state = JobState::Failed;
    job.message = error.report();
    job.code = error.code().as_str().into();
}

fn apply(job: &mut Job, event: PullEvent) {
    match event {
        PullEvent::Planned {
            total_bytes,
            resumed_bytes,
            ..
        } => {
            job.total_bytes = total_bytes;
            job.done_bytes = resumed_bytes;
        }
        PullEvent::Progress {
            file,
            done_bytes,
            total_bytes,
            bytes_per_second,
            eta,
        } => {
            job.message = file;
            job.done_bytes = done_bytes;
            job.total_bytes = total_bytes;
            job.bytes_per_second = bytes_per_second;
            job.eta_seconds = eta.map(|time| time.as_secs_f64());
        }
        PullEvent::Retrying { file, reason, wait } => {
            job.message = format!("{file}: {reason}; again in {:.0} s", wait.as_secs_f64());
            job.bytes_per_second = 0.0;
            job.eta_seconds = None;
        }
        PullEvent::Checking => {
            job.message = "checking".into();
            job.bytes_per_second = 0.0;
            job.eta_seconds = None;
        }
    }
}

fn installed(outcome: PullOutcome) -> Ended {
    match outcome {
        PullOutcome::Installed(entry) => Ended::Done(entry.name),
        PullOutcome::Cancelled { .. } => Ended::Stopped,
    }
}

fn judged(verification: Verification) -> Ended {
    if verification.ok {
        return Ended::Done(verification.name);
    }
    let files = verification
        .files
        .into_iter()
        .filter_map(|file| Some(format!("{}: {}", file.path, file.problem?)));
    let problems: Vec<String> = files.chain(verification.error).collect();
    Ended::Wrong(problems.join("; "))
}
