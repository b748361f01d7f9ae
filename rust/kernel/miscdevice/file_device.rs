// SPDX-License-Identifier: GPL-2.0

//! Misc devices that are served by general file operations.

use crate::{
    bindings,
    error::to_result,
    fs::file::{
        OpenSource,
        Operations,
        OperationsVtable, //
    },
    module::Registered,
    prelude::*,
    str::CString,
    types::Opaque, //
};

/// What a registration has on the heap.
#[repr(C)]
#[pin_data]
struct Inner<C> {
    #[pin]
    misc: Opaque<bindings::miscdevice>,
    name: CString,
    context: C,
}

/// A misc device whose files have the operations of `O`, registered while this exists.
///
/// Unlike [`MiscDeviceRegistration`] it can have a name that is not known before, carries a value
/// that each open finds, and has all operations of [`Operations`]. The minor number is chosen, the
/// node is `/dev/<name>`, with the mode 0600.
///
/// Who has opened the device keeps it open when the registration ends.
///
/// Misc devices are opened under a lock that registering and deregistering take: neither may be
/// done by the `open` of one.
///
/// # Invariants
///
/// `inner.misc` is registered, and carries the name and the context beside it.
///
/// # Examples
///
/// ```
/// use kernel::{
///     fs::file::{
///         Operations,
///         UncountedFile, //
///     },
///     miscdevice::FileDevice,
///     prelude::*, //
/// };
///
/// struct Client;
///
/// #[vtable]
/// impl Operations for Client {
///     type Ptr = KBox<u32>;
///     type Context = u32;
///
///     fn open(device: &u32, _file: &UncountedFile) -> Result<KBox<u32>> {
///         Ok(KBox::new(*device, GFP_KERNEL)?)
///     }
/// }
///
/// let one = FileDevice::<Client>::new(c"rust_doctest_one", 1)?;
/// let two = FileDevice::<Client>::new(c"rust_doctest_two", 2)?;
/// assert_ne!(one.minor(), two.minor());
/// # Ok::<(), Error>(())
/// ```
///
/// [`MiscDeviceRegistration`]: super::MiscDeviceRegistration
pub struct FileDevice<O: Operations> {
    inner: Pin<KBox<Inner<O::Context>>>,
    _registered: Registered,
}

// SAFETY: A misc device may be used and deregistered on every thread, and so may the context.
unsafe impl<O: Operations> Send for FileDevice<O> {}
// SAFETY: The methods on a shared registration read what does not change.
unsafe impl<O: Operations> Sync for FileDevice<O> {}

impl<O: Operations> FileDevice<O> {
    /// Registers a misc device (`misc_register` in C). Each open of it gets `context`.
    ///
    /// Files are opened as soon as this is called. May sleep. Fails with `ENOMEM`, `EBUSY` if there
    /// is no minor number left, or the error of the C function: `EEXIST` if the name is taken.
    pub fn new(name: &CStr, context: O::Context) -> Result<Self> {
        let name = CString::try_from(name)?;
        let misc = bindings::miscdevice {
            minor: bindings::MISC_DYNAMIC_MINOR as c_int,
            name: name.as_char_ptr(),
            fops: OperationsVtable::<O, OfMiscDevice>::as_raw(),
            ..pin_init::zeroed()
        };
        let inner = KBox::pin_init(
            pin_init!(Inner {
                misc: Opaque::new(misc),
                name,
                context,
            }),
            GFP_KERNEL,
        )?;

        // SAFETY: The structure is filled in, and stays where it is until it is deregistered. The
        // bytes of the name are on the heap and stay as well.
        unsafe { register(inner.misc.get()) }?;
        // INVARIANT: `register` has succeeded.
        Ok(Self {
            inner,
            _registered: Registered::new::<O::OwnerModule>(),
        })
    }

    /// Returns the name.
    pub fn name(&self) -> &CStr {
        &self.inner.name
    }

    /// Returns the minor number.
    pub fn minor(&self) -> u32 {
        // SAFETY: By the type invariants; the number is not changed while the device is registered.
        unsafe { (*self.inner.misc.get()).minor as u32 }
    }
}

impl<O: Operations> Drop for FileDevice<O> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants. An open call runs under a lock that this takes, so that
        // none uses the context after this.
        unsafe { deregister(self.inner.misc.get()) };
    }
}

/// # Safety
///
/// `misc` must be filled in and stay valid until it is deregistered.
#[inline(never)]
unsafe fn register(misc: *mut bindings::miscdevice) -> Result {
    // SAFETY: The caller's guarantee.
    to_result(unsafe { bindings::misc_register(misc) })
}

/// # Safety
///
/// `misc` must be registered.
#[inline(never)]
unsafe fn deregister(misc: *mut bindings::miscdevice) {
    // SAFETY: The caller's guarantee.
    unsafe { bindings::misc_deregister(misc) };
}

/// Stands for the files of a [`FileDevice`], see [`OpenSource`].
struct OfMiscDevice;

impl<C: 'static> OpenSource<C> for OfMiscDevice {
    unsafe fn with<R>(
        _inode: *mut bindings::inode,
        file: *mut bindings::file,
        open: impl FnOnce(&C) -> Result<R>,
    ) -> Result<R> {
        // SAFETY: Misc devices leave a pointer to themselves in the private data, and are not
        // deregistered during the call. `Inner` starts with the device, and by the caller's
        // guarantee it is that of a context of type `C`.
        let inner = unsafe { &*(*file).private_data.cast::<Inner<C>>() };
        open(&inner.context)
    }
}

#[cfg(CONFIG_RUST_FILE_DEVICE_KUNIT_TEST)]
#[macros::kunit_tests(rust_miscdevice_file_device)]
mod tests {
    use super::*;
    use crate::{
        chrdev::DevT,
        fs::file::UncountedFile,
        miscdevice::test_node::Node, //
    };

    const MISC_MAJOR: u32 = bindings::MISC_MAJOR;

    struct Client;

    #[vtable]
    impl Operations for Client {
        type Ptr = KBox<u32>;
        type Context = u32;

        fn open(device: &u32, _file: &UncountedFile) -> Result<KBox<u32>> {
            match device {
                0 => Err(EDOM),
                device => Ok(KBox::new(*device, GFP_KERNEL)?),
            }
        }
    }

    fn node_of(device: &FileDevice<Client>) -> Result<Node> {
        Node::new(DevT::new(MISC_MAJOR, device.minor()).ok_or(EINVAL)?)
    }

    #[test]
    fn each_open_gets_the_context() -> Result {
        let one = FileDevice::<Client>::new(c"rust_kunit_one", 1)?;
        let two = FileDevice::<Client>::new(c"rust_kunit_two", 2)?;

        for (device, expected) in [(&one, 1), (&two, 2)] {
            let node = node_of(device)?;
            // SAFETY: The operations of `Client` store a box.
            assert_eq!(unsafe { node.open()?.private::<u32>() }, Some(&expected));
        }
        assert_eq!(one.name(), c"rust_kunit_one");
        Ok(())
    }

    #[test]
    fn errors_of_open_are_passed_on() -> Result {
        let device = FileDevice::<Client>::new(c"rust_kunit_error", 0)?;
        assert_eq!(node_of(&device)?.open().err(), Some(EDOM));
        Ok(())
    }

    #[test]
    fn a_device_that_is_gone_does_not_open() -> Result {
        let device = FileDevice::<Client>::new(c"rust_kunit_gone", 3)?;
        let node = node_of(&device)?;
        let file = node.open()?;

        drop(device);
        assert_eq!(node.open().err(), Some(ENODEV));
        // SAFETY: The operations of `Client` store a box.
        assert_eq!(unsafe { file.private::<u32>() }, Some(&3));
        Ok(())
    }

    #[cfg(CONFIG_RUST_KUNIT_FAIL_NTH)]
    #[test]
    fn failed_allocations_leave_nothing() -> Result {
        crate::kunit::each_allocation_fails(|| {
            FileDevice::<Client>::new(c"rust_kunit_failing", 4).map(drop)
        })?;
        Ok(())
    }
}
