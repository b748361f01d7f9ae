// SPDX-License-Identifier: GPL-2.0

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events.h"
#include "task.h"

static char instance[64];

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static const char *read_file(const char *path)
{
	static char *text;
	static size_t room;
	size_t len = 0;
	ssize_t ret;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s: %m", path);
	do {
		if (room - len < 4096) {
			room = room * 2 + 65536;
			text = realloc(text, room);
			if (!text)
				die("out of memory");
		}
		ret = read(fd, text + len, room - len - 1);
		len += ret > 0 ? ret : 0;
	} while (ret > 0);
	close(fd);
	text[len] = 0;
	return text;
}

bool events_open(void)
{
	if (access(EVENTS "/enable", F_OK))
		return false;
	snprintf(instance, sizeof(instance), TRACEFS "/instances/binder-%d",
		 getpid());
	if (mkdir(instance, 0700))
		die("%s: %m", instance);
	return true;
}

void events_close(void)
{
	if (instance[0] && rmdir(instance))
		die("%s: %m", instance);
	instance[0] = 0;
}

static void set(const char *file, const char *text)
{
	char path[160];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", instance, file);
	ret = write_file(path, text);
	if (ret)
		die("%s: %s", path, strerror(-ret));
}

void events_enable_all(const char * const *names)
{
	char path[96];

	set("trace", "");
	for (; *names; names++) {
		snprintf(path, sizeof(path), "events/binder/%s/enable", *names);
		set(path, "1");
	}
}

void events_disable(void)
{
	set("events/binder/enable", "0");
}

int events_filter(const char *name, const char *filter)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/events/binder/%s/filter", instance,
		 name);
	return write_file(path, filter);
}

/* The thread of a line that begins with "comm-tid [cpu]" */
static pid_t thread_of(const char *line, const char *end)
{
	const char *p = memmem(line, end - line, " [", 2);

	while (p && p > line && *p == ' ')
		p--;
	while (p && p > line && isdigit(p[-1]))
		p--;
	return p ? atoi(p) : 0;
}

const char *event(const char *name, pid_t tid, int index)
{
	char path[96], pattern[64];
	const char *line, *end, *at;

	snprintf(path, sizeof(path), "%s/trace", instance);
	snprintf(pattern, sizeof(pattern), ": %s: ", name);
	for (line = read_file(path); *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			break;
		if (*line == '#')
			continue;
		at = memmem(line, end - line, pattern, strlen(pattern));
		if (!at || (tid && thread_of(line, at) != tid) || index--)
			continue;
		*(char *)end = 0;
		return at + strlen(pattern);
	}
	return NULL;
}

int event_count(const char *name, pid_t tid)
{
	int count = 0;

	while (event(name, tid, count))
		count++;
	return count;
}

long long event_field(const char *text, const char *field)
{
	size_t len = strlen(field);
	const char *p = text;

	while (p && (strncmp(p, field, len) || p[len] != '=')) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	if (!p)
		die("no %s in '%s'", field, text ? text : "(no record)");
	return strtoull(p + len + 1, NULL, 0);
}

const char *event_file(const char *name, const char *file)
{
	char path[96];

	snprintf(path, sizeof(path), EVENTS "/%s/%s", name, file);
	return read_file(path);
}
