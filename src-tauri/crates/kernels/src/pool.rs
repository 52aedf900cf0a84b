//! A thread pool for one short job after another: spin, then park.
//!
//! A forward pass is a few hundred jobs of some hundred microseconds with nothing but a barrier between them, so a worker that
//! has just finished spins for a moment before it sleeps. The caller takes part. Items are claimed one at a time, each thread
//! beginning with a contiguous share of its own (so that it reads memory in one stream) and then helping the others.
//! A worker that the system has not yet scheduled is not waited for: the caller closes the job, and whoever comes late goes
//! back to sleep.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a thread spins before it sleeps.
const SPIN: Duration = Duration::from_micros(60);

/// A fixed set of threads that run one job at a time.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Held while a job runs: a second caller waits its turn.
    turn: Mutex<()>,
}

impl Pool {
    /// A pool in which `threads` threads work, the caller of [`Pool::run`] being one of them; 0 is taken as 1.
    /// If the system refuses threads the pool has fewer: see [`Pool::threads`].
    pub fn new(threads: usize) -> Pool {
        let shared = Arc::new(Shared::new(threads.max(1)));
        let spawn = |index: usize| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(format!("r3mes-kernel-{index}"))
                .spawn(move || shared.serve(index))
                .ok()
        };
        let workers = (1..threads).map_while(spawn).collect();
        Pool {
            shared,
            workers,
            turn: Mutex::new(()),
        }
    }

    /// How many threads work on a job, the caller included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `work` with every index in `0..items`, each once, on the threads of the pool, and returns when all are done.
    ///
    /// # Panics
    /// With the panic of `work`, if one panics (items not begun by then are left out), and if called from inside `work`: a
    /// nested job would wait for the thread it runs on.
    pub fn run(&self, items: usize, work: &(dyn Fn(usize) + Sync)) {
        assert!(
            !INSIDE.get(),
            "a pool job was started from inside a pool job: nest the loops, not the jobs"
        );
        if self.workers.is_empty() || items < 2 {
            let _inside = Inside::enter();
            return (0..items).for_each(work);
        }
        let _turn = lock(&self.turn);
        if let Err(panic) = self.shared.run(items, work) {
            resume_unwind(panic);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.state.fetch_add(NEXT_JOB, Ordering::SeqCst);
        drop(lock(&self.shared.sleep));
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its work; should it die of anything else there is nobody left to tell.
            let _ended = worker.join();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({} threads)", self.threads())
    }
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Marks this thread as working on a job, until dropped.
struct Inside(PhantomData<*const ()>);

impl Inside {
    fn enter() -> Inside {
        INSIDE.set(true);
        Inside(PhantomData)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(false);
    }
}

// The state word: low half the number of workers on the job, then two flags, then the number of the job.
const WORKERS: u64 = 0xffff_ffff;
/// Workers may still join the job.
const OPEN: u64 = 1 << 32;
/// The caller sleeps until the last worker leaves.
const CALLER_SLEEPS: u64 = 1 << 33;
const NEXT_JOB: u64 = 1 << 34;

struct Shared {
    state: AtomicU64,
    job: UnsafeCell<Option<Job>>,
    shares: Box<[Share]>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    stop: AtomicBool,
    sleepers: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
    done: Condvar,
}

/// A job as workers see it; the pointer lives as long as the call of `run` that made it.
#[derive(Clone, Copy)]
struct Job {
    work: *const (dyn Fn(usize) + Sync),
}

/// The items a thread begins with: `next..end`. On a cache line of its own.
#[repr(align(128))]
struct Share {
    next: AtomicUsize,
    end: AtomicUsize,
}

// SAFETY: `job` is the only part that is not Sync by itself. It is written by the holder of `turn` while the state is closed and
// has no workers, and read by workers only after they joined an open job (see `run` and `join`).
unsafe impl Sync for Shared {}
// SAFETY: the pointer in `job` is to a Sync function and only followed while the call that made it waits.
unsafe impl Send for Shared {}

impl Shared {
    fn new(threads: usize) -> Shared {
        let share = || Share {
            next: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
        };
        Shared {
            state: AtomicU64::new(0),
            job: UnsafeCell::new(None),
            shares: (0..threads).map(|_| share()).collect(),
            panic: Mutex::new(None),
            stop: AtomicBool::new(false),
            sleepers: AtomicUsize::new(0),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
            done: Condvar::new(),
        }
    }

    fn run(&self, items: usize, work: &(dyn Fn(usize) + Sync)) -> Result<(), Box<dyn Any + Send>> {
        let threads = self.shares.len();
        for (index, share) in self.shares.iter().enumerate() {
            let bound = |index: usize| items / threads * index + (items % threads).min(index);
            share.next.store(bound(index), Ordering::Relaxed);
            share.end.store(bound(index + 1), Ordering::Relaxed);
        }
        // SAFETY: only the lifetime is erased; this call does not return before every worker that joined has left.
        let work: *const (dyn Fn(usize) + Sync + 'static) = unsafe { std::mem::transmute(work) };
        // SAFETY: the last job was closed and left by all workers before its call returned, and `turn` keeps other callers out.
        unsafe { *self.job.get() = Some(Job { work }) };
        let number = self.state.load(Ordering::Relaxed) / NEXT_JOB + 1;
        self.state
            .store((number * NEXT_JOB) | OPEN, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            drop(lock(&self.sleep));
            self.wake.notify_all();
        }
        self.take_part(0, Job { work });
        self.state.fetch_and(!OPEN, Ordering::AcqRel);
        self.wait_until_left();
        match lock(&self.panic).take() {
            Some(panic) => Err(panic),
            None => Ok(()),
        }
    }

    /// Waits until no worker is on the (closed) job.
    fn wait_until_left(&self) {
        let left = || self.state.load(Ordering::Acquire) & WORKERS == 0;
        if spin_until(left) || self.state.fetch_or(CALLER_SLEEPS, Ordering::AcqRel) & WORKERS == 0 {
            return;
        }
        let mut guard = lock(&self.sleep);
        while !left() {
            guard = self
                .done
                .wait(guard)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The life of a worker.
    fn serve(&self, index: usize) {
        let mut seen = 0;
        loop {
            let news = || self.state.load(Ordering::Acquire) / NEXT_JOB != seen;
            if !spin_until(news) {
                let mut guard = lock(&self.sleep);
                self.sleepers.fetch_add(1, Ordering::SeqCst);
                while self.state.load(Ordering::SeqCst) / NEXT_JOB == seen {
                    guard = self
                        .wake
                        .wait(guard)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                self.sleepers.fetch_sub(1, Ordering::SeqCst);
            }
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            let (number, job) = self.join();
            seen = number;
            if let Some(job) = job {
                self.take_part(index, job);
                let before = self.state.fetch_sub(1, Ordering::AcqRel);
                if before & WORKERS == 1 && before & CALLER_SLEEPS != 0 {
                    drop(lock(&self.sleep));
                    self.done.notify_all();
                }
            }
        }
    }

    /// Joins the current job if it is still open; returns its number.
    fn join(&self) -> (u64, Option<Job>) {
        let mut state = self.state.load(Ordering::Acquire);
        while state & OPEN != 0 {
            match self.state.compare_exchange_weak(
                state,
                state + 1,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                // SAFETY: the job was written before its state was published as open, and is not written again before this
                // worker has left.
                Ok(_) => return (state / NEXT_JOB, unsafe { *self.job.get() }),
                Err(now) => state = now,
            }
        }
        (state / NEXT_JOB, None)
    }

    /// Works on items until none is left, first those of the thread's own share.
    fn take_part(&self, index: usize, job: Job) {
        let _inside = Inside::enter();
        // SAFETY: the caller of `run` waits until this thread has left the job, so the function is alive.
        let work = unsafe { &*job.work };
        let threads = self.shares.len();
        let result = catch_unwind(AssertUnwindSafe(|| {
            for share in (index..threads)
                .chain(0..index)
                .map(|index| &self.shares[index])
            {
                let end = share.end.load(Ordering::Relaxed);
                // The check before the claim keeps a share that is done from counting up for ever.
                while share.next.load(Ordering::Relaxed) < end {
                    let item = share.next.fetch_add(1, Ordering::Relaxed);
                    if item >= end {
                        break;
                    }
                    work(item);
                }
            }
        }));
        if let Err(panic) = result {
            for share in &self.shares {
                share
                    .next
                    .store(share.end.load(Ordering::Relaxed), Ordering::Relaxed);
            }
            lock(&self.panic).get_or_insert(panic);
        }
    }
}

/// Spins until `condition` holds; false if it did not within [`SPIN`].
fn spin_until(condition: impl Fn() -> bool) -> bool {
    const CHECKS_PER_CLOCK: usize = 32;
    let start = Instant::now();
    loop {
        for _ in 0..CHECKS_PER_CLOCK {
            if condition() {
                return true;
            }
            std::hint::spin_loop();
        }
        if start.elapsed() > SPIN {
            return false;
        }
    }
}

/// The locks here guard no data that a panic could leave half-written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A mutable slice whose disjoint parts are written by the threads of a job.
pub(crate) struct Slots<'a, T> {
    start: *mut T,
    len: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

// SAFETY: handing out parts is unsafe and asks for disjointness; a T moves between threads only if it may.
unsafe impl<T: Send> Sync for Slots<'_, T> {}

impl<'a, T> Slots<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Slots {
            start: slice.as_mut_ptr(),
            len: slice.len(),
            lifetime: PhantomData,
        }
    }

    /// The part `first..first + len`.
    ///
    /// # Safety
    /// No other part in use overlaps it.
    ///
    /// # Panics
    /// If it is not inside the slice.
    #[expect(clippy::mut_from_ref, reason = "disjointness is the caller's promise")]
    pub(crate) unsafe fn range(&self, first: usize, len: usize) -> &mut [T] {
        assert!(
            first <= self.len && len <= self.len - first,
            "slot {first}+{len} of {}",
            self.len
        );
        // SAFETY: inside the slice by the assertion, exclusive by the contract.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(first), len) }
    }
}
