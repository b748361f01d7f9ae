// SPDX-License-Identifier: GPL-2.0

//! Character devices: nodes with certain numbers open, in whatever file system they are.
//!
//! C header: [`include/linux/cdev.h`](srctree/include/linux/cdev.h)

use crate::{
    bindings,
    chrdev::{
        DevT,
        Region, //
    },
    error::to_result,
    fs::file::{
        OpenSource,
        Operations,
        OperationsVtable, //
    },
    module::this_module,
    new_mutex,
    prelude::*,
    sync::Mutex,
    types::Opaque, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};

#[cfg(CONFIG_RUST_CDEV_KUNIT_TEST)]
pub(crate) mod test_node;
#[cfg(CONFIG_RUST_CDEV_KUNIT_TEST)]
mod tests;

/// Tells which device a number of a [`Region`] stands for.
///
/// The devices may come and go while the numbers are served.
pub trait Numbers: Send + Sync + 'static {
    /// What a file finds when it is opened, the [`Operations::Context`] of what serves it.
    type Device: Send + Sync + 'static;

    /// Returns the numbers. They are asked for once.
    fn region(&self) -> &Region;

    /// Returns the device with this number, if there is one now. May sleep.
    fn find(&self, dev: DevT) -> Option<Self::Device>;
}

/// What the C side refers to. It does not depend on who serves the numbers, so that no code of a
/// module is needed when the last reference is dropped.
#[repr(C)]
#[pin_data]
struct Shared {
    /// Counts the references to all of this. The character device has one as long as it is in use.
    #[pin]
    kobj: Opaque<bindings::kobject>,
    #[pin]
    cdev: Opaque<bindings::cdev>,
    /// Points to the [`Numbers`], until the registration ends.
    #[pin]
    numbers: Mutex<Option<NonNull<c_void>>>,
}

impl Shared {
    const KOBJ_TYPE: &'static bindings::kobj_type = &bindings::kobj_type {
        release: Some(Self::release),
        ..pin_init::zeroed()
    };

    /// Makes one that serves nothing yet, with one reference.
    #[inline(never)]
    fn new(numbers: NonNull<c_void>) -> Result<NonNull<Self>> {
        let shared = KBox::pin_init(
            pin_init!(Self {
                kobj: Opaque::new(pin_init::zeroed()),
                cdev: Opaque::new(pin_init::zeroed()),
                numbers <- new_mutex!(Some(numbers), "cdev::Shared::numbers"),
            }),
            GFP_KERNEL,
        )?;
        // SAFETY: The box is not moved out of; it is what `release` makes a box of again.
        let shared = NonNull::from(KBox::leak(unsafe { Pin::into_inner_unchecked(shared) }));

        // SAFETY: The kobject is zeroed, and stays where it is until `release`.
        unsafe { bindings::kobject_init(shared.as_ref().kobj.get(), Self::KOBJ_TYPE) };
        Ok(shared)
    }

    /// # Safety
    ///
    /// `kobj` must be that of a `Shared` that nobody refers to any more.
    unsafe extern "C" fn release(kobj: *mut bindings::kobject) {
        // SAFETY: `Shared` starts with its kobject, and `new` has got it from a pinned box.
        drop(unsafe { Pin::new_unchecked(KBox::from_raw(kobj.cast::<Self>())) });
    }

    /// Makes one and lets it serve.
    ///
    /// # Safety
    ///
    /// `fops` must fit to what `numbers` points to.
    #[inline(never)]
    unsafe fn serve(
        numbers: NonNull<c_void>,
        fops: *const bindings::file_operations,
        owner: *mut bindings::module,
        first: DevT,
        count: u32,
    ) -> Result<NonNull<Self>> {
        let shared = Self::new(numbers)?;
        // SAFETY: It is live.
        let (cdev, kobj) = unsafe { (shared.as_ref().cdev.get(), shared.as_ref().kobj.get()) };

        // SAFETY: Nobody else uses the structure yet. The device keeps a reference to the parent,
        // that is to itself and the rest, until its own last reference is gone.
        unsafe {
            bindings::cdev_init(cdev, fops);
            (*cdev).owner = owner;
            bindings::cdev_set_parent(cdev, kobj);
        }
        // SAFETY: The structure is filled in and lives as long as it is in use.
        to_result(unsafe { bindings::cdev_add(cdev, first.as_raw(), count) })
            // SAFETY: The device was not added and has taken no reference, so the one is ours.
            .inspect_err(|_| unsafe { Self::put(shared) })?;
        Ok(shared)
    }

    /// Ends the service; files that are open stay so.
    ///
    /// # Safety
    ///
    /// It must come from [`Self::serve`], and this must not have been called.
    #[inline(never)]
    unsafe fn del(&self) {
        // SAFETY: The caller's guarantee.
        unsafe { bindings::cdev_del(self.cdev.get()) };
    }

    /// Drops the reference of the registration.
    ///
    /// # Safety
    ///
    /// The reference must be the caller's, who must not use `shared` after this.
    #[inline(never)]
    unsafe fn put(shared: NonNull<Self>) {
        // SAFETY: The caller's guarantee.
        unsafe { bindings::kobject_put(shared.as_ref().kobj.get()) };
    }

    /// Returns what serves `inode`.
    ///
    /// # Safety
    ///
    /// `inode` must be that of a file that is being opened through a device of a `Shared`.
    #[inline(never)]
    unsafe fn of_inode<'a>(inode: *mut bindings::inode) -> (&'a Self, DevT) {
        // SAFETY: The open call has set the pointer and holds a reference to the device.
        let (cdev, dev) = unsafe { ((*inode).__bindgen_anon_5.i_cdev, (*inode).i_rdev) };

        // SAFETY: The caller's guarantee; the device has a reference to the whole.
        let shared =
            unsafe { &*crate::container_of!(Opaque::cast_from(cdev).cast_mut(), Self, cdev) };
        (shared, DevT::from_raw(dev))
    }
}

/// The service of the numbers of a [`Region`], by the operations of a type.
///
/// A node with one of the numbers opens if [`Numbers::find`] knows a device for it, in whatever
/// file system the node is. `ENXIO` if not. Who has opened a device keeps it open when the
/// registration ends; none is found from then on.
///
/// # Invariants
///
/// `shared` is live, the registration owns a reference to it, and its numbers point to an `N` that
/// the registration owns.
///
/// # Examples
///
/// A device that is there and one that is not.
///
/// ```
/// use kernel::{
///     cdev::{
///         Numbers,
///         Registration, //
///     },
///     chrdev::{
///         DevT,
///         Region, //
///     },
///     fs::file::{
///         Operations,
///         UncountedFile, //
///     },
///     prelude::*, //
/// };
///
/// struct OneOfTwo(Region);
///
/// impl Numbers for OneOfTwo {
///     type Device = u32;
///
///     fn region(&self) -> &Region {
///         &self.0
///     }
///
///     fn find(&self, dev: DevT) -> Option<u32> {
///         (self.0.dev(0) == Some(dev)).then_some(42)
///     }
/// }
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
/// let numbers = OneOfTwo(Region::alloc(0, 2, c"rust_doctest_numbers")?);
/// let registration = Registration::new::<Client>(numbers)?;
/// drop(registration);
/// # Ok::<(), Error>(())
/// ```
pub struct Registration<N: Numbers> {
    shared: NonNull<Shared>,
    _numbers: PhantomData<N>,
}

// SAFETY: What the C side has may be used and dropped on every thread, and so may an `N`.
unsafe impl<N: Numbers> Send for Registration<N> {}
// SAFETY: There are no methods on a shared registration.
unsafe impl<N: Numbers> Sync for Registration<N> {}

impl<N: Numbers> Registration<N> {
    /// Starts the service (`cdev_add` in C).
    ///
    /// Files are opened as soon as this is called. May sleep. Fails with `ENOMEM`, or with the
    /// error of the C function.
    pub fn new<O>(numbers: N) -> Result<Self>
    where
        O: Operations<Context = N::Device>,
    {
        let region = numbers.region();
        let (first, count) = (region.dev(0).ok_or(EINVAL)?, region.count());
        let numbers = NonNull::from(KBox::leak(KBox::new(numbers, GFP_KERNEL)?));
        let fops = OperationsVtable::<O, ByNumber<N>>::as_raw();
        let owner = this_module::<O::OwnerModule>().as_ptr();

        // SAFETY: The operations look for an `N`.
        let served = unsafe { Shared::serve(numbers.cast(), fops, owner, first, count) };
        match served {
            // INVARIANT: All was made above.
            Ok(shared) => Ok(Self {
                shared,
                _numbers: PhantomData,
            }),
            Err(error) => {
                // SAFETY: It comes from the box above, and nobody else knows it.
                drop(unsafe { KBox::from_raw(numbers.as_ptr()) });
                Err(error)
            }
        }
    }
}

impl<N: Numbers> Drop for Registration<N> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants.
        let shared = unsafe { self.shared.as_ref() };

        // SAFETY: By the type invariants the device is live, and this is the only call.
        unsafe { shared.del() };
        // In a statement of its own, so that the lock is free when the numbers are dropped.
        let numbers = shared.numbers.lock().take();
        if let Some(numbers) = numbers {
            // SAFETY: By the type invariants. Whoever opens a file uses the pointer under the lock
            // alone.
            drop(unsafe { KBox::from_raw(numbers.cast::<N>().as_ptr()) });
        }
        // SAFETY: The reference was ours and is not used after this.
        unsafe { Shared::put(self.shared) };
    }
}

/// Stands for inodes with a number that a [`Registration`] serves, see [`OpenSource`].
pub struct ByNumber<N>(PhantomData<N>);

impl<N: Numbers> OpenSource<N::Device> for ByNumber<N> {
    unsafe fn with<R>(
        inode: *mut bindings::inode,
        _file: *mut bindings::file,
        open: impl FnOnce(&N::Device) -> Result<R>,
    ) -> Result<R> {
        // SAFETY: The caller guarantees that a registration of an `N` has led here.
        let (shared, dev) = unsafe { Shared::of_inode(inode) };
        let guard = shared.numbers.lock();
        let numbers = guard.ok_or(ENXIO)?.cast::<N>();
        // SAFETY: The registration does not drop its numbers while the lock is held.
        let device = unsafe { numbers.as_ref() }.find(dev);

        drop(guard);
        open(&device.ok_or(ENXIO)?)
    }
}
