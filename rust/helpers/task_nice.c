// SPDX-License-Identifier: GPL-2.0

#include <linux/sched.h>
#include <linux/sched/prio.h>
#include <linux/sched/signal.h>

__rust_helper unsigned long rust_helper_rlimit(unsigned int limit)
{
	return rlimit(limit);
}

__rust_helper long rust_helper_rlimit_to_nice(long prio)
{
	return rlimit_to_nice(prio);
}

__rust_helper int rust_helper_task_nice(const struct task_struct *p)
{
	return task_nice(p);
}
