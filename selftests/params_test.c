// SPDX-License-Identifier: GPL-2.0
/* The module parameters that can be changed at run time. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "peer.h"

/* Where they are: C's module has its own name, and safe is built in or not */
static const char * const modules[] = {
	"binder_linux", "binder", "binder_safe",
};

static const struct {
	const char *name;
	const char *value;
} params[] = {
	{ "debug_mask", "7\n" },
	{ "stop_on_user_error", "0\n" },
	/* Another module has it where the C driver is built in. */
	{ "alloc_debug_mask", "1\n" },
};

FIXTURE(params)
{
	int dir;
};

static int open_sysfs(void)
{
	int fs = fsopen("sysfs", FSOPEN_CLOEXEC), dir;

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		die("mount of sysfs: %m");
	dir = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	return dir;
}

/* Returns the directory with the parameters, or -ENOENT. */
static int open_params(void)
{
	int sysfs = open_sysfs(), fd = -ENOENT;
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(modules) && fd < 0; i++) {
		snprintf(path, sizeof(path), "module/%s/parameters",
			 modules[i]);
		fd = binder_open_at(sysfs, path, O_RDONLY | O_DIRECTORY);
		if (fd >= 0 && faccessat(fd, params[0].name, F_OK, 0)) {
			close(fd);
			fd = -ENOENT;
		}
	}
	close(sysfs);
	return fd;
}

/* Returns 0 or -errno. */
static int set(int dir, const char *name, const char *value)
{
	int fd = binder_open_at(dir, name, O_WRONLY);
	int ret;

	if (fd < 0)
		return fd;
	ret = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static const char *get(int dir, const char *name)
{
	int fd = binder_open_at(dir, name, O_RDONLY);
	static char value[32];
	ssize_t len;

	if (fd < 0)
		return error_name(-fd);
	len = read(fd, value, sizeof(value) - 1);
	close(fd);
	value[len < 0 ? 0 : len] = 0;
	return value;
}

FIXTURE_SETUP(params)
{
	binder_setup();
	self->dir = open_params();
	if (self->dir < 0)
		SKIP(return, "this driver has no such parameters");
}

FIXTURE_TEARDOWN(params)
{
	for (size_t i = 0; i < ARRAY_SIZE(params) && self->dir >= 0; i++)
		set(self->dir, params[i].name, params[i].value);
	EXPECT_STREQ("", binder_teardown());
}

/* Item 334. */
TEST_F(params, values)
{
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
		if (i == 2 && !is_binder_safe())
			continue;
		ASSERT_EQ(0, fstatat(self->dir, params[i].name, &st, 0));
		EXPECT_EQ(S_IFREG | 0644, st.st_mode);
		EXPECT_STREQ(params[i].value, get(self->dir, params[i].name));
	}
	ASSERT_EQ(0, set(self->dir, "debug_mask", "0x10\n"));
	EXPECT_STREQ("16\n", get(self->dir, "debug_mask"));
	EXPECT_EQ(-EINVAL, set(self->dir, "debug_mask", "some\n"));
	EXPECT_STREQ("16\n", get(self->dir, "debug_mask"));
}

/* Frees a buffer that does not exist, in the background. */
static void make_error(struct peer *peer)
{
	const __u32 cmd = BC_FREE_BUFFER;
	const __u64 buffer = 8;
	char *commands = arena_alloc(sizeof(cmd) + sizeof(buffer));
	struct binder_write_read *bwr = arena_alloc(sizeof(*bwr));

	memcpy(commands, &cmd, sizeof(cmd));
	memcpy(commands + sizeof(cmd), &buffer, sizeof(buffer));
	bwr->write_buffer = (unsigned long)commands;
	bwr->write_size = sizeof(cmd) + sizeof(buffer);
	peer_ioctl_start(peer, BINDER_WRITE_READ, bwr);
}

/* Item 72: everybody stops where the error is, and goes on when told so. */
TEST_F(params, stop_on_user_error)
{
	struct binder_version *version = arena_alloc(sizeof(*version));
	struct peer *clumsy = peer_open(task_fork());
	struct peer *other = peer_open(task_fork());

	ASSERT_EQ(0, set(self->dir, "stop_on_user_error", "1\n"));
	ASSERT_EQ(0, peer_ioctl(other, BINDER_VERSION, version));
	make_error(clumsy);
	EXPECT_STREQ("2\n", get(self->dir, "stop_on_user_error"));
	peer_ioctl_start(other, BINDER_VERSION, version);
	usleep(200000);
	EXPECT_TRUE(task_blocks_in(other->task, SYS_ioctl));
	ASSERT_EQ(0, set(self->dir, "stop_on_user_error", "0\n"));
	EXPECT_EQ(0, task_finish(other->task));
	EXPECT_EQ(0, task_finish(clumsy->task));
	EXPECT_EQ(BINDER_CURRENT_PROTOCOL_VERSION, version->protocol_version);
}

TEST_HARNESS_MAIN
