// SPDX-License-Identifier: GPL-2.0

#include <linux/instrumented.h>
#include <linux/uaccess.h>
#include <linux/ucopysize.h>

#define get_word(type, to, from, label) \
	unsafe_get_user(*(type *)(to), (const type __user *)(from), label)
#define put_word(type, to, from, label) \
	unsafe_put_user(*(const type *)(from), (type __user *)(to), label)

/* Four words a turn: most of what is copied has six to nine. */
__rust_helper bool rust_helper_get_user_words(void *to, const void __user *from, size_t len)
{
	size_t at;

	might_fault();
	instrument_copy_from_user_before(to, from, len);
	scoped_user_read_access_size(from, len, failed) {
		for (at = 0; at + 32 <= len; at += 32) {
			get_word(u64, to + at, from + at, failed);
			get_word(u64, to + at + 8, from + at + 8, failed);
			get_word(u64, to + at + 16, from + at + 16, failed);
			get_word(u64, to + at + 24, from + at + 24, failed);
		}
		for (; at + 8 <= len; at += 8)
			get_word(u64, to + at, from + at, failed);
		if (at < len)
			get_word(u32, to + at, from + at, failed);
	}
	instrument_copy_from_user_after(to, from, len, 0);
	return true;
failed:
	return false;
}

__rust_helper bool rust_helper_put_user_words(void __user *to, const void *from, size_t len)
{
	size_t at;

	might_fault();
	instrument_copy_to_user(to, from, len);
	scoped_user_write_access_size(to, len, failed) {
		for (at = 0; at + 32 <= len; at += 32) {
			put_word(u64, to + at, from + at, failed);
			put_word(u64, to + at + 8, from + at + 8, failed);
			put_word(u64, to + at + 16, from + at + 16, failed);
			put_word(u64, to + at + 24, from + at + 24, failed);
		}
		for (; at + 8 <= len; at += 8)
			put_word(u64, to + at, from + at, failed);
		if (at < len)
			put_word(u32, to + at, from + at, failed);
	}
	return true;
failed:
	return false;
}

__rust_helper void rust_helper_check_object_size(const void *ptr, unsigned long n, bool to_user)
{
	check_object_size(ptr, n, to_user);
}
