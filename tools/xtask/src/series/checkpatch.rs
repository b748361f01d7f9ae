// SPDX-License-Identifier: GPL-2.0

//! The kernel's own style checker, on patches and on files.

use std::{
    path::Path,
    process::Command,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Mutex,
    },
};

use anyhow::{bail, Context, Result};

use super::git;

/// The series carries no Signed-off-by by design: who submits it adds their own.
const BY_DESIGN: &str = "MISSING_SIGN_OFF";
/// Says that MAINTAINERS may need a line; only for files that an entry covers.
pub const COVERED: &str = "FILE_PATH_CHANGES";

/// Runs checkpatch of the tree in `base` with `args`; an error holds what it says.
pub fn run(base: &Path, ignore: &[&str], args: &[&str]) -> Result<()> {
    if !base.join("scripts/checkpatch.pl").exists() {
        bail!("no base tree in {}; run `make setup`", base.display());
    }
    let mut ignored = vec![BY_DESIGN];
    ignored.extend(ignore);
    let mut cmd = Command::new("perl");
    git::plain(&mut cmd)
        .current_dir(base)
        .arg("scripts/checkpatch.pl");
    cmd.args([
        "--strict",
        "--quiet",
        "--no-summary",
        "--show-types",
        "--color=never",
    ]);
    let out = cmd
        .arg(format!("--ignore={}", ignored.join(",")))
        .args(args)
        .output()
        .context("cannot run perl")?;
    if !out.status.success() {
        // Its errors go to the standard output; helpers that it can do without complain on the other.
        let said = if out.stdout.is_empty() {
            out.stderr
        } else {
            out.stdout
        };
        bail!("{}", String::from_utf8_lossy(&said).trim());
    }
    Ok(())
}

/// Does `work` on each item, on all processors, and gives the results in order.
pub fn parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..workers.min(items.len()) {
            scope.spawn(|| {
                while let Some((i, item)) = nth(items, next.fetch_add(1, Ordering::Relaxed)) {
                    let result = work(item);
                    done.lock()
                        .expect("no worker panics with the lock")
                        .push((i, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no worker panics with the lock");
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, result)| result).collect()
}

fn nth<T>(items: &[T], i: usize) -> Option<(usize, &T)> {
    items.get(i).map(|item| (i, item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        let items: Vec<u32> = (0..50).collect();
        assert_eq!(
            parallel(&items, |n| n * 2),
            (0..50).map(|n| n * 2).collect::<Vec<u32>>()
        );
    }
}
