// SPDX-License-Identifier: GPL-2.0

//! Removing and renaming names on behalf of user space.

use super::{
    dir::ChrVtable,
    inode,
    FileSystem,
    SuperBlock, //
};
use crate::{
    bindings,
    error::{
        from_result,
        to_result, //
    },
    fs::file::Operations,
    prelude::*, //
};
use core::marker::PhantomData;

/// A name in a directory, with its inode, while the lock of the directory is held.
///
/// # Invariants
///
/// For `'a`, `dentry` is valid, has an inode, belongs to a super block of a `T`, and the lock of
/// its directory is held.
pub struct Entry<'a, T: FileSystem> {
    dentry: *mut bindings::dentry,
    _type: PhantomData<&'a SuperBlock<T>>,
}

impl<'a, T: FileSystem> Entry<'a, T> {
    /// # Safety
    ///
    /// The caller guarantees the type invariants.
    pub(super) unsafe fn from_raw(dentry: *mut bindings::dentry) -> Self {
        // INVARIANT: The caller's guarantee.
        Self {
            dentry,
            _type: PhantomData,
        }
    }

    fn inode(&self) -> *mut bindings::inode {
        // SAFETY: By the type invariants.
        unsafe { (*self.dentry).d_inode }
    }

    /// Returns the super block.
    pub fn super_block(&self) -> &'a SuperBlock<T> {
        // SAFETY: By the type invariants; a name in use keeps its super block active.
        unsafe { SuperBlock::from_raw((*self.dentry).d_sb) }
    }

    /// Returns what the inode carries if this is a device node made for `O`.
    pub fn context<O: Operations>(&self) -> Option<&'a O::Context> {
        // SAFETY: By the type invariants the inode is one of ours and in use. Those made for this
        // table carry the context of `O`.
        unsafe { inode::carried::<ChrVtable<O>, O::Context>(self.inode()) }
    }
}

/// A change of names that user space asks for.
pub struct Rename<'a, T: FileSystem> {
    /// The entry that gets a new name.
    pub source: Entry<'a, T>,
    /// The entry that has the new name now, if there is one.
    pub target: Option<Entry<'a, T>>,
    /// The two entries change names with each other; else the target is replaced.
    pub exchange: bool,
}

/// The inode operations of the root directory.
struct RootOperations<T>(PhantomData<T>);

impl<T: FileSystem> RootOperations<T> {
    /// # Safety
    ///
    /// `dentry` must be an entry of the directory `dir` in a super block of a `T`, in an unlink
    /// call.
    unsafe extern "C" fn unlink(dir: *mut bindings::inode, dentry: *mut bindings::dentry) -> c_int {
        from_result(|| {
            // SAFETY: The VFS holds the lock of the directory and a reference to the entry.
            T::may_unlink(&unsafe { Entry::from_raw(dentry) })?;

            // SAFETY: The caller's guarantee.
            to_result(unsafe { bindings::simple_unlink(dir, dentry) })?;
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// The arguments must be those of a rename call in a super block of a `T`.
    unsafe extern "C" fn rename(
        idmap: *mut bindings::mnt_idmap,
        old_dir: *mut bindings::inode,
        old: *mut bindings::dentry,
        new_dir: *mut bindings::inode,
        new: *mut bindings::dentry,
        flags: c_uint,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The VFS holds the locks of the directories and references to the entries.
            // `new` has no inode if the name is free.
            let rename = unsafe {
                Rename::<'_, T> {
                    source: Entry::from_raw(old),
                    target: if (*new).d_inode.is_null() {
                        None
                    } else {
                        Some(Entry::from_raw(new))
                    },
                    exchange: flags & bindings::RENAME_EXCHANGE != 0,
                }
            };
            T::may_rename(&rename)?;

            // SAFETY: The caller's guarantee.
            to_result(unsafe {
                bindings::simple_rename(idmap, old_dir, old, new_dir, new, flags)
            })?;
            Ok(0)
        })
    }

    const TABLE: bindings::inode_operations = bindings::inode_operations {
        lookup: Some(bindings::simple_lookup),
        unlink: if T::HAS_MAY_UNLINK {
            Some(Self::unlink)
        } else {
            None
        },
        rename: if T::HAS_MAY_RENAME {
            Some(Self::rename)
        } else {
            None
        },
        ..pin_init::zeroed()
    };
}

/// Returns the inode operations of the root directory of a `T`.
pub(super) const fn root_operations<T: FileSystem>() -> *const bindings::inode_operations {
    &RootOperations::<T>::TABLE
}
