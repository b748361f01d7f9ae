// SPDX-License-Identifier: GPL-2.0

//! A pseudo file system in safe Rust.
//!
//! Each mount is a set of counters, `mount -t rust_pseudo_fs -o max=8 none /mnt`:
//!
//! * `control` makes a counter when asked with the ioctl `ADD`;
//! * every other node in the root directory is a counter;
//! * `info/limits` tells how many there may be and are;
//! * `clients` has a file for each one who has opened a counter, with what they have added.

#![forbid(unsafe_code)]

use kernel::{
    chrdev::Region,
    fs::{
        file::{
            IoctlFile,
            LocalFile,
            Operations,
            PollEvents,
            UncountedFile, //
        },
        param::{
            MountLog,
            Param, //
        },
        pseudo::{
            ChrNode,
            Dir,
            DirHandle,
            Entry,
            FileSystem,
            Flags,
            NewSuperBlock,
            Owner,
            Registration,
            Rename,
            SuperBlock, //
        },
        File, //
    },
    ioctl::{
        _IO,
        _IOW, //
    },
    new_mutex, new_poll_condvar,
    prelude::*,
    seq_file::{
        seq_print,
        SeqFile,
        SeqShow, //
    },
    str::CString,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        poll::{
            PollCondVar,
            PollTable, //
        },
        Arc,
        ArcBorrow,
        Mutex,
        SetOnce, //
    },
    uaccess::{
        UserPtr,
        UserSlice, //
    },
};

module! {
    type: Module,
    name: "rust_pseudo_fs",
    authors: ["Rust for Linux Contributors"],
    description: "Rust pseudo file system sample",
    license: "GPL",
}

const MINORS: u32 = 64;
const MAX_NAME: usize = 255;

/// Makes a counter; the argument is a name of 256 bytes at most, with a zero at its end.
const ADD: u32 = _IOW::<[u8; MAX_NAME + 1]>('P' as u32, 1);
/// Adds one to a counter and returns the sum of all openers.
const INCREMENT: u32 = _IO('P' as u32, 2);
/// Returns what this opener has added.
const OWN: u32 = _IO('P' as u32, 3);
/// Waits until the sum is above zero and returns it.
const WAIT: u32 = _IO('P' as u32, 4);
/// Returns the flags of an open file; the argument is its descriptor number.
const FLAGS: u32 = _IO('P' as u32, 5);

struct Module {
    _fs: Registration<CounterFs>,
}

impl kernel::Module for Module {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let driver = Driver {
            region: Region::alloc(0, MINORS, c"rust_pseudo_fs")?,
        };

        Ok(Module {
            _fs: Registration::new(driver)?,
        })
    }
}

/// What all mounts share.
struct Driver {
    region: Region,
}

#[derive(Default)]
struct Options {
    max: Option<u32>,
    fixed: bool,
}

fn set_max(options: &mut Options, max: u32, log: &MountLog<'_>) -> Result {
    if max >= MINORS {
        return Err(log.invalid(fmt!("max must be less than {MINORS}")));
    }
    options.max = Some(max);
    Ok(())
}

struct CounterFs;

/// How many counters a mount may have, and has.
struct Limits {
    max: Atomic<u32>,
    used: Atomic<u32>,
}

struct Mount {
    limits: Arc<Limits>,
    fixed: bool,
    clients: SetOnce<DirHandle<CounterFs>>,
    next_client: Atomic<u64>,
}

impl Options {
    fn max(&self) -> u32 {
        self.max.unwrap_or(MINORS - 1)
    }
}

#[vtable]
impl FileSystem for CounterFs {
    const NAME: &'static CStr = c"rust_pseudo_fs";
    const MAGIC: usize = 0x7273_7066;
    const FLAGS: Flags = Flags::USERNS_MOUNT
        .union(Flags::DEVICES)
        .union(Flags::NOEXEC);
    const RESERVED_INODES: u32 = 2;
    const PARAMS: &'static [Param<Options>] = &[
        Param::u32(c"max", set_max),
        Param::choice(c"size", &[c"variable", c"fixed"], |options, word, _| {
            options.fixed = word == 1;
            Ok(())
        }),
    ];

    type Context = Driver;
    type Data = Mount;
    type Options = Options;

    fn fill_super(_sb: &NewSuperBlock<'_, Self>, options: &Options) -> Result<Mount> {
        let limits = Limits {
            max: Atomic::new(options.max()),
            used: Atomic::new(0),
        };
        Ok(Mount {
            limits: Arc::new(limits, GFP_KERNEL)?,
            fixed: options.fixed,
            clients: SetOnce::new(),
            next_client: Atomic::new(1),
        })
    }

    fn populate(root: &Dir<'_, Self>, _options: &Options) -> Result {
        let sb = root.super_block();
        let node = ChrNode {
            dev: sb.context().region.dev(0).ok_or(ENOSPC)?,
            mode: 0o600,
            ino: Some(2),
            owner: Owner::ROOT,
        };
        root.create_chr::<Control>(c"control", node, ())?;
        add_counter(sb, c"first")?;

        let clients = root.mkdir(c"clients", 0o755)?;
        sb.data().clients.populate(clients.handle());

        let info = root.mkdir(c"info", 0o755)?;
        info.create_seq_file::<Limits>(c"limits", 0o444, sb.data().limits.clone())
    }

    fn reconfigure(sb: &SuperBlock<Self>, options: &Options, log: &MountLog<'_>) -> Result {
        if options.fixed != sb.data().fixed {
            return Err(log.invalid(fmt!("size cannot be changed by a remount")));
        }
        if !options.fixed {
            sb.data().limits.max.store(options.max(), Relaxed);
        }
        Ok(())
    }

    fn show_options(sb: &SuperBlock<Self>, m: &SeqFile) -> Result {
        seq_print!(m, ",max={}", sb.data().limits.max.load(Relaxed));
        if sb.data().fixed {
            seq_print!(m, ",size=fixed");
        }
        Ok(())
    }

    fn may_unlink(entry: &Entry<'_, Self>) -> Result {
        match entry.context::<Client>() {
            Some(_) => Ok(()),
            None => Err(EPERM),
        }
    }

    fn may_rename(rename: &Rename<'_, Self>) -> Result {
        let is_control = |entry: &Entry<'_, Self>| entry.context::<Control>().is_some();

        if is_control(&rename.source) || rename.target.as_ref().is_some_and(is_control) {
            return Err(EPERM);
        }
        Ok(())
    }
}

#[vtable]
impl SeqShow for Limits {
    type Data = Arc<Limits>;

    fn show(limits: &Arc<Limits>, m: &SeqFile) -> Result {
        let (max, used) = (limits.max.load(Relaxed), limits.used.load(Relaxed));
        seq_print!(m, "max {max}\nused {used}\n");
        Ok(())
    }
}

/// The right to one counter, given back when it is dropped.
struct Slot {
    limits: Arc<Limits>,
}

impl Slot {
    fn take(limits: &Arc<Limits>) -> Result<(Self, u32)> {
        let index = limits.used.fetch_add(1, Relaxed);
        let slot = Slot {
            limits: limits.clone(),
        };
        if index >= limits.max.load(Relaxed) {
            return Err(ENOSPC);
        }
        Ok((slot, index))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.limits.used.fetch_sub(1, Relaxed);
    }
}

fn add_counter(sb: &SuperBlock<CounterFs>, name: &CStr) -> Result {
    let (place, index) = Slot::take(&sb.data().limits)?;
    let minor = 1 + index % (MINORS - 1);
    let node = ChrNode {
        dev: sb.context().region.dev(minor).ok_or(ENOSPC)?,
        mode: 0o600,
        ino: None,
        owner: Owner::ROOT,
    };
    let counter = pin_init!(Counter {
        _slot: place,
        sum <- new_mutex!(0),
        changed <- new_poll_condvar!("rust_pseudo_fs::Counter::changed"),
    });

    sb.root()
        .create_chr::<Client>(name, node, Arc::pin_init(counter, GFP_KERNEL)?)
}

/// The operations of the node that makes counters.
struct Control;

#[vtable]
impl Operations for Control {
    type Ptr = ();
    type Context = ();

    fn open((): &(), _file: &UncountedFile) -> Result {
        Ok(())
    }

    fn ioctl((): (), file: &IoctlFile<'_>, cmd: u32, arg: usize) -> Result<isize> {
        if cmd != ADD {
            return Err(ENOTTY);
        }
        let sb = SuperBlock::<CounterFs>::of_file(&**file).ok_or(EINVAL)?;
        let user = UserSlice::new(UserPtr::from_addr(arg), MAX_NAME + 1);
        let name = read_name(user)?;

        add_counter(sb, &name)?;
        Ok(0)
    }
}

fn read_name(user: UserSlice) -> Result<CString> {
    let mut bytes = KVec::new();
    user.read_all(&mut bytes, GFP_KERNEL)?;
    let name = CStr::from_bytes_until_nul(&bytes).map_err(|_| EINVAL)?;
    Ok(name.try_into()?)
}

#[pin_data]
struct Counter {
    _slot: Slot,
    #[pin]
    sum: Mutex<i32>,
    #[pin]
    changed: PollCondVar,
}

impl Counter {
    fn add(&self, number: i32) -> i32 {
        let mut sum = self.sum.lock();
        *sum += number;
        self.changed.notify_all();
        *sum
    }

    fn wait(&self, file: &IoctlFile<'_>) -> Result<i32> {
        let mut sum = self.sum.lock();
        while *sum <= 0 {
            if file.nonblocking() {
                return Err(EAGAIN);
            }
            if self.changed.wait_interruptible(&mut sum) {
                return Err(EINTR);
            }
        }
        Ok(*sum)
    }
}

/// One who has opened a counter.
struct Client {
    counter: Arc<Counter>,
    /// The name of the file in `clients`.
    name: CString,
    own: Atomic<i32>,
}

fn clients(sb: &SuperBlock<CounterFs>) -> Option<Dir<'_, CounterFs>> {
    sb.data().clients.as_ref()?.get(sb)
}

#[vtable]
impl Operations for Client {
    type Ptr = Arc<Client>;
    type Context = Arc<Counter>;

    fn open(counter: &Arc<Counter>, file: &UncountedFile) -> Result<Arc<Client>> {
        let sb = SuperBlock::<CounterFs>::of_file(file).ok_or(EINVAL)?;
        let number = sb.data().next_client.fetch_add(1, Relaxed);
        let client = Client {
            counter: counter.clone(),
            name: CString::try_from_fmt(fmt!("{number}"))?,
            own: Atomic::new(0),
        };
        let client = Arc::new(client, GFP_KERNEL)?;

        let dir = clients(sb).ok_or(ENOENT)?;
        dir.create_seq_file::<Client>(&client.name, 0o444, client.clone())?;
        Ok(client)
    }

    fn release(me: Arc<Client>, file: &UncountedFile) {
        let dir = SuperBlock::of_file(file).and_then(clients);
        if let Some(Err(_)) = dir.map(|dir| dir.remove(&me.name)) {
            pr_warn!("the file of client {} has gone\n", &*me.name);
        }
    }

    /// Closing any descriptor takes back what this opener has added.
    fn flush(me: ArcBorrow<'_, Client>, _file: &LocalFile) -> Result {
        let own = me.own.xchg(0, Relaxed);
        me.counter.add(-own);
        Ok(())
    }

    /// Readable is a counter that is above zero.
    fn poll(me: ArcBorrow<'_, Client>, file: &File, table: PollTable<'_>) -> PollEvents {
        table.register_wait(file, &me.counter.changed);
        if *me.counter.sum.lock() > 0 {
            PollEvents::IN | PollEvents::RDNORM
        } else {
            PollEvents::NONE
        }
    }

    fn ioctl(
        me: ArcBorrow<'_, Client>,
        file: &IoctlFile<'_>,
        cmd: u32,
        arg: usize,
    ) -> Result<isize> {
        let result = match cmd {
            INCREMENT => {
                me.own.fetch_add(1, Relaxed);
                me.counter.add(1)
            }
            OWN => me.own.load(Relaxed),
            WAIT => me.counter.wait(file)?,
            FLAGS => file.fget(arg as u32)?.flags() as i32,
            _ => return Err(ENOTTY),
        };
        Ok(result as isize)
    }
}

#[vtable]
impl SeqShow for Client {
    type Data = Arc<Client>;

    fn show(client: &Arc<Client>, m: &SeqFile) -> Result {
        seq_print!(m, "{}\n", client.own.load(Relaxed));
        Ok(())
    }
}
