//! The pool: every item once, panics passed on, many small jobs, no nesting.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use r3mes_kernels::Pool;

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("not a text")
}

#[test]
fn every_item_runs_once() {
    for threads in [0, 1, 2, 3, 5] {
        let pool = Pool::new(threads);
        assert_eq!(pool.threads(), threads.max(1));
        for items in [0, 1, 2, 3, 7, 64, 1001] {
            let calls: Vec<AtomicUsize> = (0..items).map(|_| AtomicUsize::new(0)).collect();
            pool.run(items, &|item| {
                calls[item].fetch_add(1, Ordering::Relaxed);
            });
            assert!(
                calls.iter().all(|count| count.load(Ordering::Relaxed) == 1),
                "{threads} threads, {items} items"
            );
        }
    }
}

#[test]
fn many_small_jobs_follow_each_other() {
    let pool = Pool::new(3);
    let sum = AtomicUsize::new(0);
    for _ in 0..20_000 {
        pool.run(4, &|item| {
            sum.fetch_add(item, Ordering::Relaxed);
        });
    }
    assert_eq!(sum.into_inner(), 20_000 * 6);
}

#[test]
fn workers_that_fell_asleep_are_woken() {
    let pool = Pool::new(2);
    for _ in 0..50 {
        let barrier = std::sync::Barrier::new(2);
        // Two items that wait for each other need two threads; by then the worker may spin or sleep.
        pool.run(2, &|_| {
            barrier.wait();
        });
        let pause = std::time::Instant::now();
        while pause.elapsed() < std::time::Duration::from_micros(200) {
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
    for threads in [1, 2, 4] {
        let pool = Pool::new(threads);
        for bad in [0, 5, 9] {
            let result = catch_unwind(AssertUnwindSafe(|| {
                pool.run(10, &|item| assert!(item != bad, "item {item} is bad"));
            }));
            assert_eq!(message(&*result.unwrap_err()), format!("item {bad} is bad"));
            let count = AtomicUsize::new(0);
            pool.run(10, &|_| {
                count.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(count.into_inner(), 10);
        }
    }
}

#[test]
fn a_job_inside_a_job_is_refused() {
    for threads in [1, 2] {
        let pool = Pool::new(threads);
        let result = catch_unwind(AssertUnwindSafe(|| pool.run(2, &|_| pool.run(2, &|_| {}))));
        assert_eq!(
            message(&*result.unwrap_err()),
            "a pool job was started from inside a pool job: nest the loops, not the jobs"
        );
    }
}

#[test]
fn callers_on_several_threads_take_turns() {
    let pool = Pool::new(2);
    let sum = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    pool.run(3, &|item| {
                        sum.fetch_add(item + 1, Ordering::Relaxed);
                    });
                }
            });
        }
    });
    assert_eq!(sum.into_inner(), 4 * 200 * 6);
}
