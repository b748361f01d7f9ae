/* SPDX-License-Identifier: GPL-2.0 */
/* Reading binder_logs and the messages of the driver. */

#ifndef BINDER_SELFTEST_LOGS_H
#define BINDER_SELFTEST_LOGS_H

#include "object.h"

/* Whom the logs are to show */
struct logged {
	struct peer *manager;
	struct peer *server;	/* in a process of its own, a looper */
	struct peer *client;
	__u32 handle;		/* the client's, of the object of the server */
};

struct logged logged_open(void);

/* The text of a log of this test's instance; the next call reuses it */
char *log_text(const char *name);

/* The block of one process in a log, cut out of the text */
char *log_block(const char *name, struct peer *peer);

/* Returns the directory "binder" of debugfs, or -errno. */
int debug_logs_open(void);

/* The kernel log from now on */
int kmsg_open(void);
/* How many messages of the driver since the last look have the words */
int kmsg_count(int kmsg, const char *words);

/* Whether a line matches an extended regular expression, printf-like */
bool __printf(2, 3) has_line(const char *text, const char *fmt, ...);

#endif
