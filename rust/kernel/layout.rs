// SPDX-License-Identifier: GPL-2.0

//! Whether bindgen has understood the structures that this crate uses.
//!
//! If it has not, all that is written in terms of them is wrong, and the machine breaks in a way
//! that points anywhere but here. Therefore the build stops instead. The numbers of the compiler
//! are in [`rust/bindings/layout.h`](srctree/rust/bindings/layout.h).

use crate::bindings;

/// For each structure the fields, with the path to them where the structure has unnamed parts or
/// where the name is a word of Rust.
macro_rules! check {
    ($($structure:ident { $($field:ident $(= $($path:ident).+)?),+ $(,)? })+) => {
        $(
            check!(@size $structure);
            $(check!(@field $structure $field $($($path).+)?);)+
        )+
    };
    (@size $structure:ident) => {
        ::kernel::macros::paste! {
            const _: () = assert!(
                size_of::<bindings::$structure>() == bindings::[<RUST_SIZE_ $structure>],
                concat!(
                    "bindgen is wrong about the size of struct ",
                    stringify!($structure)
                )
            );
        }
    };
    (@field $structure:ident $field:ident) => {
        check!(@field $structure $field $field);
    };
    (@field $structure:ident $field:ident $($path:ident).+) => {
        ::kernel::macros::paste! {
            const _: () = assert!(
                core::mem::offset_of!(bindings::$structure, $($path).+)
                    == bindings::[<RUST_FIELD_ $structure _ $field>],
                concat!(
                    "bindgen is wrong about where field ",
                    stringify!($field),
                    " of struct ",
                    stringify!($structure),
                    " is"
                )
            );
        }
    };
}

check! {
    callback_head { next, func }
    constant_table { name, value }
    cred { cap_effective }
    dentry { d_inode, d_sb }
    file { f_cred, f_flags, f_inode, f_op, f_ref, private_data, f_path = __bindgen_anon_1.f_path }
    file_operations { owner, poll, unlocked_ioctl, compat_ioctl, mmap, open, flush, release }
    file_system_type { name, fs_flags, init_fs_context, parameters, kill_sb, owner }
    fs_context { ops, fs_type, fs_private, root, log }
    fs_context_operations { free, parse_param, get_tree, reconfigure }
    fs_parameter_spec { name, type = type_, opt, flags, data }
    genl_family { name, version, n_mcgrps, mcgrps, module }
    inode {
        i_mode, i_uid, i_gid, i_flags, i_op, i_sb, i_ino, i_rdev, i_data, i_private,
    }
    inode_operations { lookup, unlink, rename }
    kernel_param { name, mod = mod_, ops, perm, level, flags, arg = __bindgen_anon_1.arg }
    list_head { next, prev }
    miscdevice { minor, name, fops }
    p_log { prefix, log }
    path { mnt, dentry }
    seq_file { private }
    shrink_control { nid, nr_to_scan, nr_scanned, memcg }
    shrinker { count_objects, scan_objects, private_data }
    signal_struct { rlim }
    super_block {
        s_blocksize_bits, s_blocksize, s_op, s_iflags, s_magic, s_root, s_fs_info, s_time_gran,
        s_user_ns,
    }
    super_operations { evict_inode, statfs, show_options }
    task_struct { flags, mm, pid, tgid, group_leader, signal, files }
    vfsmount { mnt_root, mnt_sb }
    vm_area_struct {
        vm_mm, vm_ops, vm_private_data, vm_start = __bindgen_anon_1.__bindgen_anon_1.vm_start,
        vm_end = __bindgen_anon_1.__bindgen_anon_1.vm_end, vm_flags = __bindgen_anon_2.vm_flags,
    }
    vm_operations_struct { open, close, may_split, mremap, fault }
    wait_queue_head { lock, head }
    work_struct { data, entry, func }
}
