// SPDX-License-Identifier: GPL-2.0

//! Shrinkers: giving memory back when the kernel runs short of it.
//!
//! A cache that can free some of its objects implements [`Shrinker`] and registers itself. Reclaim
//! then asks it now and then how many objects there are to free ([`count`](Shrinker::count)), and
//! to free some of them ([`scan`](Shrinker::scan)).
//!
//! Registration has two steps, as in C: an [`UnregisteredShrinker`] has its identity already, which
//! a memcg-aware LRU list needs when it is initialised, but it is not called yet.
//!
//! C header: [`include/linux/shrinker.h`](srctree/include/linux/shrinker.h)

use crate::{
    bindings,
    module::Registered,
    prelude::*,
    types::Opaque, //
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull, //
};

/// A cache that can free some of its objects.
///
/// Both functions run in the context of whoever needs memory: that task may hold any lock, also one
/// of the cache itself if an allocation is made under it. So they may only try to take locks under
/// which memory is allocated.
///
/// A cache borrows nothing: a [`Registration`] may be leaked, and reclaim goes on calling it then.
/// Its module cannot be unloaded any more in that case.
#[vtable]
pub trait Shrinker: Send + Sync + 'static {
    /// Returns how many objects there are that could be freed.
    ///
    /// It need not be exact, and should be quick.
    fn count(&self, control: &ShrinkControl) -> usize;

    /// Tries to free objects, and returns how many it freed.
    ///
    /// It should look at about [`ShrinkControl::nr_to_scan`] objects.
    fn scan(&self, control: &ShrinkControl) -> usize;
}

/// What reclaim wants from a shrinker in one call.
///
/// # Invariants
///
/// It is a valid `struct shrink_control` that nobody changes.
#[repr(transparent)]
pub struct ShrinkControl(Opaque<bindings::shrink_control>);

impl ShrinkControl {
    /// Makes a reference from a pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a valid `struct shrink_control` that does not change during `'a`.
    pub(crate) unsafe fn from_raw<'a>(ptr: *mut bindings::shrink_control) -> &'a Self {
        // SAFETY: `Self` has the layout of the C type, and the caller promises the rest.
        unsafe { &*ptr.cast() }
    }

    /// Returns how many objects [`Shrinker::scan`] should look at.
    pub fn nr_to_scan(&self) -> usize {
        // SAFETY: By the type invariants.
        unsafe { (*self.0.get()).nr_to_scan }
    }

    /// Returns the NUMA node of which memory is wanted.
    pub fn nid(&self) -> i32 {
        // SAFETY: By the type invariants.
        unsafe { (*self.0.get()).nid }
    }

    /// Returns a pointer to the C object.
    pub fn as_raw(&self) -> *mut bindings::shrink_control {
        self.0.get()
    }
}

/// A shrinker that is allocated, but is not called yet.
///
/// Its flags say that it is aware of NUMA nodes and memory cgroups.
///
/// # Invariants
///
/// It owns a shrinker from `shrinker_alloc`, which is not registered.
pub struct UnregisteredShrinker(NonNull<bindings::shrinker>);

// SAFETY: A shrinker can be registered and freed by any task.
unsafe impl Send for UnregisteredShrinker {}
// SAFETY: There is nothing that could be done with a shared reference, except reading.
unsafe impl Sync for UnregisteredShrinker {}

impl UnregisteredShrinker {
    /// Allocates a shrinker. Wraps C's `shrinker_alloc`.
    ///
    /// `name` is what the directory in `/sys/kernel/debug/shrinker` begins with. May sleep.
    pub fn new(name: &CStr) -> Result<Self> {
        let flags = bindings::SHRINKER_NUMA_AWARE | bindings::SHRINKER_MEMCG_AWARE;
        // SAFETY: The format takes one string, and `name` is one.
        let ptr =
            unsafe { bindings::shrinker_alloc(flags, c"%s".as_char_ptr(), name.as_char_ptr()) };
        // INVARIANT: It was just allocated.
        Ok(Self(NonNull::new(ptr).ok_or(ENOMEM)?))
    }

    /// Returns a pointer to the C object.
    pub fn as_raw(&self) -> *mut bindings::shrinker {
        self.0.as_ptr()
    }

    /// Lets reclaim call `cache`. Wraps C's `shrinker_register`. May sleep.
    pub fn register<T: Shrinker>(self, cache: Pin<KBox<T>>) -> Registration<T> {
        let registered = Registered::new::<T::OwnerModule>();
        let shrinker = ManuallyDrop::new(self).0;
        // SAFETY: The cache stays pinned: it is only ever borrowed, until `Registration` is
        // dropped.
        let cache = NonNull::from(KBox::leak(unsafe { Pin::into_inner_unchecked(cache) }));
        // SAFETY: The shrinker is ours and not registered, by the type invariants. From here on it
        // may be called, and then finds a valid `T`.
        unsafe {
            (*shrinker.as_ptr()).count_objects = Some(count::<T>);
            (*shrinker.as_ptr()).scan_objects = Some(scan::<T>);
            (*shrinker.as_ptr()).private_data = cache.as_ptr().cast();
            bindings::shrinker_register(shrinker.as_ptr());
        }
        // INVARIANT: The shrinker was just registered with `cache`, which is from a `KBox`.
        Registration {
            shrinker,
            cache,
            _owns: PhantomData,
            _registered: registered,
        }
    }
}

impl Drop for UnregisteredShrinker {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, we own the shrinker.
        unsafe { bindings::shrinker_free(self.0.as_ptr()) };
    }
}

/// A cache that reclaim calls.
///
/// Drop waits until no call runs any more, and then drops the cache. Therefore it must not be
/// dropped by the shrinker itself, nor under a lock that the shrinker waits for. Drop may sleep.
///
/// # Examples
///
/// ```
/// use kernel::mm::shrinker::{
///     ShrinkControl,
///     Shrinker,
///     UnregisteredShrinker, //
/// };
/// use kernel::sync::atomic::{
///     Atomic,
///     Relaxed, //
/// };
///
/// /// A cache of nothing, which counts the objects it would have.
/// struct Cache(Atomic<usize>);
///
/// #[vtable]
/// impl Shrinker for Cache {
///     fn count(&self, _: &ShrinkControl) -> usize {
///         self.0.load(Relaxed)
///     }
///
///     fn scan(&self, control: &ShrinkControl) -> usize {
///         let have = self.0.load(Relaxed);
///         let freed = have.min(control.nr_to_scan());
///         self.0.store(have - freed, Relaxed);
///         freed
///     }
/// }
///
/// let cache = KBox::pin(Cache(Atomic::new(3)), GFP_KERNEL)?;
/// let cache = UnregisteredShrinker::new(c"doctest")?.register(cache);
/// assert!(cache.0.load(Relaxed) <= 3);
/// # Ok::<(), Error>(())
/// ```
///
/// # Invariants
///
/// - `cache` is a pinned `KBox` that belongs to this value.
/// - `shrinker` is registered, belongs to this value and calls `cache`.
pub struct Registration<T: Shrinker> {
    shrinker: NonNull<bindings::shrinker>,
    cache: NonNull<T>,
    _owns: PhantomData<KBox<T>>,
    _registered: Registered,
}

// SAFETY: A shrinker can be freed by any task, and `T` is `Send`.
unsafe impl<T: Shrinker> Send for Registration<T> {}
// SAFETY: Shared references give shared references to `T` only, which is `Sync`.
unsafe impl<T: Shrinker> Sync for Registration<T> {}

impl<T: Shrinker> core::ops::Deref for Registration<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: By the type invariants, and nobody has more than a shared reference to the cache.
        unsafe { self.cache.as_ref() }
    }
}

impl<T: Shrinker> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, we own the shrinker. This waits for running calls.
        unsafe { bindings::shrinker_free(self.shrinker.as_ptr()) };
        // SAFETY: By the type invariants, `cache` is from a pinned `KBox`, and the shrinker that
        // used it is gone.
        drop(unsafe { Pin::new_unchecked(KBox::from_raw(self.cache.as_ptr())) });
    }
}

/// Calls [`Shrinker::count`].
///
/// # Safety
///
/// Called by the kernel as `shrinker::count_objects` of a shrinker of a [`Registration<T>`].
unsafe extern "C" fn count<T: Shrinker>(
    shrinker: *mut bindings::shrinker,
    control: *mut bindings::shrink_control,
) -> c_ulong {
    // SAFETY: The caller's guarantee.
    let (cache, control) = unsafe { arguments::<T>(shrinker, control) };
    match cache.count(control) {
        // CAST: The C constant is an `unsigned long` of which bindgen sees the low half, signed.
        0 => bindings::SHRINK_EMPTY as c_ulong,
        n => n,
    }
}

/// Calls [`Shrinker::scan`].
///
/// # Safety
///
/// Called by the kernel as `shrinker::scan_objects` of a shrinker of a [`Registration<T>`].
unsafe extern "C" fn scan<T: Shrinker>(
    shrinker: *mut bindings::shrinker,
    control: *mut bindings::shrink_control,
) -> c_ulong {
    // SAFETY: The caller's guarantee.
    let (cache, control) = unsafe { arguments::<T>(shrinker, control) };
    cache.scan(control)
}

/// Returns what a call of the kernel is about.
///
/// # Safety
///
/// The arguments are those of a call for a shrinker of a [`Registration<T>`], which lasts for `'a`.
unsafe fn arguments<'a, T: Shrinker>(
    shrinker: *mut bindings::shrinker,
    control: *mut bindings::shrink_control,
) -> (&'a T, &'a ShrinkControl) {
    // SAFETY: By the invariants of `Registration`, `private_data` is a `T`, which exists until
    // `shrinker_free` has waited for the call. `control` is valid during the call.
    unsafe {
        (
            &*(*shrinker).private_data.cast::<T>(),
            ShrinkControl::from_raw(control),
        )
    }
}
