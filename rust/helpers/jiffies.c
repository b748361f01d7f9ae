// SPDX-License-Identifier: GPL-2.0

#include <linux/jiffies.h>
#include <linux/timex.h>

#if BITS_PER_LONG == 64
__rust_helper u64 rust_helper_get_jiffies_64(void)
{
	return get_jiffies_64();
}
#endif

__rust_helper cycles_t rust_helper_get_cycles(void)
{
	return get_cycles();
}
