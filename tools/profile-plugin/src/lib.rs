// SPDX-License-Identifier: GPL-2.0

//! Counts how often the guest executes each translation block.
//!
//! The counts are kept by phase: the guest ends a phase by executing the block at the address that
//! the argument `mark=` gives. In the end the file that `out=` names has, for each phase, a line
//! `phase NUMBER` and then a line `ADDRESS BYTES INSTRUCTIONS EXECUTIONS` for each block that ran. The last line is `end`.

mod qemu;

use std::{
    collections::HashMap,
    ffi::{c_int, c_uint, c_void, CStr},
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    sync::{
        atomic::{AtomicU64, Ordering::Relaxed},
        Mutex, OnceLock, PoisonError,
    },
};

use qemu::{Block, Id};

/// Which block: its address, its length in bytes and in instructions. QEMU translates the same
/// code more than once, and cuts blocks short where its clock wants to stop.
type Key = (u64, u64, u64);

/// How often a block has run, in all and up to the last mark.
#[derive(Default)]
struct Count {
    now: AtomicU64,
    marked: AtomicU64,
}

/// The blocks seen so far. What they own is never freed: translated code points to it.
#[derive(Default)]
struct Blocks {
    counts: HashMap<Key, &'static Count>,
    phases: Vec<Vec<(Key, u64)>>,
}

impl Blocks {
    fn count(&mut self, key: Key) -> &'static Count {
        self.counts
            .entry(key)
            .or_insert_with(|| Box::leak(Box::default()))
    }

    /// Ends a phase.
    fn mark(&mut self) {
        let ran = self.counts.iter().filter_map(|(key, count)| {
            let now = count.now.load(Relaxed);
            let more = now - count.marked.swap(now, Relaxed);
            (more > 0).then_some((*key, more))
        });
        self.phases.push(ran.collect());
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        for (number, phase) in self.phases.iter().enumerate() {
            writeln!(to, "phase {number}")?;
            for ((address, bytes, instructions), times) in phase {
                writeln!(to, "{address:x} {bytes} {instructions} {times}")?;
            }
        }
        writeln!(to, "end")
    }
}

/// What the plugin was loaded with.
struct Setup {
    mark: u64,
    out: PathBuf,
}

static SETUP: OnceLock<Setup> = OnceLock::new();
static BLOCKS: OnceLock<Mutex<Blocks>> = OnceLock::new();

fn with_blocks<T>(act: impl FnOnce(&mut Blocks) -> T) -> T {
    let blocks = BLOCKS.get_or_init(Mutex::default);
    act(&mut blocks.lock().unwrap_or_else(PoisonError::into_inner))
}

/// QEMU runs a block.
extern "C" fn ran(_cpu: c_uint, count: *mut c_void) {
    // SAFETY: `translated` registers this function with counts that are never freed.
    let count: &Count = unsafe { &*count.cast() };
    count.now.fetch_add(1, Relaxed);
}

/// QEMU runs the block that ends a phase.
extern "C" fn marked(_cpu: c_uint, _data: *mut c_void) {
    with_blocks(Blocks::mark);
}

/// QEMU translates a block.
extern "C" fn translated(_id: Id, block: *mut Block) {
    // SAFETY: QEMU passes a block that is valid during this call.
    let (key, starts) = unsafe { (qemu::key(block), qemu::qemu_plugin_tb_vaddr(block)) };
    let count: *const Count = with_blocks(|blocks| blocks.count(key));
    // SAFETY: The block is valid, and the two functions take what is passed as their data.
    unsafe {
        qemu::on_run(block, ran, count.cast_mut().cast());
        if SETUP.get().is_some_and(|setup| setup.mark == starts) {
            qemu::on_run(block, marked, std::ptr::null_mut());
        }
    }
}

/// QEMU ends: what ran since the last mark is the last phase.
extern "C" fn ended(_id: Id, _data: *mut c_void) {
    let Some(setup) = SETUP.get() else { return };
    let result = with_blocks(|blocks| {
        blocks.mark();
        let mut file = BufWriter::new(File::create(&setup.out)?);
        blocks.write(&mut file)?;
        file.flush()
    });
    if let Err(error) = result {
        eprintln!("profile: cannot write {}: {error}", setup.out.display());
    }
}

/// Reads the arguments `mark=ADDRESS` (hexadecimal) and `out=FILE`.
fn setup<'a>(arguments: impl Iterator<Item = &'a str>) -> Option<Setup> {
    let (mut mark, mut out) = (None, None);
    for argument in arguments {
        match argument.split_once('=')? {
            ("mark", address) => mark = u64::from_str_radix(address, 16).ok(),
            ("out", file) => out = Some(file.into()),
            _ => return None,
        }
    }
    Some(Setup {
        mark: mark?,
        out: out?,
    })
}

/// QEMU loads the plugin.
///
/// # Safety
///
/// `arguments` points to `number` pointers to strings.
#[no_mangle]
pub unsafe extern "C" fn qemu_plugin_install(
    id: Id,
    _info: *const c_void,
    number: c_int,
    arguments: *const *const std::ffi::c_char,
) -> c_int {
    let number = usize::try_from(number).unwrap_or(0);
    let words = (0..number).map(|at| {
        // SAFETY: By the caller's duty there are `number` strings.
        unsafe { CStr::from_ptr(*arguments.add(at)) }
    });
    let Some(setup) = setup(words.map(|word| word.to_str().unwrap_or_default())) else {
        eprintln!("profile: the arguments are mark=ADDRESS,out=FILE");
        return 1;
    };
    if SETUP.set(setup).is_err() {
        eprintln!("profile: load it once");
        return 1;
    }
    // SAFETY: The functions have the types that QEMU expects and stay for ever.
    unsafe {
        qemu::qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
        qemu::qemu_plugin_register_atexit_cb(id, ended, std::ptr::null_mut());
    }
    0
}
