// SPDX-License-Identifier: GPL-2.0

//! Super blocks: what a mount owns, and how its end is ordered.

use super::{
    entry,
    inode::{
        self,
        INVALID_ID, //
    },
    keep::Kept,
    Dir,
    FileSystem,
    Flags, //
};
use crate::{
    bindings,
    error::from_result,
    fs::file::UncountedFile,
    page::PAGE_SIZE,
    prelude::*,
    seq_file::SeqFile,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
    types::{
        CStatic,
        ForeignOwnable,
        Opaque, //
    },
};
use core::{
    any::TypeId,
    marker::PhantomData,
    ptr::NonNull, //
};

/// The number that the next mount gets. It tells mounts apart for ever, which addresses do not.
static NEXT_ID: Atomic<u64> = Atomic::new(0);

/// The part of `s_fs_info` that does not depend on the file system.
#[pin_data]
pub(super) struct Header {
    type_id: TypeId,
    pub(super) id: u64,
    #[pin]
    pub(super) kept: Kept,
    drop: unsafe fn(NonNull<Header>),
    show_options: Option<unsafe fn(*mut bindings::super_block, &SeqFile) -> Result>,
    pub(super) reserved_inodes: u32,
    pub(super) root_uid: bindings::kuid_t,
    pub(super) root_gid: bindings::kgid_t,
}

/// What `s_fs_info` points to.
#[repr(C)]
#[pin_data]
struct Info<T: FileSystem> {
    #[pin]
    header: Header,
    data: T::Data,
    context: Arc<T::Context>,
}

/// The super block of a mounted [`FileSystem`] (`struct super_block` in C).
///
/// # Invariants
///
/// * The super block is active, and its operations are our own, `SUPER_OPERATIONS`.
/// * `s_fs_info` points to an `Info<T>` that is valid and not changed while the super block is
///   active.
#[repr(transparent)]
pub struct SuperBlock<T> {
    inner: Opaque<bindings::super_block>,
    _type: PhantomData<fn() -> T>,
}

// SAFETY: Super blocks are used on all threads; what is reachable through one is `Send` and `Sync`
// by the bounds of `FileSystem`.
unsafe impl<T: FileSystem> Send for SuperBlock<T> {}
// SAFETY: As above.
unsafe impl<T: FileSystem> Sync for SuperBlock<T> {}

impl<T: FileSystem> SuperBlock<T> {
    /// Wraps a super block.
    ///
    /// # Safety
    ///
    /// For `'a`, `sb` must satisfy the type invariants.
    pub(super) unsafe fn from_raw<'a>(sb: *mut bindings::super_block) -> &'a Self {
        // SAFETY: The caller's guarantee. The type is a transparent wrapper.
        unsafe { &*sb.cast() }
    }

    /// Returns the super block of the file system that `file` is in, if that is a `T`.
    ///
    /// With it, an operation on a file can reach the mount that the file belongs to.
    pub fn of_file<'a>(file: impl Into<&'a UncountedFile>) -> Option<&'a Self> {
        // SAFETY: The inode of a file is valid, and its super block stays active while there is a
        // reference to the file.
        let sb = unsafe { (*(*file.into().as_ptr()).f_inode).i_sb };

        // SAFETY: As above.
        let header = unsafe { header(sb) }?;
        // SAFETY: The header is valid and not changed while the super block is active.
        if unsafe { header.as_ref() }.type_id != TypeId::of::<T>() {
            return None;
        }

        // SAFETY: The super block is active as long as `file`. The header, which only `fill_super`
        // of this module makes, says that the file system is a `T`.
        Some(unsafe { Self::from_raw(sb) })
    }

    fn info(&self) -> &Info<T> {
        // SAFETY: By the type invariants.
        unsafe { &*(*self.as_raw()).s_fs_info.cast::<Info<T>>() }
    }

    pub(super) fn header(&self) -> &Header {
        &self.info().header
    }

    pub(super) fn as_raw(&self) -> *mut bindings::super_block {
        self.inner.get()
    }

    /// Returns what the mount owns.
    pub fn data(&self) -> &T::Data {
        &self.info().data
    }

    /// Returns what the registration gave to the mount.
    pub fn context(&self) -> &T::Context {
        &self.info().context
    }

    /// Returns the root directory.
    pub fn root(&self) -> Dir<'_, T> {
        // SAFETY: An active super block has a root directory, which stays for its whole life.
        unsafe { Dir::from_raw(self, NonNull::new_unchecked((*self.as_raw()).s_root)) }
    }
}

/// A super block that is being made.
pub struct NewSuperBlock<'a, T: FileSystem> {
    context: &'a Arc<T::Context>,
    sb: NonNull<bindings::super_block>,
}

impl<T: FileSystem> NewSuperBlock<'_, T> {
    /// Returns what the registration gives to the mount.
    pub fn context(&self) -> &T::Context {
        self.context
    }

    /// Fills in the super block: its own fields, the data, the root directory, the tree.
    ///
    /// # Safety
    ///
    /// `sb` must be new, in the hands of the caller alone, and of the type of a registration of
    /// `T`.
    pub(super) unsafe fn fill(
        sb: *mut bindings::super_block,
        context: &Arc<T::Context>,
        options: &T::Options,
    ) -> Result {
        let new = NewSuperBlock::<'_, T> {
            context,
            sb: NonNull::new(sb).ok_or(EINVAL)?,
        };
        let data = T::fill_super(&new, options)?;
        let info = KBox::pin_init(
            pin_init!(Info::<T> {
                header <- new.header(),
                data,
                context: context.clone(),
            }),
            GFP_KERNEL,
        )?;

        // SAFETY: The caller alone has the super block. `Info` starts with the header, and stays
        // where it is until it is dropped.
        unsafe { init(sb, T::MAGIC, T::FLAGS, info.into_foreign().cast()) };
        // SAFETY: `init` has set the operations and `s_fs_info` up.
        unsafe { inode::make_root(sb, entry::root_operations::<T>()) }?;

        // SAFETY: All is in place now, and the caller keeps the super block active during the call.
        let sb = unsafe { SuperBlock::<T>::from_raw(sb) };
        T::populate(&sb.root(), options)
    }

    fn header(&self) -> impl PinInit<Header> {
        // SAFETY: A new super block has the user namespace of its mount.
        let (root_uid, root_gid) = unsafe { root_ids((*self.sb.as_ptr()).s_user_ns) };

        pin_init!(Header {
            type_id: TypeId::of::<T>(),
            id: NEXT_ID.fetch_add(1, Relaxed),
            kept <- Kept::new(),
            drop: drop_info::<T>,
            show_options: if T::HAS_SHOW_OPTIONS {
                Some(show_options_of::<T>)
            } else {
                None
            },
            reserved_inodes: T::RESERVED_INODES,
            root_uid,
            root_gid,
        })
    }
}

/// # Safety
///
/// `header` must be that of an `Info<T>` in a box that nobody else uses or will use.
unsafe fn drop_info<T: FileSystem>(header: NonNull<Header>) {
    // SAFETY: `Info` starts with its header, and the caller gives the box up.
    drop(unsafe { Pin::<KBox<Info<T>>>::from_foreign(header.as_ptr().cast()) });
}

/// # Safety
///
/// `sb` must be an active super block of a `T`.
unsafe fn show_options_of<T: FileSystem>(sb: *mut bindings::super_block, m: &SeqFile) -> Result {
    // SAFETY: The caller's guarantee.
    T::show_options(unsafe { SuperBlock::from_raw(sb) }, m)
}

/// Returns the ids of root in a user namespace, or those of the global root if it has none.
///
/// # Safety
///
/// `ns` must be a valid user namespace.
#[inline(never)]
unsafe fn root_ids(ns: *mut bindings::user_namespace) -> (bindings::kuid_t, bindings::kgid_t) {
    // SAFETY: The caller's guarantee.
    let mut uid = unsafe { bindings::make_kuid(ns, 0) };
    // SAFETY: The caller's guarantee.
    let mut gid = unsafe { bindings::make_kgid(ns, 0) };

    if uid.val == INVALID_ID {
        uid.val = 0;
    }
    if gid.val == INVALID_ID {
        gid.val = 0;
    }
    (uid, gid)
}

/// The operations of all our super blocks. Their address identifies them.
static SUPER_OPERATIONS: CStatic<bindings::super_operations> =
    CStatic::new(bindings::super_operations {
        evict_inode: Some(inode::evict),
        show_options: Some(show_options),
        statfs: Some(bindings::simple_statfs),
        ..pin_init::zeroed()
    });

/// Returns the header if `sb` belongs to a pseudo file system.
///
/// # Safety
///
/// `sb` must be active.
#[inline(never)]
pub(super) unsafe fn header(sb: *mut bindings::super_block) -> Option<NonNull<Header>> {
    // SAFETY: The caller's guarantee.
    if unsafe { (*sb).s_op } != SUPER_OPERATIONS.as_ptr() {
        return None;
    }
    // SAFETY: As above.
    NonNull::new(unsafe { (*sb).s_fs_info }.cast())
}

/// # Safety
///
/// `sb` must be new and in the hands of the caller alone, `info` a header that nobody else owns.
#[inline(never)]
unsafe fn init(sb: *mut bindings::super_block, magic: usize, flags: Flags, info: *mut Header) {
    // SAFETY: The caller's guarantee.
    unsafe {
        (*sb).s_blocksize = PAGE_SIZE;
        (*sb).s_blocksize_bits = PAGE_SIZE.trailing_zeros() as u8;
        (*sb).s_magic = magic;
        (*sb).s_time_gran = 1;
        if flags.contains(Flags::DEVICES) {
            (*sb).s_iflags &= !(bindings::SB_I_NODEV as usize);
        }
        if flags.contains(Flags::NOEXEC) {
            (*sb).s_iflags |= bindings::SB_I_NOEXEC as usize;
        }
        (*sb).s_op = SUPER_OPERATIONS.as_ptr();
        (*sb).s_fs_info = info.cast();
    }
}

/// Ends a super block: first the tree with all that the inodes carry, then the data of the mount.
///
/// # Safety
///
/// `sb` must be a super block of the type of one of our registrations, in its `kill_sb` call.
pub(super) unsafe extern "C" fn kill(sb: *mut bindings::super_block) {
    // SAFETY: The caller's guarantee; `s_fs_info` is null if the mount failed early.
    let header = NonNull::new(unsafe { (*sb).s_fs_info }.cast::<Header>());

    if let Some(header) = header {
        // SAFETY: `s_fs_info` is either null or what `init` has stored.
        unsafe { header.as_ref() }.kept.release();
    }
    // SAFETY: The caller's guarantee.
    unsafe { bindings::kill_anon_super(sb) };

    if let Some(header) = header {
        // SAFETY: As above. The super block is dead and has no inodes any more, so nobody uses the
        // header.
        unsafe { (header.as_ref().drop)(header) };
    }
}

/// # Safety
///
/// `m` must be valid, and `root` the root of one of our super blocks, which must be active.
unsafe extern "C" fn show_options(
    m: *mut bindings::seq_file,
    root: *mut bindings::dentry,
) -> c_int {
    // SAFETY: The caller's guarantee.
    let sb = unsafe { (*root).d_sb };

    from_result(|| {
        // SAFETY: The super block is active.
        let header = unsafe { header(sb) }.ok_or(EINVAL)?;
        // SAFETY: The header is valid and not changed while the super block is active.
        match unsafe { header.as_ref() }.show_options {
            // SAFETY: The header says which file system this is; `m` is locked by the caller.
            Some(show) => unsafe { show(sb, SeqFile::from_raw(m)) }.map(|()| 0),
            None => Ok(0),
        }
    })
}
