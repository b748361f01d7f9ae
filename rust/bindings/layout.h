/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How large the C compiler makes the structures that the kernel crate uses,
 * and where it puts the fields. rust/kernel/layout.rs compares this with what
 * bindgen has made of them.
 *
 * Bindgen takes these numbers from the compiler as they are, while it works
 * out the layout of a structure itself.
 */
#ifndef _RUST_BINDINGS_LAYOUT_H
#define _RUST_BINDINGS_LAYOUT_H

#define RUST_SIZE(type) \
	const size_t RUST_SIZE_##type = sizeof(struct type)
#define RUST_FIELD(type, field) \
	const size_t RUST_FIELD_##type##_##field = offsetof(struct type, field)

RUST_SIZE(callback_head);
RUST_FIELD(callback_head, next);
RUST_FIELD(callback_head, func);

RUST_SIZE(constant_table);
RUST_FIELD(constant_table, name);
RUST_FIELD(constant_table, value);

RUST_SIZE(cred);
RUST_FIELD(cred, cap_effective);

RUST_SIZE(dentry);
RUST_FIELD(dentry, d_inode);
RUST_FIELD(dentry, d_sb);

RUST_SIZE(file);
RUST_FIELD(file, f_cred);
RUST_FIELD(file, f_flags);
RUST_FIELD(file, f_inode);
RUST_FIELD(file, f_op);
RUST_FIELD(file, f_ref);
RUST_FIELD(file, private_data);
RUST_FIELD(file, f_path);

RUST_SIZE(file_operations);
RUST_FIELD(file_operations, owner);
RUST_FIELD(file_operations, poll);
RUST_FIELD(file_operations, unlocked_ioctl);
RUST_FIELD(file_operations, compat_ioctl);
RUST_FIELD(file_operations, mmap);
RUST_FIELD(file_operations, open);
RUST_FIELD(file_operations, flush);
RUST_FIELD(file_operations, release);

RUST_SIZE(file_system_type);
RUST_FIELD(file_system_type, name);
RUST_FIELD(file_system_type, fs_flags);
RUST_FIELD(file_system_type, init_fs_context);
RUST_FIELD(file_system_type, parameters);
RUST_FIELD(file_system_type, kill_sb);
RUST_FIELD(file_system_type, owner);

RUST_SIZE(fs_context);
RUST_FIELD(fs_context, ops);
RUST_FIELD(fs_context, fs_type);
RUST_FIELD(fs_context, fs_private);
RUST_FIELD(fs_context, root);
RUST_FIELD(fs_context, log);

RUST_SIZE(fs_context_operations);
RUST_FIELD(fs_context_operations, free);
RUST_FIELD(fs_context_operations, parse_param);
RUST_FIELD(fs_context_operations, get_tree);
RUST_FIELD(fs_context_operations, reconfigure);

RUST_SIZE(fs_parameter_spec);
RUST_FIELD(fs_parameter_spec, name);
RUST_FIELD(fs_parameter_spec, type);
RUST_FIELD(fs_parameter_spec, opt);
RUST_FIELD(fs_parameter_spec, flags);
RUST_FIELD(fs_parameter_spec, data);

RUST_SIZE(genl_family);
RUST_FIELD(genl_family, name);
RUST_FIELD(genl_family, version);
RUST_FIELD(genl_family, n_mcgrps);
RUST_FIELD(genl_family, mcgrps);
RUST_FIELD(genl_family, module);

RUST_SIZE(inode);
RUST_FIELD(inode, i_mode);
RUST_FIELD(inode, i_uid);
RUST_FIELD(inode, i_gid);
RUST_FIELD(inode, i_flags);
RUST_FIELD(inode, i_op);
RUST_FIELD(inode, i_sb);
RUST_FIELD(inode, i_ino);
RUST_FIELD(inode, i_rdev);
RUST_FIELD(inode, i_data);
RUST_FIELD(inode, i_private);

RUST_SIZE(inode_operations);
RUST_FIELD(inode_operations, lookup);
RUST_FIELD(inode_operations, unlink);
RUST_FIELD(inode_operations, rename);

RUST_SIZE(kernel_param);
RUST_FIELD(kernel_param, name);
RUST_FIELD(kernel_param, mod);
RUST_FIELD(kernel_param, ops);
RUST_FIELD(kernel_param, perm);
RUST_FIELD(kernel_param, level);
RUST_FIELD(kernel_param, flags);
RUST_FIELD(kernel_param, arg);

RUST_SIZE(list_head);
RUST_FIELD(list_head, next);
RUST_FIELD(list_head, prev);

RUST_SIZE(miscdevice);
RUST_FIELD(miscdevice, minor);
RUST_FIELD(miscdevice, name);
RUST_FIELD(miscdevice, fops);

RUST_SIZE(p_log);
RUST_FIELD(p_log, prefix);
RUST_FIELD(p_log, log);

RUST_SIZE(path);
RUST_FIELD(path, mnt);
RUST_FIELD(path, dentry);

RUST_SIZE(seq_file);
RUST_FIELD(seq_file, private);

RUST_SIZE(shrink_control);
RUST_FIELD(shrink_control, nid);
RUST_FIELD(shrink_control, nr_to_scan);
RUST_FIELD(shrink_control, nr_scanned);
RUST_FIELD(shrink_control, memcg);

RUST_SIZE(shrinker);
RUST_FIELD(shrinker, count_objects);
RUST_FIELD(shrinker, scan_objects);
RUST_FIELD(shrinker, private_data);

RUST_SIZE(signal_struct);
RUST_FIELD(signal_struct, rlim);

RUST_SIZE(super_block);
RUST_FIELD(super_block, s_blocksize_bits);
RUST_FIELD(super_block, s_blocksize);
RUST_FIELD(super_block, s_op);
RUST_FIELD(super_block, s_iflags);
RUST_FIELD(super_block, s_magic);
RUST_FIELD(super_block, s_root);
RUST_FIELD(super_block, s_fs_info);
RUST_FIELD(super_block, s_time_gran);
RUST_FIELD(super_block, s_user_ns);

RUST_SIZE(super_operations);
RUST_FIELD(super_operations, evict_inode);
RUST_FIELD(super_operations, statfs);
RUST_FIELD(super_operations, show_options);

RUST_SIZE(task_struct);
RUST_FIELD(task_struct, flags);
RUST_FIELD(task_struct, mm);
RUST_FIELD(task_struct, pid);
RUST_FIELD(task_struct, tgid);
RUST_FIELD(task_struct, group_leader);
RUST_FIELD(task_struct, signal);
RUST_FIELD(task_struct, files);

RUST_SIZE(vfsmount);
RUST_FIELD(vfsmount, mnt_root);
RUST_FIELD(vfsmount, mnt_sb);

RUST_SIZE(vm_area_struct);
RUST_FIELD(vm_area_struct, vm_mm);
RUST_FIELD(vm_area_struct, vm_ops);
RUST_FIELD(vm_area_struct, vm_private_data);
RUST_FIELD(vm_area_struct, vm_start);
RUST_FIELD(vm_area_struct, vm_end);
RUST_FIELD(vm_area_struct, vm_flags);

RUST_SIZE(vm_operations_struct);
RUST_FIELD(vm_operations_struct, open);
RUST_FIELD(vm_operations_struct, close);
RUST_FIELD(vm_operations_struct, may_split);
RUST_FIELD(vm_operations_struct, mremap);
RUST_FIELD(vm_operations_struct, fault);

RUST_SIZE(wait_queue_head);
RUST_FIELD(wait_queue_head, lock);
RUST_FIELD(wait_queue_head, head);

RUST_SIZE(work_struct);
RUST_FIELD(work_struct, data);
RUST_FIELD(work_struct, entry);
RUST_FIELD(work_struct, func);

#endif
