// SPDX-License-Identifier: GPL-2.0

//! File systems that exist only in memory.
//!
//! A pseudo file system shows objects of a driver as files: directories, files whose text the
//! driver prints, and device nodes. Nothing is stored anywhere; the tree is made when the file
//! system is mounted and may grow and shrink later. Each mount is an instance of its own
//! (`get_tree_nodev` in C).
//!
//! What a driver needs:
//!
//! * A type that implements [`FileSystem`], and a [`Registration`] of it. The registration owns the
//!   driver's part of the state, the [`FileSystem::Context`], and gives it to every mount.
//! * For each mount, a [`SuperBlock`] with the [`FileSystem::Data`] of that mount.
//! * In it, directories ([`Dir`]), in which [`Dir::create_chr`] and [`Dir::create_seq_file`] make
//!   files. What a file carries lives in its inode, and is dropped when the name is gone and the
//!   last user has closed the file.
//!
//! # What user space may do with the tree
//!
//! Nothing but what the file system allows: there is no way to make files, links or directories, or
//! to remove directories. Names in the root directory can be removed or changed if the file system
//! has [`FileSystem::may_unlink`] or [`FileSystem::may_rename`]. In the directories below, nothing
//! can be removed or renamed. Mode and owner of a file can be changed as usual.
//!
//! # Lifetimes and locks
//!
//! The order of the end of a mount is: all dentries and inodes, with what they carry; the
//! [`FileSystem::Data`]; the reference to the context. An open file keeps its mount alive. Making
//! and removing names takes the lock of the directory's inode, so nothing here may be called in
//! atomic context, or under a lock that is also taken by [`FileSystem::may_unlink`] or by the
//! destructor of what an inode carries.
//!
//! # Examples
//!
//! A file system with one file, which tells how often the file system has been mounted.
//!
//! ```
//! use kernel::{
//!     fs::pseudo::{
//!         Dir,
//!         FileSystem,
//!         NewSuperBlock,
//!         Registration, //
//!     },
//!     prelude::*,
//!     seq_file::{
//!         seq_print,
//!         SeqFile,
//!         SeqShow, //
//!     },
//!     sync::{
//!         atomic::{
//!             Atomic,
//!             Relaxed, //
//!         },
//!         Arc, //
//!     }, //
//! };
//!
//! struct Mounts(Atomic<u32>);
//!
//! struct MountCounter;
//!
//! #[vtable]
//! impl FileSystem for MountCounter {
//!     const NAME: &'static CStr = c"mount_counter";
//!     const MAGIC: usize = 0x6d63_6e74;
//!
//!     type Context = Arc<Mounts>;
//!     type Data = ();
//!     type Options = ();
//!
//!     fn fill_super(sb: &NewSuperBlock<'_, Self>, _options: &()) -> Result {
//!         sb.context().0.fetch_add(1, Relaxed);
//!         Ok(())
//!     }
//!
//!     fn populate(root: &Dir<'_, Self>, _options: &()) -> Result {
//!         let mounts = root.super_block().context().clone();
//!         root.create_seq_file::<Mounts>(c"mounts", 0o444, mounts)
//!     }
//! }
//!
//! #[vtable]
//! impl SeqShow for Mounts {
//!     type Data = Arc<Mounts>;
//!
//!     fn show(mounts: &Arc<Mounts>, m: &SeqFile) -> Result {
//!         seq_print!(m, "{}\n", mounts.0.load(Relaxed));
//!         Ok(())
//!     }
//! }
//!
//! let mounts = Arc::new(Mounts(Atomic::new(0)), GFP_KERNEL)?;
//! let registration = Registration::<MountCounter>::new(mounts.clone())?;
//!
//! // The name is taken now.
//! let again = Registration::<MountCounter>::new(mounts.clone());
//! assert_eq!(again.err(), Some(EBUSY));
//!
//! drop(registration);
//! # Ok::<(), Error>(())
//! ```
//!
//! C headers: [`include/linux/fs.h`](srctree/include/linux/fs.h) and
//! [`include/linux/fs_context.h`](srctree/include/linux/fs_context.h)

use crate::{
    error::VTABLE_DEFAULT_ERROR,
    fs::param::{
        MountLog,
        Param, //
    },
    prelude::*,
    seq_file::SeqFile, //
};
use core::ops::BitOr;

mod dir;
mod entry;
mod inode;
mod keep;
mod registration;
mod super_block;
#[cfg(CONFIG_RUST_FS_PSEUDO_KUNIT_TEST)]
mod tests;

pub use self::{
    dir::{
        ChrNode,
        Dir,
        Owner, //
    },
    entry::{
        Entry,
        Rename, //
    },
    inode::InodeContext,
    keep::DirHandle,
    registration::Registration,
    super_block::{
        NewSuperBlock,
        SuperBlock, //
    },
};

/// Properties of a pseudo file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(u32);

impl Flags {
    /// No property.
    pub const NONE: Self = Self(0);
    /// The owner of a user namespace may mount it there.
    pub const USERNS_MOUNT: Self = Self(1);
    /// Its device nodes work even if it was mounted in a user namespace.
    ///
    /// All of them were made by the driver, because user space cannot make any.
    pub const DEVICES: Self = Self(2);
    /// Nothing in it can be executed.
    pub const NOEXEC: Self = Self(4);

    const fn contains(self, flag: Self) -> bool {
        self.0 & flag.0 == flag.0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl Flags {
    /// Returns both sets in one, as `|` does, but also in constants.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A pseudo file system.
///
/// The callbacks run in process context and may sleep.
#[vtable]
pub trait FileSystem: Sized + 'static {
    /// The name of the type, as in `/proc/filesystems`. It must not contain a dot.
    const NAME: &'static CStr;

    /// The magic number that `statfs(2)` reports.
    const MAGIC: usize;

    /// Properties.
    const FLAGS: Flags = Flags::NONE;

    /// Inode numbers up to this one are not given out automatically.
    ///
    /// The root directory has number 1.
    const RESERVED_INODES: u32 = 1;

    /// The parameters that may be given when mounting.
    const PARAMS: &'static [Param<Self::Options>] = &[];

    /// What the registration gives to every mount.
    type Context: Send + Sync + 'static;

    /// What each mount owns.
    type Data: Send + Sync + 'static;

    /// The parameters of a mount; the default stands for a mount without parameters.
    type Options: Default + Send + Sync + 'static;

    /// Makes the data of a new mount.
    fn fill_super(sb: &NewSuperBlock<'_, Self>, options: &Self::Options) -> Result<Self::Data>;

    /// Makes the tree of a new mount; `root` is empty.
    ///
    /// On an error the mount fails and all that was made is removed.
    fn populate(root: &Dir<'_, Self>, options: &Self::Options) -> Result;

    /// Changes the options of a mount (`mount -o remount`).
    ///
    /// `options` holds what the caller gave this time, and defaults for the rest. Without this
    /// callback a remount ignores the parameters.
    fn reconfigure(
        _sb: &SuperBlock<Self>,
        _options: &Self::Options,
        _log: &MountLog<'_>,
    ) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Prints the options of a mount, each with a comma before it, for `/proc/mounts`.
    fn show_options(_sb: &SuperBlock<Self>, _m: &SeqFile) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells whether a file in the root directory may be removed. Without this callback none may.
    ///
    /// The lock of the root directory's inode is held.
    fn may_unlink(_entry: &Entry<'_, Self>) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells whether an entry of the root directory may be renamed. Without this callback none may.
    ///
    /// The locks of the inodes of both directories are held.
    fn may_rename(_rename: &Rename<'_, Self>) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// Wraps the pointer result of a C function.
fn check<T>(ptr: *mut T) -> Result<core::ptr::NonNull<T>> {
    core::ptr::NonNull::new(crate::error::from_err_ptr(ptr)?).ok_or(ENOMEM)
}
