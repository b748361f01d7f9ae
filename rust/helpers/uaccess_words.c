// SPDX-License-Identifier: GPL-2.0

#include <linux/uaccess.h>

__rust_helper bool rust_helper_get_user_words(void *to, const void __user *from, size_t len)
{
	size_t at;

	might_fault();
	scoped_user_read_access_size(from, len, failed) {
		for (at = 0; at + sizeof(u64) <= len; at += sizeof(u64))
			unsafe_get_user(*(u64 *)(to + at), (const u64 __user *)(from + at), failed);
		if (at < len)
			unsafe_get_user(*(u32 *)(to + at), (const u32 __user *)(from + at), failed);
	}
	return true;
failed:
	return false;
}

__rust_helper bool rust_helper_put_user_words(void __user *to, const void *from, size_t len)
{
	size_t at;

	might_fault();
	scoped_user_write_access_size(to, len, failed) {
		for (at = 0; at + sizeof(u64) <= len; at += sizeof(u64))
			unsafe_put_user(*(u64 *)(from + at), (u64 __user *)(to + at), failed);
		if (at < len)
			unsafe_put_user(*(u32 *)(from + at), (u32 __user *)(to + at), failed);
	}
	return true;
failed:
	return false;
}
