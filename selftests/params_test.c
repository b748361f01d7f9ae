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
#include "logs.h"

/* Where they are if the driver is a module, and if it is built in */
static const char * const modules[] = { "binder_linux", "binder" };

static const struct {
	const char *name;
	const char *value;
} params[] = {
	{ "debug_mask", "7\n" },
	{ "stop_on_user_error", "0\n" },
	/* Another module has it where the C driver is built in. */
	{ "alloc_debug_mask", "1\n" },
};

FIXTURE(driver)
{
};

FIXTURE_SETUP(driver)
{
	binder_setup();
}

FIXTURE_TEARDOWN(driver)
{
	EXPECT_STREQ("", binder_teardown());
}

/* What all tests go by is what the environment says, if it does. */
TEST_F(driver, is_found_out)
{
	if (!getenv("BINDER_DRIVER"))
		SKIP(return, "BINDER_DRIVER does not name the driver");
	EXPECT_EQ(is_binder_safe(), takes_mode());
}

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
		EXPECT_STREQ(params[i].value,
			     binder_file(self->dir, params[i].name));
	}
	ASSERT_EQ(0, set(self->dir, "debug_mask", "0x10\n"));
	EXPECT_STREQ("16\n", binder_file(self->dir, "debug_mask"));
	EXPECT_EQ(-EINVAL, set(self->dir, "debug_mask", "some\n"));
	EXPECT_STREQ("16\n", binder_file(self->dir, "debug_mask"));
}

/* Item 334: the names are those of a new mount, whoever set them. */
TEST_F(params, devices)
{
	int mount = binder_mount(NULL, NULL), count = 0;
	char *names, *name;
	struct stat st;

	ASSERT_LE(0, mount);
	ASSERT_EQ(0, fstatat(self->dir, "devices", &st, 0));
	EXPECT_EQ(S_IFREG | 0444, st.st_mode);
	EXPECT_GT(0, set(self->dir, "devices", "other\n"));
	names = strdup(binder_file(self->dir, "devices"));
	ASSERT_NE(NULL, strchr(names, '\n'));
	for (name = strtok(names, ",\n"); name; name = strtok(NULL, ",\n")) {
		EXPECT_EQ(0, fstatat(mount, name, &st, 0)) {
			TH_LOG("%s: %m", name);
		}
		EXPECT_EQ(S_IFCHR | 0600, st.st_mode);
		count++;
	}
	EXPECT_EQ(3, count);
	free(names);
	close(mount);
}

/*
 * Item 334. BETTER: by both names, whatever looks for Binder finds it; a module
 * has one.
 */
TEST_F(params, by_each_name)
{
	int sysfs, names;
	char *devices;
	struct stat st;

	if (!is_binder_safe())
		SKIP(return, "BETTER: C has one name, binder");
	sysfs = open_sysfs();
	names = binder_open_at(sysfs, "module/binder_linux/parameters",
			       O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, names);
	devices = strdup(binder_file(names, "devices"));
	EXPECT_STREQ(devices, binder_file(self->dir, "devices"));
	if (fstatat(sysfs, "module/binder_linux/initstate", &st, 0)) {
		EXPECT_STREQ(devices, binder_file(sysfs,
						  "module/binder/parameters/devices"));
		ASSERT_EQ(0, set(names, "debug_mask", "3\n"));
		EXPECT_STREQ("3\n", binder_file(sysfs,
						"module/binder/parameters/debug_mask"));
	}
	free(devices);
	close(names);
	close(sysfs);
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
	EXPECT_STREQ("2\n", binder_file(self->dir, "stop_on_user_error"));
	peer_ioctl_start(other, BINDER_VERSION, version);
	usleep(200000);
	EXPECT_TRUE(task_blocks_in(other->task, SYS_ioctl));
	ASSERT_EQ(0, set(self->dir, "stop_on_user_error", "0\n"));
	EXPECT_EQ(0, task_finish(other->task));
	EXPECT_EQ(0, task_finish(clumsy->task));
	EXPECT_EQ(BINDER_CURRENT_PROTOCOL_VERSION, version->protocol_version);
}

/* A manager with a client, and what both may do to have messages printed */
struct actors {
	struct peer *server;
	struct peer *client;
};

static void free_nothing(struct actors *actors)
{
	peer_free(actors->client, 8);
}

static void call_nobody(struct actors *actors)
{
	peer_send(actors->client, BC_TRANSACTION, MSG(.handle = 77));
	peer_read(actors->client);
}

static void replace_server(struct actors *actors)
{
	struct task *task = actors->server->task;

	peer_close(actors->server);
	actors->server = peer_manager(task);
}

static void leave_unread(struct actors *actors)
{
	peer_send(actors->client, BC_TRANSACTION, MSG(.flags = TF_ONE_WAY));
	peer_read(actors->client);
	replace_server(actors);
}

static void reopen(struct actors *actors)
{
	peer_close(actors->client);
	actors->client = peer_open(NULL);
}

static void lose_node(struct actors *actors)
{
	put_u32(actors->client, BC_ACQUIRE, 0);
	peer_write(actors->client);
	replace_server(actors);
	put_u32(actors->client, BC_RELEASE, 0);
	peer_write(actors->client);
}

static void ask_for_news(struct actors *actors)
{
	struct peer *client = actors->client;

	put_u32(client, BC_ACQUIRE, 0);
	put_handle_cookie(client, BC_REQUEST_DEATH_NOTIFICATION, 0, 5);
	put_handle_cookie(client, BC_CLEAR_DEATH_NOTIFICATION, 0, 5);
	put_u32(client, BC_RELEASE, 0);
	peer_write_read(client);
}

static void loop(struct actors *actors)
{
	peer_word(actors->client, BC_ENTER_LOOPER);
	peer_word(actors->client, BC_EXIT_LOOPER);
}

/* What a bit of debug_mask shows; the words of C where it gives no pid */
static const struct {
	const char *mask;
	void (*act)(struct actors *actors);
	const char *words_of_c;
} kinds[] = {
	{ "0x1\n", free_nothing },
	{ "0x2\n", call_nobody },
	{ "0x4\n", leave_unread, "undelivered transaction" },
	{ "0x8\n", reopen },
	{ "0x10\n", lose_node, "now dead" },
	{ "0x20\n", ask_for_news },
	{ "0x100\n", loop },
};

/* Whether acting has a message printed, which may be throttled at first */
static bool prints(int kmsg, size_t i, struct actors *actors)
{
	long end = now_ms() + 30000;
	char words[64];

	do {
		snprintf(words, sizeof(words), "%d:%d", getpid(), getpid());
		if (kinds[i].words_of_c)
			snprintf(words, sizeof(words), "%d:",
				 task_pid(actors->server->task));
		if (kinds[i].words_of_c && !is_binder_safe())
			snprintf(words, sizeof(words), "%s",
				 kinds[i].words_of_c);
		kinds[i].act(actors);
		/* The release of a file is told of later. */
		for (long soon = now_ms() + 500; now_ms() < soon; nap())
			if (kmsg_count(kmsg, words))
				return true;
	} while (now_ms() < end);
	return false;
}

/* Item 334: each bit that has messages, and none without. */
TEST_F(params, debug_mask)
{
	int kmsg = kmsg_open();
	struct actors actors;

	ASSERT_EQ(0, set(self->dir, "debug_mask", "0\n"));
	actors.server = peer_manager(task_fork());
	actors.client = peer_open(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		ASSERT_EQ(0, set(self->dir, "debug_mask", kinds[i].mask));
		EXPECT_TRUE(prints(kmsg, i, &actors)) {
			TH_LOG("nothing for %s", kinds[i].mask);
		}
		ASSERT_EQ(0, set(self->dir, "debug_mask", "0\n"));
		kmsg_count(kmsg, "");
		kinds[i].act(&actors);
		EXPECT_EQ(0, kmsg_count(kmsg, ":")) {
			TH_LOG("something after %s", kinds[i].mask);
		}
	}
	close(kmsg);
}

/* Item 339: whoever makes a thousand errors gets a few lines. */
TEST_F(params, messages_are_throttled)
{
	int kmsg = kmsg_open();
	struct actors actors = { .client = peer_open(NULL) };
	int count;

	for (int i = 0; i < 1000; i++)
		free_nothing(&actors);
	count = kmsg_count(kmsg, ":");
	EXPECT_GT(100, count);
	/* There is more when it was silent for a while. */
	EXPECT_TRUE(prints(kmsg, 0, &actors));
	close(kmsg);
}

TEST_HARNESS_MAIN
