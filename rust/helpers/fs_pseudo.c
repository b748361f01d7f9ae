// SPDX-License-Identifier: GPL-2.0

#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/kmemleak.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/uidgid.h>

__rust_helper struct dentry *rust_helper_dget(struct dentry *dentry)
{
	return dget(dentry);
}

__rust_helper void rust_helper_fsnotify_create(struct inode *dir,
					       struct dentry *dentry)
{
	fsnotify_create(dir, dentry);
}

__rust_helper void rust_helper_fsnotify_mkdir(struct inode *dir,
					      struct dentry *dentry)
{
	fsnotify_mkdir(dir, dentry);
}

__rust_helper void rust_helper_inode_set_fop(struct inode *inode,
					     const struct file_operations *fop)
{
	inode->i_fop = fop;
}

__rust_helper void rust_helper_kmemleak_not_leak(const void *ptr)
{
	kmemleak_not_leak(ptr);
}

__rust_helper struct dentry *rust_helper_start_removing_name(struct dentry *parent,
							     const char *name)
{
	return start_removing_noperm(parent, &QSTR(name));
}

__rust_helper void rust_helper_end_removing(struct dentry *child)
{
	end_removing(child);
}

#ifndef CONFIG_USER_NS
__rust_helper kuid_t rust_helper_make_kuid(struct user_namespace *from, uid_t uid)
{
	return make_kuid(from, uid);
}

__rust_helper kgid_t rust_helper_make_kgid(struct user_namespace *from, gid_t gid)
{
	return make_kgid(from, gid);
}
#endif /* CONFIG_USER_NS */

__rust_helper bool rust_helper_module_is_going(struct module *mod)
{
#ifdef CONFIG_MODULES
	return mod && !module_is_live(mod);
#else
	return false;
#endif
}

/* The lock classes of a file system type that is not a static object. */
__rust_helper void rust_helper_fs_type_register_keys(struct file_system_type *type)
{
	int level;

	lockdep_register_key(&type->s_lock_key);
	lockdep_register_key(&type->s_umount_key);
	lockdep_register_key(&type->s_vfs_rename_key);
	for (level = 0; level < SB_FREEZE_LEVELS; level++)
		lockdep_register_key(&type->s_writers_key[level]);
	lockdep_register_key(&type->i_lock_key);
	lockdep_register_key(&type->i_mutex_key);
	lockdep_register_key(&type->invalidate_lock_key);
	lockdep_register_key(&type->i_mutex_dir_key);
}

__rust_helper void rust_helper_fs_type_unregister_keys(struct file_system_type *type)
{
	int level;

	lockdep_unregister_key(&type->s_lock_key);
	lockdep_unregister_key(&type->s_umount_key);
	lockdep_unregister_key(&type->s_vfs_rename_key);
	for (level = 0; level < SB_FREEZE_LEVELS; level++)
		lockdep_unregister_key(&type->s_writers_key[level]);
	lockdep_unregister_key(&type->i_lock_key);
	lockdep_unregister_key(&type->i_mutex_key);
	lockdep_unregister_key(&type->invalidate_lock_key);
	lockdep_unregister_key(&type->i_mutex_dir_key);
}
