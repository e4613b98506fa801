// The Rust of LanguagesIT, a cdylib: panics that unwind through the probed functions, threads and channels, the allocator.
use std::collections::BTreeMap;
use std::panic;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::thread;

static LEAVES: AtomicI64 = AtomicI64::new(0);

#[no_mangle]
#[inline(never)]
pub extern "C" fn lang_leaf(i: i64) -> i64 {
    LEAVES.fetch_add(1, Ordering::Relaxed);
    i * 3 + 1
}

#[inline(never)]
fn recursion(depth: i64) -> i64 {
    if depth == 0 {
        panic::panic_any(format!("{}", lang_leaf(7)));
    }
    let above = format!("depth {}", depth);
    recursion(depth - 1) + above.len() as i64
}

#[inline(never)]
fn caught(depth: i64) -> i64 {
    match panic::catch_unwind(|| recursion(depth)) {
        Ok(n) => n,
        Err(e) => e.downcast_ref::<String>().unwrap().parse::<i64>().unwrap() + depth,
    }
}

#[inline(never)]
fn on_thread(n: i64) -> i64 {
    let mut values: Vec<i64> = (n..n + 1000).collect();
    values.sort_by_key(|v| v * 7919 % 1009);
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for value in values {
        *sums.entry(format!("{}", value % 13)).or_insert(0) += lang_leaf(value);
    }
    sums.values().fold(caught(20), |sum, v| (sum * 31 + v) & 0xff_ffff_ffff)
}

#[no_mangle]
pub extern "C" fn Java_uprobe_it_app_Languages_work(_env: usize, _class: usize, n: i64) -> i64 {
    let (sender, receiver) = mpsc::channel();
    for i in 0..4 {
        let sender = sender.clone();
        thread::spawn(move || sender.send(on_thread(n + i)).unwrap());
    }
    drop(sender);
    (receiver.iter().sum::<i64>() + caught(n % 50)) & 0x7fff_ffff
}

#[no_mangle]
pub extern "C" fn Java_uprobe_it_app_Languages_leaves(_env: usize, _class: usize) -> i64 {
    LEAVES.load(Ordering::Relaxed)
}

/* Panics are this library's business, not stderr's. */
#[no_mangle]
pub extern "C" fn JNI_OnLoad(_vm: usize, _reserved: usize) -> i32 {
    panic::set_hook(Box::new(|_| {}));
    0x00010008
}
