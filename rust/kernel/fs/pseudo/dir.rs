// SPDX-License-Identifier: GPL-2.0

//! Directories and the making of names.

use super::{
    check,
    inode::{
        FileNode,
        NewInode, //
    },
    keep::Place,
    DirHandle,
    FileSystem,
    InodeContext,
    SuperBlock, //
};
use crate::{
    bindings,
    chrdev::DevT,
    fs::file::{
        Operations,
        OperationsVtable, //
    },
    prelude::*,
    seq_file::{
        SeqShow,
        SingleVtable, //
    }, //
};
use core::ptr::NonNull;

/// A directory of a mounted [`FileSystem`].
///
/// All methods may sleep and take the lock of the directory's inode. A name must not be empty, `.`
/// or `..`, or contain a slash (`EACCES`), must not be longer than 255 bytes (`ENAMETOOLONG`) or
/// taken (`EEXIST`). The new entry belongs to root of the user namespace in which the mount was
/// made. User space that watches the directory is told.
///
/// The value is a borrow: it owns nothing. The super block keeps every directory that was made, the
/// ones that were removed included, until the mount ends.
///
/// # Invariants
///
/// `dentry` is a directory in `sb`, which holds a reference to it as long as it is active.
pub struct Dir<'a, T: FileSystem> {
    dentry: NonNull<bindings::dentry>,
    sb: &'a SuperBlock<T>,
}

/// The operations of device nodes. The type also tells inodes apart, see [`NewInode::file`].
pub(super) type ChrVtable<O> = OperationsVtable<O, InodeContext>;

/// The operations of text files, likewise.
type SeqVtable<S> = SingleVtable<S, InodeContext>;

/// A device node to be made with [`Dir::create_chr`].
pub struct ChrNode {
    /// The device number.
    pub dev: DevT,
    /// The permission bits.
    pub mode: u16,
    /// The inode number; one above [`FileSystem::RESERVED_INODES`] is chosen if there is none.
    pub ino: Option<u64>,
    /// Who it belongs to.
    pub owner: Owner,
}

/// Who a file belongs to, in numbers of the user namespace in which the mount was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl Owner {
    /// The root of the namespace, and its group. Should the namespace have none, those of the
    /// system.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };
}

impl<'a, T: FileSystem> Dir<'a, T> {
    /// # Safety
    ///
    /// `dentry` must be a directory in `sb`, which must hold a reference to it as long as it is
    /// active.
    pub(super) unsafe fn from_raw(
        sb: &'a SuperBlock<T>,
        dentry: NonNull<bindings::dentry>,
    ) -> Self {
        // INVARIANT: The caller's guarantee.
        Self { dentry, sb }
    }

    /// Returns the super block.
    pub fn super_block(&self) -> &'a SuperBlock<T> {
        self.sb
    }

    /// Makes a directory and returns it. `mode` are its permission bits.
    ///
    /// A directory takes memory until the mount ends, also if it is removed before.
    pub fn mkdir(&self, name: &CStr, mode: u16) -> Result<Dir<'a, T>> {
        let operations = &raw const bindings::simple_dir_inode_operations;
        // SAFETY: The type of `sb` says that it is one of our super blocks, and active.
        let inode = unsafe { NewInode::directory(self.sb.as_raw(), None, mode, operations) }?;
        // There has to be a place for the reference before there is one.
        let place = Place::new()?;
        // SAFETY: By the type invariants, and the inode is a directory.
        let dentry = unsafe { insert(self.dentry, name, inode, Kind::Directory) }?;

        // SAFETY: `insert` has returned a reference.
        unsafe { self.sb.header().kept.add(place, dentry) };
        // INVARIANT: The super block has the reference now.
        Ok(Dir {
            dentry,
            sb: self.sb,
        })
    }

    /// Makes a read-only file whose text `S` prints from `data`. `mode` are its permission bits.
    ///
    /// The inode owns the data.
    pub fn create_seq_file<S>(&self, name: &CStr, mode: u16, data: S::Data) -> Result
    where
        S: SeqShow<OwnerModule = T::OwnerModule>,
    {
        let node = FileNode {
            dev: None,
            mode,
            ino: None,
            owner: Owner::ROOT,
        };
        let fops = SeqVtable::<S>::as_raw();
        // SAFETY: The type of `sb` says that it is one of our super blocks, and active. The
        // operations are those of `S`, for inodes of this kind that carry its data.
        let inode =
            unsafe { NewInode::file::<SeqVtable<S>, _>(self.sb.as_raw(), node, fops, data) }?;

        self.insert_file(name, inode)
    }

    /// Makes a character device node that is served by the operations of `O`.
    ///
    /// The inode owns `context` and drops it when it is evicted: when the name is removed and all
    /// who have opened it have closed it, or when the mount ends. Opening the node does not go
    /// through the table of character devices, so the device number need not be served there.
    ///
    /// `EINVAL` if the user namespace of the mount does not have the owner.
    pub fn create_chr<O>(&self, name: &CStr, node: ChrNode, context: O::Context) -> Result
    where
        O: Operations<OwnerModule = T::OwnerModule>,
    {
        let node = FileNode {
            dev: Some(node.dev),
            mode: node.mode,
            ino: node.ino,
            owner: node.owner,
        };
        let fops = ChrVtable::<O>::as_raw();
        // SAFETY: The type of `sb` says that it is one of our super blocks, and active. The
        // operations are those of `O`, for inodes of this kind that carry its context.
        let inode =
            unsafe { NewInode::file::<ChrVtable<O>, _>(self.sb.as_raw(), node, fops, context) }?;

        self.insert_file(name, inode)
    }

    /// Removes an entry, and if it is a directory all that is in it.
    ///
    /// This does not ask [`FileSystem::may_unlink`], and works in every directory. `ENOENT` if
    /// there is no such entry. Who has opened a removed file can use it until it is closed.
    pub fn remove(&self, name: &CStr) -> Result {
        // SAFETY: By the type invariants.
        unsafe { remove(self.dentry, name) }
    }

    /// Returns a handle to the directory.
    ///
    /// Unlike a `Dir` the handle can be stored, for example in the [`FileSystem::Data`] of the
    /// mount.
    pub fn handle(&self) -> DirHandle<T> {
        // SAFETY: By the type invariants.
        unsafe { DirHandle::new(self.sb, self.dentry) }
    }

    /// Returns the count of references to the directory, with its lock.
    #[cfg(CONFIG_RUST_FS_PSEUDO_KUNIT_TEST)]
    pub(super) fn lockref(&self) -> *const bindings::lockref {
        // SAFETY: By the type invariants.
        unsafe { &raw const (*self.dentry.as_ptr()).d_lockref }
    }

    fn insert_file(&self, name: &CStr, inode: NewInode) -> Result {
        // SAFETY: By the type invariants, and the inode is not a directory.
        let dentry = unsafe { insert(self.dentry, name, inode, Kind::File) }?;

        // SAFETY: `insert` has returned a reference.
        unsafe { bindings::dput(dentry.as_ptr()) };
        Ok(())
    }
}

enum Kind {
    File,
    Directory,
}

/// Gives an inode a name, and returns a reference to the new entry.
///
/// # Safety
///
/// `parent` must be a directory in use on the super block of `inode`, and `kind` what `inode` is.
#[inline(never)]
unsafe fn insert(
    parent: NonNull<bindings::dentry>,
    name: &CStr,
    inode: NewInode,
    kind: Kind,
) -> Result<NonNull<bindings::dentry>> {
    // SAFETY: The caller's guarantee. On success the lock of the directory's inode is held and the
    // entry has no inode.
    let child =
        check(unsafe { bindings::simple_start_creating(parent.as_ptr(), name.as_char_ptr()) })?;

    // SAFETY: As above. A dead directory is one that was removed after the caller had found it.
    let result = unsafe {
        let dir = (*parent.as_ptr()).d_inode;

        if (*dir).i_flags & bindings::S_DEAD != 0 {
            Err(ENOENT)
        } else {
            bindings::d_make_persistent(child.as_ptr(), inode.into_raw());
            match kind {
                Kind::File => bindings::fsnotify_create(dir, child.as_ptr()),
                Kind::Directory => {
                    bindings::inc_nlink(dir);
                    bindings::fsnotify_mkdir(dir, child.as_ptr());
                }
            }
            bindings::dget(child.as_ptr());
            Ok(child)
        }
    };

    // SAFETY: This unlocks what `simple_start_creating` has locked.
    unsafe { bindings::simple_done_creating(child.as_ptr()) };
    result
}

/// Removes a name from a directory.
///
/// # Safety
///
/// `parent` must be a directory in use on one of our super blocks.
#[inline(never)]
unsafe fn remove(parent: NonNull<bindings::dentry>, name: &CStr) -> Result {
    // SAFETY: The caller's guarantee. On success the lock of the directory's inode is held.
    let child =
        check(unsafe { bindings::start_removing_name(parent.as_ptr(), name.as_char_ptr()) })?;

    // SAFETY: As above; this unlocks what `start_removing_name` has locked.
    unsafe {
        bindings::locked_recursive_removal(child.as_ptr(), None);
        bindings::end_removing(child.as_ptr());
    }
    Ok(())
}
