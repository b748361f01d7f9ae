// SPDX-License-Identifier: GPL-2.0

//! Files whose whole content one function prints.
//!
//! C header: [`include/linux/seq_file.h`](srctree/include/linux/seq_file.h)

use super::SeqFile;
use crate::{
    bindings,
    error::from_result,
    fs::file::ContextSource,
    module::this_module,
    prelude::*, //
};
use core::marker::PhantomData;

/// Prints the content of a read-only file.
///
/// # Examples
///
/// ```
/// use kernel::{
///     prelude::*,
///     seq_file::{
///         seq_print,
///         SeqFile,
///         SeqShow, //
///     }, //
/// };
///
/// struct Limit;
///
/// #[vtable]
/// impl SeqShow for Limit {
///     type Data = u32;
///
///     fn show(limit: &u32, m: &SeqFile) -> Result {
///         seq_print!(m, "{limit}\n");
///         Ok(())
///     }
/// }
/// ```
#[vtable]
pub trait SeqShow: Sized + 'static {
    /// What the inode carries.
    type Data: Send + Sync + 'static;

    /// Prints the whole content. May sleep.
    ///
    /// It runs at the first `read` of an open file, and again from the start with a larger buffer
    /// if the text did not fit. An error becomes the result of `read`.
    fn show(data: &Self::Data, m: &SeqFile) -> Result;
}

/// The `struct file_operations` for the text of `T` on inodes of the kind `S`.
pub struct SingleVtable<T: SeqShow, S: ContextSource<T::Data>>(PhantomData<(T, S)>);

impl<T: SeqShow, S: ContextSource<T::Data>> SingleVtable<T, S> {
    /// Returns the table.
    ///
    /// It may only be installed in inodes made by the constructor that `S` stands for, and only in
    /// those made for `T`; its callbacks rely on it.
    pub const fn as_raw() -> *const bindings::file_operations {
        &Self::VTABLE
    }

    /// # Safety
    ///
    /// `inode` and `file` must be those of an open call for this table.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: This table is only installed by the constructor that `S` stands for.
        let data: &T::Data = unsafe { S::context(inode) };
        let data = core::ptr::from_ref(data).cast_mut().cast();

        // SAFETY: The caller passes a file that is being opened. Its inode, and with it the data,
        // is in use until the file is released.
        unsafe { bindings::single_open(file, Some(Self::show), data) }
    }

    /// # Safety
    ///
    /// `m` must be the seq file of a file that [`Self::open`] has opened.
    unsafe extern "C" fn show(m: *mut bindings::seq_file, _: *mut c_void) -> c_int {
        // SAFETY: `open` made the private data a pointer to a `T::Data` that is valid while the
        // file is open; it is shared by all who read it.
        let data = unsafe { &*(*m).private.cast::<T::Data>() };
        // SAFETY: The caller holds the lock of `m` during the call.
        let m = unsafe { SeqFile::from_raw(m) };

        from_result(|| T::show(data, m).map(|()| 0))
    }

    const VTABLE: bindings::file_operations = bindings::file_operations {
        owner: this_module::<T::OwnerModule>().as_ptr(),
        open: Some(Self::open),
        read: Some(bindings::seq_read),
        llseek: Some(bindings::seq_lseek),
        release: Some(bindings::single_release),
        ..pin_init::zeroed()
    };
}
