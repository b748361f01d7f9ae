// SPDX-License-Identifier: GPL-2.0

//! The registration of a file system type, and the contexts of mount calls.

use super::{
    super_block,
    FileSystem,
    Flags,
    NewSuperBlock,
    SuperBlock, //
};
use crate::{
    bindings,
    error::{
        from_result,
        to_result, //
    },
    fs::param::{
        MountLog,
        ParamTable, //
    },
    module::{
        this_module,
        Registered, //
    },
    prelude::*,
    static_lock_class,
    sync::{
        Arc,
        LockClassKey,
        Mutex, //
    },
    types::Opaque, //
};
use core::mem::ManuallyDrop;

/// A file system type, with what it needs when it is mounted.
#[repr(C)]
#[pin_data]
struct Type<T: FileSystem> {
    #[pin]
    raw: Opaque<bindings::file_system_type>,
    params: ParamTable<T::Options>,
    /// What every mount gets, until the registration ends.
    #[pin]
    context: Mutex<Option<Arc<T::Context>>>,
}

// SAFETY: The C structure is used by the VFS on all threads, the other fields are `Send`.
unsafe impl<T: FileSystem> Send for Type<T> {}
// SAFETY: As above; the context is behind a lock and `Send + Sync`.
unsafe impl<T: FileSystem> Sync for Type<T> {}

/// The registration of a [`FileSystem`], which makes its name known to `mount(2)`.
///
/// Mounts keep the module loaded, so an unload cannot meet any. Should the registration end in
/// another way while the file system is mounted (for example because a later step of the module's
/// initialisation fails), the mounts stay usable but no new ones can be made, and the small C
/// structure that the VFS may still look at is never freed. Register last, when all else has
/// succeeded.
///
/// # Invariants
///
/// `ty` is registered with the VFS, and its lock classes with lockdep.
pub struct Registration<T: FileSystem> {
    ty: ManuallyDrop<Pin<KBox<Type<T>>>>,
    _registered: Registered,
}

impl<T: FileSystem> Registration<T> {
    /// Registers the file system. May sleep.
    ///
    /// Every mount gets a reference to `context`. `EBUSY` if the name is taken by another file
    /// system, `EINVAL` if it is not a possible name.
    pub fn new(context: T::Context) -> Result<Self> {
        if T::NAME.to_bytes().is_empty() || T::NAME.to_bytes().contains(&b'.') {
            return Err(EINVAL);
        }

        let context = Arc::new(context, GFP_KERNEL)?;
        let params = ParamTable::new(T::PARAMS)?;
        let (name, key) = context_lock_class();
        let ty = KBox::pin_init(
            pin_init!(Type::<T> {
                raw: Opaque::new(Self::raw(&params)),
                params,
                context <- Mutex::new(Some(context), name, key),
            }),
            GFP_KERNEL,
        )?;

        // SAFETY: The structure is filled in and stays where it is until it is unregistered.
        unsafe { register(ty.raw.get()) }?;
        // INVARIANT: `register` has succeeded.
        Ok(Self {
            ty: ManuallyDrop::new(ty),
            _registered: Registered::new::<T::OwnerModule>(),
        })
    }

    #[cfg(CONFIG_RUST_FS_PSEUDO_KUNIT_TEST)]
    pub(super) fn as_raw(&self) -> *mut bindings::file_system_type {
        self.ty.raw.get()
    }

    fn raw(params: &ParamTable<T::Options>) -> bindings::file_system_type {
        bindings::file_system_type {
            name: T::NAME.as_char_ptr(),
            fs_flags: if T::FLAGS.contains(Flags::USERNS_MOUNT) {
                bindings::FS_USERNS_MOUNT as c_int
            } else {
                0
            },
            init_fs_context: Some(MountCall::<T>::init),
            parameters: params.as_raw(),
            kill_sb: Some(super_block::kill),
            owner: this_module::<T::OwnerModule>().as_ptr(),
            ..pin_init::zeroed()
        }
    }
}

impl<T: FileSystem> Drop for Registration<T> {
    fn drop(&mut self) {
        let raw = self.ty.raw.get();

        // SAFETY: By the type invariants.
        let unused = unsafe { unregister(raw) };
        let context = self.ty.context.lock().take();
        drop(context);

        if unused {
            // SAFETY: By the type invariants, and the VFS does not know the structure any more.
            unsafe { bindings::fs_type_unregister_keys(raw) };
            // SAFETY: It is not used after this.
            unsafe { ManuallyDrop::drop(&mut self.ty) };
        } else {
            // SAFETY: The structure is valid, and is left alone from now on.
            unsafe { bindings::kmemleak_not_leak(raw.cast()) };
        }
    }
}

/// Returns the name and the class of the lock around the context.
///
/// Lockdep wants the two to be the same for all registrations. In a generic function the key would
/// be that of the kernel, but the name a copy in each module.
#[inline(never)]
fn context_lock_class() -> (&'static CStr, Pin<&'static LockClassKey>) {
    (c"pseudo::Type::context", static_lock_class!())
}

/// # Safety
///
/// `raw` must be a valid file system type that stays where it is until it is unregistered.
#[inline(never)]
unsafe fn register(raw: *mut bindings::file_system_type) -> Result {
    // SAFETY: The caller's guarantee.
    unsafe { bindings::fs_type_register_keys(raw) };
    // SAFETY: The caller's guarantee.
    to_result(unsafe { bindings::register_filesystem(raw) }).inspect_err(|_| {
        // SAFETY: They were registered above, and no lock of the type exists.
        unsafe { bindings::fs_type_unregister_keys(raw) }
    })
}

/// Takes the type from the VFS, and tells whether nobody can refer to it any more.
///
/// A mount, a file system context and a mount call that has just looked the name up each hold a
/// reference to the owning module. In its exit there are none. Elsewhere nothing can be said.
///
/// # Safety
///
/// `raw` must be registered.
#[inline(never)]
unsafe fn unregister(raw: *mut bindings::file_system_type) -> bool {
    // SAFETY: The caller's guarantee.
    unsafe { bindings::unregister_filesystem(raw) };
    // SAFETY: The owner is null or the module whose code is running.
    unsafe { bindings::module_is_going((*raw).owner) }
}

/// A call of `mount(2)`, or a file descriptor of `fsopen(2)`: `fs_private` of a file system
/// context.
struct MountCall<T: FileSystem> {
    context: Arc<T::Context>,
    options: T::Options,
}

impl<T: FileSystem> MountCall<T> {
    /// # Safety
    ///
    /// `fc` must be a context that [`Self::init`] has set up, and nobody else may use it during
    /// `'a`.
    unsafe fn of<'a>(fc: *mut bindings::fs_context) -> &'a mut Self {
        // SAFETY: `init` has stored a pointer to this type.
        unsafe { &mut *(*fc).fs_private.cast() }
    }

    /// # Safety
    ///
    /// `fc` must be a new context for the type of a registration of `T`.
    unsafe extern "C" fn init(fc: *mut bindings::fs_context) -> c_int {
        from_result(|| {
            // SAFETY: The caller's guarantee; `Type` starts with the C structure.
            let ty = unsafe { &*(*fc).fs_type.cast::<Type<T>>() };
            let context = ty.context.lock().clone().ok_or(ENODEV)?;
            let call = KBox::new(
                Self {
                    context,
                    options: T::Options::default(),
                },
                GFP_KERNEL,
            )?;

            // SAFETY: The caller's guarantee.
            unsafe {
                (*fc).fs_private = KBox::into_raw(call).cast();
                (*fc).ops = &Self::OPERATIONS;
            }
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// `fc` must be a context that [`Self::init`] has set up and that is being freed.
    unsafe extern "C" fn free(fc: *mut bindings::fs_context) {
        // SAFETY: `init` has stored the box, and this is the last use of the context.
        drop(unsafe { KBox::from_raw((*fc).fs_private.cast::<Self>()) });
    }

    /// # Safety
    ///
    /// As for [`Self::of`]; `param` must be a parameter that the VFS has filled in.
    unsafe extern "C" fn parse_param(
        fc: *mut bindings::fs_context,
        param: *mut bindings::fs_parameter,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The caller's guarantee; the type is that of a registration of `T`.
            let (call, ty) = unsafe { (Self::of(fc), &*(*fc).fs_type.cast::<Type<T>>()) };

            // SAFETY: The caller's guarantee.
            unsafe {
                ty.params
                    .parse(&mut call.options, &raw mut (*fc).log, param)
            }?;
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// As for [`Self::of`].
    unsafe extern "C" fn get_tree(fc: *mut bindings::fs_context) -> c_int {
        // SAFETY: The caller's guarantee.
        unsafe { bindings::get_tree_nodev(fc, Some(Self::fill_super)) }
    }

    /// # Safety
    ///
    /// As for [`Self::of`]; `sb` must be a new super block made for `fc`.
    unsafe extern "C" fn fill_super(
        sb: *mut bindings::super_block,
        fc: *mut bindings::fs_context,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The caller's guarantee.
            let call = unsafe { Self::of(fc) };
            // SAFETY: The caller's guarantee; only `init` of a registration of `T` leads here.
            unsafe { NewSuperBlock::<T>::fill(sb, &call.context, &call.options) }?;
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// As for [`Self::of`]; `fc` must be for a super block that is to be changed.
    unsafe extern "C" fn reconfigure(fc: *mut bindings::fs_context) -> c_int {
        from_result(|| {
            // SAFETY: The caller's guarantee; the context keeps the super block active.
            let (call, sb) = unsafe { (Self::of(fc), SuperBlock::from_raw((*(*fc).root).d_sb)) };
            // SAFETY: The log is that of the context.
            let log = unsafe { MountLog::from_raw(&raw mut (*fc).log) };

            T::reconfigure(sb, &call.options, &log).map(|()| 0)
        })
    }

    const OPERATIONS: bindings::fs_context_operations = bindings::fs_context_operations {
        free: Some(Self::free),
        parse_param: Some(Self::parse_param),
        get_tree: Some(Self::get_tree),
        reconfigure: if T::HAS_RECONFIGURE {
            Some(Self::reconfigure)
        } else {
            None
        },
        ..pin_init::zeroed()
    };
}
