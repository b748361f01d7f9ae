// SPDX-License-Identifier: GPL-2.0

//! File operations written in Rust.
//!
//! A driver implements [`Operations`] for a type of its own. Whoever makes the inodes (a pseudo
//! file system, a character device) installs the resulting `struct file_operations`; the driver
//! never sees it. That constructor also decides what an inode carries, the [`Operations::Context`].
//!
//! C header: [`include/linux/fs.h`](srctree/include/linux/fs.h)

use crate::{
    bindings,
    error::{
        from_result,
        to_result,
        VTABLE_DEFAULT_ERROR, //
    },
    fs::{
        file::{
            IoctlFile,
            LocalFile,
            PollEvents,
            UncountedFile, //
        },
        File, //
    },
    mm::virt::VmaNew,
    module::this_module,
    prelude::*,
    sync::poll::PollTable,
    types::ForeignOwnable, //
};
use core::marker::PhantomData;

/// What happens to an open file.
///
/// All callbacks run in process context and may sleep. The kernel calls [`open`] first and
/// [`release`] last, and nothing after [`release`]; between the two, any number of the other
/// callbacks may run at the same time, on any thread that has the file in its table. That is why
/// they only get the private data borrowed, and why [`Ptr`] is `Send + Sync`.
///
/// Files are not seekable: `lseek` gives `ESPIPE`, and `read` and `write` give `EINVAL`.
///
/// # Examples
///
/// ```
/// use kernel::{
///     fs::{
///         file::{
///             IoctlFile,
///             Operations,
///             UncountedFile, //
///         }, //
///     },
///     prelude::*,
///     sync::{
///         Arc,
///         ArcBorrow, //
///     }, //
/// };
///
/// /// What the inode carries.
/// struct Device {
///     answer: isize,
/// }
///
/// /// What each open file has of its own.
/// struct Client {
///     device: Arc<Device>,
/// }
///
/// #[vtable]
/// impl Operations for Client {
///     type Ptr = Arc<Self>;
///     type Context = Arc<Device>;
///
///     fn open(device: &Arc<Device>, _: &UncountedFile) -> Result<Arc<Self>> {
///         let device = device.clone();
///         Ok(Arc::new(Client { device }, GFP_KERNEL)?)
///     }
///
///     fn ioctl(me: ArcBorrow<'_, Self>, _: &IoctlFile<'_>, cmd: u32, _: usize) -> Result<isize> {
///         match cmd {
///             42 => Ok(me.device.answer),
///             _ => Err(ENOTTY),
///         }
///     }
/// }
///
/// assert!(Client::HAS_IOCTL && !Client::HAS_POLL);
/// ```
///
/// [`open`]: Self::open
/// [`release`]: Self::release
/// [`Ptr`]: Self::Ptr
#[vtable]
pub trait Operations: Sized + 'static {
    /// The pointer that the open file keeps as its private data.
    type Ptr: ForeignOwnable + Send + Sync;

    /// What the inode carries, shared by all who open it.
    type Context: Send + Sync + 'static;

    /// Opens the file; the returned pointer becomes its private data.
    ///
    /// An error becomes the result of `open(2)`; none of the other callbacks is called then.
    fn open(context: &Self::Context, file: &UncountedFile) -> Result<Self::Ptr>;

    /// Called once, when the last reference to the file is gone.
    fn release(data: Self::Ptr, _file: &UncountedFile) {
        drop(data);
    }

    /// Called each time a file descriptor of the file is closed, also while others stay open.
    ///
    /// An error becomes the result of `close(2)`; the descriptor is closed all the same.
    ///
    /// The file stays on the thread, which may be in an `fdget_pos` region: a driver can close a
    /// descriptor during a read. A task that exits closes its descriptors when it has no table of
    /// them any more.
    fn flush(_data: <Self::Ptr as ForeignOwnable>::Borrowed<'_>, _file: &LocalFile) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Tells which events are pending and registers with `table` to be woken for later ones.
    fn poll(
        _data: <Self::Ptr as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _table: PollTable<'_>,
    ) -> PollEvents {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Sets up a mapping of the file; the caller holds the write lock of the address space.
    fn mmap(
        _data: <Self::Ptr as ForeignOwnable>::Borrowed<'_>,
        _file: &File,
        _vma: &VmaNew,
    ) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Handles `ioctl(2)`. The argument `arg` is an integer or the address of user memory.
    ///
    /// For a 32-bit process on a 64-bit kernel, `arg` is converted as a pointer
    /// (`compat_ptr_ioctl` in C), so the structures have to be the same for both.
    ///
    /// The utilities of [`kernel::ioctl`] take `cmd` to pieces.
    ///
    /// [`kernel::ioctl`]: mod@crate::ioctl
    fn ioctl(
        _data: <Self::Ptr as ForeignOwnable>::Borrowed<'_>,
        _file: &IoctlFile<'_>,
        _cmd: u32,
        _arg: usize,
    ) -> Result<isize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// Where a file that is being opened finds what was made for it, a value of type `C`.
///
/// Each kind of constructor (inodes of a pseudo file system, character devices) has its own.
pub trait OpenSource<C> {
    /// Calls `open` with the value and returns the result, or an error if there is none any more.
    ///
    /// # Safety
    ///
    /// `file` must be in its open call, through `inode`, and what it is opened through must have
    /// been made by the constructor that this type stands for, for values of type `C`.
    unsafe fn with<R>(
        inode: *mut bindings::inode,
        file: *mut bindings::file,
        open: impl FnOnce(&C) -> Result<R>,
    ) -> Result<R>;
}

/// Where an inode carries a value of type `C`.
///
/// # Safety
///
/// [`context`](Self::context) must return a reference that stays valid as long as the inode is in
/// use.
pub unsafe trait ContextSource<C> {
    /// Returns what `inode` carries.
    ///
    /// # Safety
    ///
    /// `inode` must be in use for `'a` and must have been made by the constructor that this type
    /// stands for, with a value of type `C`.
    unsafe fn context<'a>(inode: *mut bindings::inode) -> &'a C;
}

/// The `struct file_operations` for the operations of `T` on inodes of the kind `S`.
pub struct OperationsVtable<T: Operations, S: OpenSource<T::Context>>(PhantomData<(T, S)>);

impl<T: Operations, S: OpenSource<T::Context>> OperationsVtable<T, S> {
    /// Returns the table.
    ///
    /// It may only be installed in inodes made by the constructor that `S` stands for, and only in
    /// those made for `T`; its callbacks rely on it.
    pub const fn as_raw() -> *const bindings::file_operations {
        &Self::VTABLE
    }

    /// Borrows the private data of an open file.
    ///
    /// # Safety
    ///
    /// `file` must be a file that [`Self::open`] has opened, and that is not released before the
    /// end of `'a`.
    unsafe fn data<'a>(file: *mut bindings::file) -> <T::Ptr as ForeignOwnable>::Borrowed<'a> {
        // SAFETY: `open` wrote the private data and it is not changed until `release`.
        let private = unsafe { (*file).private_data };

        // SAFETY: `open` stored what `into_foreign` returned, and by the caller's guarantee
        // `release`, the one caller of `from_foreign`, does not run before the end of `'a`.
        unsafe { T::Ptr::borrow(private) }
    }

    /// # Safety
    ///
    /// `inode` and `file` must be those of an open call for this table.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        from_result(|| {
            // SAFETY: The caller passes a file that is being opened.
            to_result(unsafe { bindings::nonseekable_open(inode, file) })?;

            let open = |context: &T::Context| {
                // SAFETY: The file is valid during the call, and its inode and credentials are set
                // before it.
                T::open(context, unsafe { UncountedFile::from_raw(file) })
            };
            // SAFETY: This table is only installed by the constructor that `S` stands for.
            let data = unsafe { S::with(inode, file, open) }?;

            // SAFETY: The open call may write the private data.
            unsafe { (*file).private_data = data.into_foreign() };
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// `file` must be a file that [`Self::open`] has opened and that is being released.
    unsafe extern "C" fn release(_: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: `open` stored what `into_foreign` returned. The kernel calls release once and
        // last, so this takes the ownership back and no borrow is left.
        let data = unsafe { T::Ptr::from_foreign((*file).private_data) };

        // SAFETY: The file is valid during the call, and its inode and credentials are let go of
        // after it.
        T::release(data, unsafe { UncountedFile::from_raw(file) });
        0
    }

    /// # Safety
    ///
    /// `file` must be a file that [`Self::open`] has opened.
    unsafe extern "C" fn flush(file: *mut bindings::file, _: bindings::fl_owner_t) -> c_int {
        // SAFETY: The file is open and is not released during the call.
        let data = unsafe { Self::data(file) };
        // SAFETY: The file is valid during the call. A descriptor is closed by a thread that has it
        // in its table, so that an `fdget_pos` region without the lock is one of this thread.
        let file = unsafe { LocalFile::from_raw_file(file) };

        from_result(|| T::flush(data, file).map(|()| 0))
    }

    /// # Safety
    ///
    /// `file` must be a file that [`Self::open`] has opened, `table` must be valid or null.
    unsafe extern "C" fn poll(
        file: *mut bindings::file,
        table: *mut bindings::poll_table_struct,
    ) -> bindings::__poll_t {
        // SAFETY: The file is open and is not released during the call.
        let data = unsafe { Self::data(file) };
        // SAFETY: The file is valid during the call, and polling does not use `fdget_pos`.
        let file = unsafe { File::from_raw_file(file) };
        // SAFETY: The caller passes a table that is valid during the call, or null.
        let table = unsafe { PollTable::from_raw(table) };

        T::poll(data, file, table).bits()
    }

    /// # Safety
    ///
    /// `file` must be a file that [`Self::open`] has opened, and `vma` a mapping of it that is
    /// being set up.
    unsafe extern "C" fn mmap(
        file: *mut bindings::file,
        vma: *mut bindings::vm_area_struct,
    ) -> c_int {
        // SAFETY: The file is open and is not released during the call.
        let data = unsafe { Self::data(file) };
        // SAFETY: The file is valid during the call, and mapping does not use `fdget_pos`.
        let file = unsafe { File::from_raw_file(file) };
        // SAFETY: The caller passes a vma that is undergoing initial setup.
        let vma = unsafe { VmaNew::from_raw(vma) };

        from_result(|| T::mmap(data, file, vma).map(|()| 0))
    }

    /// # Safety
    ///
    /// `file` must be a file that [`Self::open`] has opened, and the caller must be its ioctl call.
    unsafe extern "C" fn ioctl(file: *mut bindings::file, cmd: c_uint, arg: c_ulong) -> c_long {
        // SAFETY: The file is open and is not released during the call.
        let data = unsafe { Self::data(file) };
        // SAFETY: The file is valid during the call, and this is its ioctl call.
        let file = unsafe { IoctlFile::from_raw(file) };

        match T::ioctl(data, &file, cmd, arg) {
            Ok(value) => value as c_long,
            Err(error) => error.to_errno() as c_long,
        }
    }

    const VTABLE: bindings::file_operations = bindings::file_operations {
        owner: this_module::<T::OwnerModule>().as_ptr(),
        open: Some(Self::open),
        release: Some(Self::release),
        flush: if T::HAS_FLUSH {
            Some(Self::flush)
        } else {
            None
        },
        poll: if T::HAS_POLL { Some(Self::poll) } else { None },
        mmap: if T::HAS_MMAP { Some(Self::mmap) } else { None },
        unlocked_ioctl: if T::HAS_IOCTL {
            Some(Self::ioctl)
        } else {
            None
        },
        #[cfg(CONFIG_COMPAT)]
        compat_ioctl: if T::HAS_IOCTL {
            bindings::compat_ptr_ioctl
        } else {
            None
        },
        ..pin_init::zeroed()
    };
}
