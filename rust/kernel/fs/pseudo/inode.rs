// SPDX-License-Identifier: GPL-2.0

//! Inodes: what they carry, and how it is dropped.

use super::{
    check,
    super_block,
    Owner, //
};
use crate::{
    bindings,
    chrdev::DevT,
    fs::file::{
        ContextSource,
        OpenSource, //
    },
    prelude::*, //
};
use core::{
    any::TypeId,
    mem::ManuallyDrop,
    ptr::NonNull, //
};

/// The value that stands for an id without a mapping.
pub(super) const INVALID_ID: u32 = u32::MAX;

/// The inode number of the root directory.
const ROOT_INODE: u64 = 1;

/// What the inode of a file carries. `i_private` of a directory is null.
#[repr(C)]
struct Carried<C> {
    header: Header,
    value: C,
}

/// The part of [`Carried`] that does not depend on the value.
struct Header {
    /// The type for which the inode was made: that of its table of operations.
    kind: TypeId,
    drop: unsafe fn(NonNull<Header>),
}

/// Stands for the inodes of pseudo file systems, see [`ContextSource`].
pub struct InodeContext(());

// SAFETY: What an inode carries is dropped when the inode is evicted.
unsafe impl<C> ContextSource<C> for InodeContext {
    unsafe fn context<'a>(inode: *mut bindings::inode) -> &'a C {
        // SAFETY: The caller guarantees that the inode is one of ours, in use, and that it was made
        // with a value of type `C`.
        unsafe { &(*(*inode).i_private.cast::<Carried<C>>()).value }
    }
}

impl<C: 'static> OpenSource<C> for InodeContext {
    unsafe fn with<R>(
        inode: *mut bindings::inode,
        _file: *mut bindings::file,
        open: impl FnOnce(&C) -> Result<R>,
    ) -> Result<R> {
        // SAFETY: The caller guarantees that the inode was made with a value of type `C`; the file
        // that is being opened keeps it in use.
        open(unsafe { <Self as ContextSource<C>>::context(inode) })
    }
}

/// Returns the value that `inode` carries if it was made for `K`.
///
/// # Safety
///
/// `inode` must be in use for `'a` and belong to a pseudo file system. `C` must be the type of the
/// value that inodes made for `K` carry.
pub(super) unsafe fn carried<'a, K: 'static, C>(inode: *mut bindings::inode) -> Option<&'a C> {
    // SAFETY: The caller's guarantee. `Carried` starts with the header.
    let header = NonNull::new(unsafe { (*inode).i_private }.cast::<Header>())?;
    // SAFETY: It stays valid while the inode is in use.
    if unsafe { header.as_ref() }.kind != TypeId::of::<K>() {
        return None;
    }

    // SAFETY: The inode was made for `K`, so by the caller's guarantee it carries a `C`.
    Some(unsafe { InodeContext::context(inode) })
}

/// An inode that is not yet in a directory.
///
/// # Invariants
///
/// `inode` is valid, belongs to one of our super blocks and is owned by this value.
pub(super) struct NewInode {
    inode: NonNull<bindings::inode>,
}

impl NewInode {
    /// Makes an inode without a type; the number is chosen if none is given.
    ///
    /// # Safety
    ///
    /// `sb` must be one of our super blocks, and active.
    #[inline(never)]
    unsafe fn new(sb: *mut bindings::super_block, ino: Option<u64>) -> Result<Self> {
        // SAFETY: The caller's guarantee.
        let header = unsafe { super_block::header(sb) }.ok_or(EINVAL)?;
        // SAFETY: The caller's guarantee.
        let inode = check(unsafe { bindings::new_inode(sb) })?;

        // SAFETY: The header is valid while the super block is active, and nobody else knows the
        // inode.
        unsafe {
            let header = header.as_ref();
            let raw = inode.as_ptr();

            (*raw).i_ino = match ino {
                Some(ino) => ino,
                None => bindings::iunique(sb, header.reserved_inodes as usize) as u64,
            };
            (*raw).i_uid = header.root_uid;
            (*raw).i_gid = header.root_gid;
            bindings::simple_inode_init_ts(raw);
        }

        // INVARIANT: `new_inode` has returned a reference.
        Ok(Self { inode })
    }

    /// Makes the inode of a directory.
    ///
    /// # Safety
    ///
    /// `sb` must be one of our super blocks, and active.
    #[inline(never)]
    pub(super) unsafe fn directory(
        sb: *mut bindings::super_block,
        ino: Option<u64>,
        mode: u16,
        operations: *const bindings::inode_operations,
    ) -> Result<Self> {
        // SAFETY: The caller's guarantee.
        let new = unsafe { Self::new(sb, ino) }?;
        let raw = new.inode.as_ptr();

        // SAFETY: By the type invariants, and nobody else knows the inode.
        unsafe {
            (*raw).i_mode = bindings::S_IFDIR as u16 | mode & 0o7777;
            (*raw).i_op = operations;
            bindings::inode_set_fop(raw, &raw const bindings::simple_dir_operations);
            bindings::set_nlink(raw, 2);
        }
        Ok(new)
    }

    /// Makes the inode of a file, for `K`, that carries `value`.
    ///
    /// `K` is the type of the table of operations and not of what implements them, because one type
    /// may implement the operations of device nodes as well as of text files.
    ///
    /// # Safety
    ///
    /// * `sb` must be one of our super blocks, and active.
    /// * `fops` must be the table of `K`, for inodes that carry a `C`.
    pub(super) unsafe fn file<K: 'static, C: Send + Sync + 'static>(
        sb: *mut bindings::super_block,
        node: FileNode,
        fops: *const bindings::file_operations,
        value: C,
    ) -> Result<Self> {
        let header = Header {
            kind: TypeId::of::<K>(),
            drop: drop_carried::<C>,
        };
        let carried = KBox::new(Carried { header, value }, GFP_KERNEL)?;
        // SAFETY: The caller's guarantee.
        let new = unsafe { Self::new(sb, node.ino) }?;
        new.set_owner(node.owner)?;

        // SAFETY: The caller's guarantee; the inode owns the value from now on.
        unsafe { new.init_file(&node, fops, KBox::into_raw(carried).cast()) };
        Ok(new)
    }

    /// Gives the file to `owner`. It is that of the root so far.
    #[inline(never)]
    fn set_owner(&self, owner: Owner) -> Result {
        let raw = self.inode.as_ptr();

        // SAFETY: By the type invariants, and nobody else knows the inode. An active super block
        // has a user namespace.
        unsafe {
            let ns = (*(*raw).i_sb).s_user_ns;
            if owner.uid != Owner::ROOT.uid {
                (*raw).i_uid = bindings::make_kuid(ns, owner.uid);
            }
            if owner.gid != Owner::ROOT.gid {
                (*raw).i_gid = bindings::make_kgid(ns, owner.gid);
            }
            if (*raw).i_uid.val == INVALID_ID || (*raw).i_gid.val == INVALID_ID {
                return Err(EINVAL);
            }
        }
        Ok(())
    }

    /// # Safety
    ///
    /// `fops` must rely on nothing but what `private` is.
    #[inline(never)]
    unsafe fn init_file(
        &self,
        node: &FileNode,
        fops: *const bindings::file_operations,
        private: *mut c_void,
    ) {
        let raw = self.inode.as_ptr();
        let mode = node.mode & 0o7777;

        // SAFETY: By the type invariants, and nobody else knows the inode.
        unsafe {
            match node.dev {
                Some(dev) => {
                    let mode = bindings::S_IFCHR as u16 | mode;
                    bindings::init_special_inode(raw, mode, dev.as_raw());
                }
                None => (*raw).i_mode = bindings::S_IFREG as u16 | mode,
            }
            bindings::inode_set_fop(raw, fops);
            (*raw).i_private = private;
        }
    }

    /// Gives the inode away.
    pub(super) fn into_raw(self) -> *mut bindings::inode {
        ManuallyDrop::new(self).inode.as_ptr()
    }
}

impl Drop for NewInode {
    fn drop(&mut self) {
        // SAFETY: By the type invariants this value owns the inode.
        unsafe { bindings::iput(self.inode.as_ptr()) };
    }
}

/// What a file is: a device node or, without a device number, a regular file.
pub(super) struct FileNode {
    pub(super) dev: Option<DevT>,
    pub(super) mode: u16,
    pub(super) ino: Option<u64>,
    pub(super) owner: Owner,
}

/// # Safety
///
/// `header` must be that of a `Carried<C>` in a box that nobody else uses or will use.
unsafe fn drop_carried<C>(header: NonNull<Header>) {
    // SAFETY: `Carried` starts with its header, and the caller gives the box up.
    drop(unsafe { KBox::from_raw(header.cast::<Carried<C>>().as_ptr()) });
}

/// Makes the root directory of a super block.
///
/// # Safety
///
/// `sb` must be one of our super blocks, new and in the hands of the caller alone.
#[inline(never)]
pub(super) unsafe fn make_root(
    sb: *mut bindings::super_block,
    operations: *const bindings::inode_operations,
) -> Result {
    // SAFETY: The caller's guarantee.
    let inode = unsafe { NewInode::directory(sb, Some(ROOT_INODE), 0o755, operations) }?;

    // SAFETY: `d_make_root` takes the inode over, also if it fails.
    let root = check(unsafe { bindings::d_make_root(inode.into_raw()) })?;
    // SAFETY: The caller alone has the super block.
    unsafe { (*sb).s_root = root.as_ptr() };
    Ok(())
}

/// Drops what an inode carries when its last user is gone.
///
/// # Safety
///
/// `inode` must be an inode of one of our super blocks that is being evicted.
pub(super) unsafe extern "C" fn evict(inode: *mut bindings::inode) {
    // SAFETY: The caller's guarantee; this is what an `evict_inode` callback has to do.
    unsafe {
        bindings::truncate_inode_pages_final(&raw mut (*inode).i_data);
        bindings::clear_inode(inode);
    }

    // SAFETY: `i_private` is null or what `NewInode::file` has stored. Nobody uses the inode any
    // more.
    unsafe {
        if let Some(header) = NonNull::new((*inode).i_private.cast::<Header>()) {
            (header.as_ref().drop)(header);
        }
    }
}
