// SPDX-License-Identifier: GPL-2.0

#include <linux/sched.h>

__rust_helper void rust_helper___set_current_state(unsigned int state)
{
	__set_current_state(state);
}
