// SPDX-License-Identifier: GPL-2.0

//! Many calls between two processes, and whether the kernel holds more memory afterwards.

use std::{path::Path, thread, time::Duration};

use anyhow::{bail, Result};

use binder::{
    endpoint::{Answer, Endpoint, Message},
    slab::Count,
};

use crate::{server, story::Role};

/// Calls before the first count: by then the caches hold what a busy connection needs.
const WARM_UP: u32 = 2_000;

/// Time for RCU and delayed work to give back what is on its way out.
const SETTLE: Duration = Duration::from_secs(1);

/// Sizes that end up in different slab caches and page counts.
const SIZES: [usize; 4] = [0, 4, 128, 5000];

/// Processes that come and go for the second count.
const VISITS: u32 = 1_000;

fn count() -> Result<Count> {
    thread::sleep(SETTLE);
    Count::now()
}

/// Slab counts jump by whole slabs, so this much growth is noise. One object leaked by each
/// operation would be far more.
const NOISE: i64 = 256;

/// Prints the growth; tells whether it is noise, or less than one object in a hundred operations.
fn judge(what: &str, operations: u32, before: &Count, after: &Count) -> bool {
    let allowed = NOISE.max(i64::from(operations) / 100);
    let grown = after.growth(before);
    let most: Vec<String> = grown
        .iter()
        .take(4)
        .map(|(name, growth)| format!("{name} +{growth}"))
        .collect();
    let list = if most.is_empty() {
        "none".to_string()
    } else {
        most.join(", ")
    };
    println!("{what}: slab caches that grew: {list} (allowed: +{allowed})");
    grown.iter().all(|(_, growth)| *growth <= allowed)
}

/// Calls with every size in turn; each reply must be its call.
fn calls(endpoint: &mut Endpoint, number: u32) -> Result<()> {
    let mut messages = SIZES.map(|size| Message::from(&vec![0x5a; size][..]));
    for call in 0..number {
        let message = &mut messages[call as usize % SIZES.len()];
        if let Some(start) = message.data.first_chunk_mut() {
            *start = call.to_ne_bytes();
        }
        if endpoint.call(0, server::ECHO, 0, message)? != Answer::Reply {
            bail!("call {call} of {number} was not answered");
        }
        if endpoint.received != *message {
            bail!("call {call} of {number} came back with other data");
        }
    }
    Ok(())
}

/// Tells whether nothing leaked.
pub fn run(device: &Path, number: u32) -> Result<bool> {
    let (manager, _) = Role::start("manager", device)?;
    let mut endpoint = Endpoint::open(device)?;
    calls(&mut endpoint, WARM_UP)?;
    let before = count()?;
    calls(&mut endpoint, number)?;
    let after = count()?;
    let calls_fine = judge(&format!("{number} calls"), number, &before, &after);
    for _ in 0..VISITS {
        calls(&mut Endpoint::open(device)?, 2)?;
    }
    let visited = count()?;
    let visits_fine = judge(&format!("{VISITS} visitors"), VISITS, &after, &visited);
    drop(manager);
    let fine = calls_fine && visits_fine;
    println!(
        "stress: {number} calls, {}",
        if fine { "no growth" } else { "memory grew" }
    );
    Ok(fine)
}
