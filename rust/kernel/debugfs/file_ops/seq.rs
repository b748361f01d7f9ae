// SPDX-License-Identifier: GPL-2.0

//! Files of debugfs that [`SeqShow`] prints.

use super::FileOps;
use crate::{
    bindings,
    debugfs::{
        Dir,
        File, //
    },
    fs::file::ContextSource,
    prelude::*,
    seq_file::{
        SeqShow,
        SingleVtable, //
    }, //
};
use core::marker::PhantomData;

/// Stands for the inodes of debugfs, see [`ContextSource`].
struct DebugInode;

// SAFETY: Debugfs takes a file away, and waits for those who use it, before its data is dropped.
unsafe impl<C> ContextSource<C> for DebugInode {
    unsafe fn context<'a>(inode: *mut bindings::inode) -> &'a C {
        // SAFETY: The caller guarantees that the inode is in use and that it was made by debugfs,
        // which keeps the pointer to its data there, with a value of type `C`.
        unsafe { &*(*inode).i_private.cast::<C>() }
    }
}

/// The operations of files with one mode that `T` prints.
struct SeqFileOps<T: SeqShow, const MODE: u16>(PhantomData<T>);

impl<T: SeqShow, const MODE: u16> SeqFileOps<T, MODE> {
    const FILE_OPS: FileOps<T::Data> = {
        assert!(MODE & !0o444 == 0, "the file can be read and no more");
        // SAFETY: The pointer is that of a constant.
        let operations = unsafe { *SingleVtable::<T, DebugInode>::as_raw() };
        // SAFETY: `open` expects that the private data of the inode points to a `T::Data` that
        // outlives the open file, which is what `FileOps` requires; the rest is of `seq_file`.
        unsafe { FileOps::new(operations, MODE) }
    };
}

impl Dir {
    /// Creates a file whose whole text [`SeqShow::show`] prints, and who may read it is up to
    /// `MODE`, which has bits for reading only.
    ///
    /// In C this is `debugfs_create_file()` with `DEFINE_SHOW_ATTRIBUTE`. What can also be shown
    /// elsewhere, in a file of a pseudo file system say, is printed by the same code, and an error
    /// becomes the result of `read`. The module of `T` stays loaded while the file is open.
    ///
    /// Fails if there is no memory for the data. May sleep.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     debugfs::Dir,
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
    ///
    /// let dir = Dir::new(c"my_limits");
    /// let file = KBox::pin_init(dir.seq_file::<Limit, 0o444, _>(c"limit", 7), GFP_KERNEL)?;
    /// // All who can reach it may read "7" from "my_limits/limit", until `file` is dropped.
    /// # assert_eq!(**file, 7);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn seq_file<'a, T: SeqShow, const MODE: u16, E: 'a>(
        &'a self,
        name: &'a CStr,
        data: impl PinInit<T::Data, E> + 'a,
    ) -> impl PinInit<File<T::Data>, E> + 'a {
        self.create_file(name, data, &SeqFileOps::<T, MODE>::FILE_OPS)
    }
}
