// SPDX-License-Identifier: GPL-2.0

//! The VMA side of an area: who owns a VMA, and what happens when it is copied, closed or touched.

use super::inner::Inner;
use crate::{
    bindings,
    mm::virt::{
        VmaNew,
        VmaRef, //
    },
    prelude::*,
    sync::{
        Arc,
        ArcBorrow, //
    },
    types::CStatic, //
};
use core::ptr;

/// The operations of each VMA that maps an area.
///
/// This is one `static`, not a constant: its address is what says that a VMA is ours.
///
/// Invariant of a VMA whose `vm_ops` points here: its `vm_private_data` owns one reference of an
/// `Arc<Inner>`. Only [`install`] makes such a VMA. The kernel copies both fields together when it
/// splits or moves a VMA and then calls `open` for the copy; it calls `close` once for each VMA.
static VM_OPS: CStatic<bindings::vm_operations_struct> =
    CStatic::new(bindings::vm_operations_struct {
        open: Some(open),
        close: Some(close),
        fault: Some(fault),
        ..pin_init::zeroed()
    });

/// Returns whether something already owns the operations or the private data of `vma`.
pub(super) fn has_owner(vma: &VmaNew) -> bool {
    // SAFETY: By the type invariants of `VmaNew`, the VMA is being set up, so that the field does
    // not change meanwhile.
    unsafe { !(*vma.as_ptr()).vm_private_data.is_null() }
}

/// Makes `inner` the owner of `vma`. Fails with [`EPERM`] if the VMA is writable.
pub(super) fn install(vma: &VmaNew, inner: Arc<Inner>) -> Result {
    vma.try_clear_maywrite().or(Err(EPERM))?;
    vma.set_dontcopy();
    vma.set_mixedmap();
    // SAFETY: By the type invariants of `VmaNew`, the VMA is being set up, so that nobody else
    // looks at these fields. The reference that `inner` is moves into the VMA, as `VM_OPS` demands.
    unsafe {
        (*vma.as_ptr()).vm_private_data = Arc::into_raw(inner).cast_mut().cast();
        (*vma.as_ptr()).vm_ops = VM_OPS.as_ptr();
    }
    Ok(())
}

/// Returns whether `vma` maps the area `inner`.
///
/// A VMA that was looked up by address may be any VMA, since the owner may have unmapped the area
/// and mapped something else there. Hence the identity is checked.
pub(super) fn maps(vma: &VmaRef, inner: &Inner) -> bool {
    // SAFETY: By the type invariants of `VmaRef`, we hold the mmap or VMA read lock, under which
    // these fields do not change.
    let (ops, data) = unsafe { ((*vma.as_ptr()).vm_ops, (*vma.as_ptr()).vm_private_data) };
    ptr::eq(ops, VM_OPS.as_ptr()) && ptr::eq(data.cast_const().cast(), inner)
}

/// A VMA of the area was copied.
///
/// # Safety
///
/// Called by the kernel as `vm_operations_struct::open`, with a VMA that has [`VM_OPS`].
unsafe extern "C" fn open(vma: *mut bindings::vm_area_struct) {
    // SAFETY: The VMA this one was copied from owns a reference to the `Inner` and exists still.
    let inner = unsafe { ArcBorrow::<Inner>::from_raw((*vma).vm_private_data.cast()) };
    // The copy has the same pointer, and owns it from here on.
    let _ = Arc::into_raw(Arc::from(inner));
}

/// A VMA of the area goes away: the whole mapping, a part of it, or what it was before a move.
///
/// # Safety
///
/// Called by the kernel as `vm_operations_struct::close`, with a VMA that has [`VM_OPS`].
unsafe extern "C" fn close(vma: *mut bindings::vm_area_struct) {
    // SAFETY: The VMA owns a reference to the `Inner`, and it is not used after this call.
    let inner = unsafe { Arc::<Inner>::from_raw((*vma).vm_private_data.cast()) };
    inner.close();
}

/// The owner touched a page that is not mapped.
///
/// Pages are mapped when the kernel fills them, so there is nothing to see here.
///
/// # Safety
///
/// None; it is unsafe only because the field `vm_operations_struct::fault` demands it.
unsafe extern "C" fn fault(_vmf: *mut bindings::vm_fault) -> bindings::vm_fault_t {
    bindings::vm_fault_reason_VM_FAULT_SIGBUS
}
