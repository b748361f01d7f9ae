// SPDX-License-Identifier: GPL-2.0

#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>

__rust_helper bool rust_helper_current_in_init_ipc_ns(void)
{
#ifdef CONFIG_IPC_NS
	return current->nsproxy && current->nsproxy->ipc_ns == &init_ipc_ns;
#else
	return true;
#endif
}
