/* SPDX-License-Identifier: GPL-2.0 */
/* Reports about transactions, which come by generic netlink. */
#ifndef BINDER_SELFTEST_NETLINK_H
#define BINDER_SELFTEST_NETLINK_H

#include <linux/android/binder_netlink.h>
#include <linux/types.h>
#include <stdbool.h>

/* What the kernel says about the family */
struct family {
	int id;
	int version;
	bool has_ops;
	int nr_groups;
	char group[32];		/* the last group */
	int group_id;
};

/* A report; has and value are indexed by BINDER_A_REPORT_*. */
struct report {
	int type;
	int cmd;
	int version;
	char context[64];
	bool has[BINDER_A_REPORT_MAX + 1];
	__u32 value[BINDER_A_REPORT_MAX + 1];
};

/* Returns 0 or -errno; -ENOENT if there is no such family. */
int family_get(struct family *family);

/* Returns a socket that is in the group, or -errno. */
int reports_open(const struct family *family);
/* Returns whether there was another report. */
bool reports_next(int fd, struct report *report);

#endif
