// SPDX-License-Identifier: GPL-2.0

//! The few functions of QEMU's plugin interface that are the same in all its versions.

use std::ffi::{c_int, c_uint, c_void};

/// Names a plugin.
pub type Id = u64;

/// `struct qemu_plugin_tb`.
#[repr(C)]
pub struct Block {
    _private: [u8; 0],
}

/// `struct qemu_plugin_insn`.
#[repr(C)]
pub struct Instruction {
    _private: [u8; 0],
}

type Translated = extern "C" fn(Id, *mut Block);
type Ran = extern "C" fn(c_uint, *mut c_void);
type Ended = extern "C" fn(Id, *mut c_void);

/// The callback reads no registers: `QEMU_PLUGIN_CB_NO_REGS`.
const NO_REGISTERS: c_int = 0;

/// The interface that we were built for: QEMU before 9.0 knows version 1 alone, later ones take 2.
/// What differs between them is nothing that we use.
#[no_mangle]
#[allow(non_upper_case_globals)]
pub static qemu_plugin_version: c_int = if option_env!("QEMU_PLUGIN_VERSION").is_some() {
    2
} else {
    1
};

extern "C" {
    pub fn qemu_plugin_register_vcpu_tb_trans_cb(id: Id, callback: Translated);
    pub fn qemu_plugin_register_atexit_cb(id: Id, callback: Ended, data: *mut c_void);
    pub fn qemu_plugin_tb_vaddr(block: *const Block) -> u64;
    fn qemu_plugin_register_vcpu_tb_exec_cb(
        block: *mut Block,
        callback: Ran,
        flags: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_tb_n_insns(block: *const Block) -> usize;
    fn qemu_plugin_tb_get_insn(block: *const Block, index: usize) -> *mut Instruction;
    fn qemu_plugin_insn_size(instruction: *const Instruction) -> usize;
    fn qemu_plugin_insn_vaddr(instruction: *const Instruction) -> u64;
}

/// A block's address and its length in bytes and in instructions.
///
/// # Safety
///
/// `block` is one that QEMU has passed to the callback that is running.
pub unsafe fn key(block: *const Block) -> (u64, u64, u64) {
    // SAFETY: The block is valid, so are its instructions, and a block has at least one.
    unsafe {
        let start = qemu_plugin_tb_vaddr(block);
        let number = qemu_plugin_tb_n_insns(block);
        let last = qemu_plugin_tb_get_insn(block, number - 1);
        let end = qemu_plugin_insn_vaddr(last) + qemu_plugin_insn_size(last) as u64;
        (start, end.wrapping_sub(start), number as u64)
    }
}

/// Has `callback` called with `data` each time that the block runs.
///
/// # Safety
///
/// `block` is one that QEMU has passed to the callback that is running; `callback` copes with
/// `data` for ever.
pub unsafe fn on_run(block: *mut Block, callback: Ran, data: *mut c_void) {
    // SAFETY: As this function demands.
    unsafe { qemu_plugin_register_vcpu_tb_exec_cb(block, callback, NO_REGISTERS, data) }
}
