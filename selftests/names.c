// SPDX-License-Identifier: GPL-2.0

#include <stdio.h>

#include "peer.h"

#define NAME(cmd) { BR_##cmd, #cmd }

static const struct {
	__u32 cmd;
	const char *name;
} names[] = {
	NAME(ERROR),
	NAME(OK),
	NAME(TRANSACTION_SEC_CTX),
	NAME(TRANSACTION),
	NAME(REPLY),
	NAME(ACQUIRE_RESULT),
	NAME(DEAD_REPLY),
	NAME(TRANSACTION_COMPLETE),
	NAME(INCREFS),
	NAME(ACQUIRE),
	NAME(RELEASE),
	NAME(DECREFS),
	NAME(ATTEMPT_ACQUIRE),
	NAME(NOOP),
	NAME(SPAWN_LOOPER),
	NAME(FINISHED),
	NAME(DEAD_BINDER),
	NAME(CLEAR_DEATH_NOTIFICATION_DONE),
	NAME(FAILED_REPLY),
	NAME(FROZEN_REPLY),
	NAME(ONEWAY_SPAM_SUSPECT),
	NAME(TRANSACTION_PENDING_FROZEN),
	NAME(FROZEN_BINDER),
	NAME(CLEAR_FREEZE_NOTIFICATION_DONE),
};

const char *cmd_name(__u32 cmd)
{
	static char unknown[32];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].cmd == cmd)
			return names[i].name;
	snprintf(unknown, sizeof(unknown), "UNKNOWN_%#x", cmd);
	return unknown;
}

/* error is positive; 0 has the name "0". */
const char *error_name(int error)
{
	static char unknown[32];
	const char *name = error ? strerrorname_np(error) : NULL;

	if (name)
		return name;
	snprintf(unknown, sizeof(unknown), "%d", error);
	return unknown;
}
