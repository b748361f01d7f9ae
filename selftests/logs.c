// SPDX-License-Identifier: GPL-2.0
/* Reading binder_logs and the messages of the driver. */

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "logs.h"

#define LOG_SIZE (1024 * 1024)

struct logged logged_open(void)
{
	struct logged all = {
		.manager = registry_open(),
		.server = peer_open(task_fork()),
		.client = peer_open(NULL),
	};

	if (peer_word(all.server, BC_ENTER_LOOPER))
		die("BC_ENTER_LOOPER failed");
	all.handle = registry_give(all.manager, all.server, all.client, 0x1230,
				   0x4560, 0);
	return all;
}

char *log_text(const char *name)
{
	static char *text;
	char path[64];
	size_t len = 0;
	ssize_t ret;
	int fd;

	if (!text)
		text = arena_alloc(LOG_SIZE);
	snprintf(path, sizeof(path), "binder_logs/%s", name);
	fd = binder_open_at(binder_dir, path, O_RDONLY);
	if (fd < 0)
		die("%s: %s", path, error_name(-fd));
	while ((ret = read(fd, text + len, LOG_SIZE - 1 - len)) > 0)
		len += ret;
	if (ret < 0)
		die("read of %s: %m", path);
	text[len] = 0;
	close(fd);
	return text;
}

char *log_block(const char *name, struct peer *peer)
{
	char *text = log_text(name);
	char head[32], *start, *end;

	snprintf(head, sizeof(head), "\nproc %d\n", task_pid(peer->task));
	start = strstr(text, head);
	if (!start)
		die("%s has no '%s'", name, head + 1);
	end = strstr(start + 1, "\nproc ");
	if (end)
		end[1] = 0;
	return start + 1;
}

int debug_logs_open(void)
{
	int fs = fsopen("debugfs", FSOPEN_CLOEXEC), root, dir;

	if (fs < 0)
		return -errno;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		die("mount of debugfs: %m");
	root = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	dir = binder_open_at(root, "binder", O_RDONLY | O_DIRECTORY);
	close(root);
	return dir;
}

int kmsg_open(void)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (kmsg < 0 || lseek(kmsg, 0, SEEK_END) < 0)
		die("/dev/kmsg: %m");
	return kmsg;
}

int kmsg_count(int kmsg, const char *words)
{
	char line[2048];
	int count = 0;
	ssize_t len;

	/* EPIPE tells that older messages are gone. */
	while ((len = read(kmsg, line, sizeof(line) - 1)) > 0 ||
	       (len < 0 && errno == EPIPE)) {
		line[len < 0 ? 0 : len] = 0;
		count += strstr(line, ";binder") && strstr(line, words);
	}
	return count;
}

bool has_line(const char *text, const char *fmt, ...)
{
	char pattern[512];
	regex_t regex;
	va_list args;
	bool found;

	va_start(args, fmt);
	vsnprintf(pattern, sizeof(pattern), fmt, args);
	va_end(args);
	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB))
		die("bad pattern '%s'", pattern);
	found = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	if (!found)
		fprintf(stderr, "# no line '%s' in:\n%s", pattern, text);
	return found;
}
