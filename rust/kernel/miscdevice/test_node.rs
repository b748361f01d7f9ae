// SPDX-License-Identifier: GPL-2.0

//! Device nodes for tests.

use crate::{
    bindings,
    chrdev::DevT,
    error::{
        from_err_ptr,
        to_result, //
    },
    fs::File,
    prelude::*,
    sync::aref::ARef, //
};
use core::ptr::{
    null_mut,
    NonNull, //
};

/// A node in a mount of its own.
pub(super) struct Node {
    mnt: NonNull<bindings::vfsmount>,
}

impl Node {
    const NAME: &'static CStr = c"node";

    pub(super) fn new(dev: DevT) -> Result<Self> {
        // The root directory of a kernel thread cannot be written to, so another one is needed.
        // SAFETY: The name is valid during the call. The type is part of every kernel.
        let ramfs = unsafe { bindings::get_fs_type(c"ramfs".as_char_ptr()) };
        if ramfs.is_null() {
            return Err(ENODEV);
        }
        // SAFETY: The type is registered.
        let mnt = from_err_ptr(unsafe { bindings::kern_mount(ramfs) })?;
        let node = Self {
            mnt: NonNull::new(mnt).ok_or(ENOMEM)?,
        };
        node.make(dev)?;
        Ok(node)
    }

    fn make(&self, dev: DevT) -> Result {
        let mode = (bindings::S_IFCHR | 0o600) as u16;

        // SAFETY: The root directory is in use as long as the mount. The lock of its inode is held
        // from the first of the calls to the last, which also puts the entry.
        unsafe {
            let root = self.mnt.as_ref().mnt_root;
            let name = Self::NAME.as_char_ptr();
            let child = from_err_ptr(bindings::simple_start_creating(root, name))?;
            let made = to_result(bindings::vfs_mknod(
                &raw mut bindings::nop_mnt_idmap,
                (*root).d_inode,
                child,
                mode,
                dev.as_raw(),
                null_mut(),
            ));
            bindings::simple_done_creating(child);
            made
        }
    }

    pub(super) fn open(&self) -> Result<OpenFile> {
        // SAFETY: The mount is valid.
        let dentry = unsafe { self.mnt.as_ref() }.mnt_root;
        let root = bindings::path {
            mnt: self.mnt.as_ptr(),
            dentry,
        };
        let flags = bindings::O_RDWR as c_int;
        // SAFETY: The path and the name are valid during the call.
        let file = from_err_ptr(unsafe {
            bindings::file_open_root(&root, Self::NAME.as_char_ptr(), flags, 0)
        })?;
        let file = NonNull::new(file.cast()).ok_or(ENOENT)?;
        // SAFETY: The call has returned a reference to a file that nobody else knows.
        Ok(OpenFile(Some(unsafe { ARef::from_raw(file) })))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // SAFETY: The mount is valid and is not used after this.
        unsafe { bindings::kern_unmount(self.mnt.as_ptr()) };
    }
}

/// An open file, which is released at once when this is dropped.
pub(super) struct OpenFile(Option<ARef<File>>);

impl OpenFile {
    /// # Safety
    ///
    /// The operations of the file must have stored a pointer to a `T`.
    pub(super) unsafe fn private<T>(&self) -> Option<&T> {
        let file = self.0.as_ref()?;
        // SAFETY: The caller's guarantee.
        Some(unsafe { &*(*file.as_ptr()).private_data.cast() })
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        drop(self.0.take());
        // SAFETY: The function may be called in process context without locks.
        unsafe { bindings::flush_delayed_fput() };
    }
}
