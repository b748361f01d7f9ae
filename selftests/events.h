/* SPDX-License-Identifier: GPL-2.0 */
/* Trace events: a trace instance of the test's own, and what is in it. */
#ifndef BINDER_SELFTEST_EVENTS_H
#define BINDER_SELFTEST_EVENTS_H

#include <stdbool.h>
#include <sys/types.h>

#define TRACEFS "/sys/kernel/tracing"
#define EVENTS TRACEFS "/events/binder"

/* Returns whether this kernel has trace events of Binder. */
bool events_open(void);
void events_close(void);

/* Takes names. Only what comes from now on is seen. */
#define events_enable(...) \
	events_enable_all((const char * const []){ __VA_ARGS__, NULL })
void events_enable_all(const char * const *names);
void events_disable(void);
/* Returns 0 or -errno. */
int events_filter(const char *name, const char *filter);

/*
 * The index-th record of an event by a thread, or by any if tid is 0: the text
 * behind the event's name, or NULL. Valid until the next call.
 */
const char *event(const char *name, pid_t tid, int index);
int event_count(const char *name, pid_t tid);
/* The number behind "field=" in such a text; ends the test if there is none. */
long long event_field(const char *text, const char *field);

/* The text of a file below events/binder; valid until the next call */
const char *event_file(const char *name, const char *file);

#endif
