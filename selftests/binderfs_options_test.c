// SPDX-License-Identifier: GPL-2.0
/* Mount options of binderfs, reconfiguration, and the features directory. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "peer.h"

FIXTURE(binderfs_options)
{
	int dir;
};

FIXTURE_SETUP(binderfs_options)
{
	binder_setup();
	self->dir = -1;
}

FIXTURE_TEARDOWN(binderfs_options)
{
	close(self->dir);
	EXPECT_STREQ("", binder_teardown());
}

/* Mounts with one option; 0 or -errno. */
static int try_mount(const char *key, const char *value)
{
	int dir = binder_mount(key, value);

	if (dir < 0)
		return dir;
	close(dir);
	return 0;
}

/* Reconfigures an instance with up to one option; 0 or -errno. */
static int remount(int dir, const char *key, const char *value)
{
	int fs = fspick(dir, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
	int ret = 0;

	if (fs < 0)
		die("fspick: %m");
	if (key && fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0))
		ret = -errno;
	if (!ret && fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0))
		ret = -errno;
	close(fs);
	return ret;
}

/* Item 285. */
TEST_F(binderfs_options, bad_options)
{
	EXPECT_EQ(-EINVAL, try_mount("max", "1048577"));
	EXPECT_EQ(-EINVAL, try_mount("max", "-1"));
	EXPECT_EQ(-EINVAL, try_mount("max", "many"));
	EXPECT_EQ(-EINVAL, try_mount("max", ""));
	EXPECT_EQ(-EINVAL, try_mount("depth", "3"));
	EXPECT_EQ(0, try_mount("max", "1048576"));
}

/* Item 285: the default devices must fit. */
TEST_F(binderfs_options, too_small_a_maximum)
{
	EXPECT_EQ(-ENOSPC, try_mount("max", "2"));
	EXPECT_EQ(-ENOSPC, try_mount("max", "0"));
	EXPECT_EQ(0, try_mount("max", "3"));
}

/* Item 286: they count, binder-control does not. */
TEST_F(binderfs_options, maximum)
{
	struct binderfs_device dev = { .major = 0x77, .minor = 0x88 };

	self->dir = binder_mount("max", "4");
	ASSERT_LE(0, self->dir);
	EXPECT_EQ(0, binder_add(self->dir, "one", NULL));
	EXPECT_EQ(-ENOSPC, binder_add(self->dir, "two", &dev));
	/* Item 297: a device that is gone makes room. */
	ASSERT_EQ(0, unlinkat(self->dir, "one", 0));
	EXPECT_EQ(0, binder_add(self->dir, "two", NULL));
}

/* Item 297: but not while it is open. */
TEST_F(binderfs_options, open_devices_count)
{
	int fd;

	self->dir = binder_mount("max", "4");
	ASSERT_LE(0, self->dir);
	ASSERT_EQ(0, binder_add(self->dir, "one", NULL));
	fd = binder_open_at(self->dir, "one", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unlinkat(self->dir, "one", 0));
	EXPECT_EQ(-ENOSPC, binder_add(self->dir, "two", NULL));
	close(fd);
	EXPECT_EQ(0, binder_add(self->dir, "two", NULL));
}

/* The options that /proc/self/mountinfo shows for an attached instance */
static void shown_options(const char *key, const char *value, char *options)
{
	int dir = binder_mount(key, value);
	char line[1024], *found;
	FILE *file;

	options[0] = 0;
	if (dir < 0 || move_mount(dir, "", AT_FDCWD, "/sys/kernel",
				  MOVE_MOUNT_F_EMPTY_PATH))
		die("attaching binderfs: %m");
	close(dir);
	file = fopen("/proc/self/mountinfo", "re");
	while (fgets(line, sizeof(line), file)) {
		found = strstr(line, " - binder ");
		if (found)
			sscanf(found, " - binder %*s %255s", options);
	}
	fclose(file);
	umount2("/sys/kernel", MNT_DETACH);
}

/* Item 287. */
TEST_F(binderfs_options, shown)
{
	char options[256];

	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	shown_options(NULL, NULL, options);
	EXPECT_STREQ("rw,max=1048576", options);
	shown_options("max", "17", options);
	EXPECT_STREQ("rw,max=17", options);
	shown_options("stats", "global", options);
	EXPECT_STREQ("rw,max=1048576,stats=global", options);
}

/* Item 288. */
TEST_F(binderfs_options, stats)
{
	EXPECT_EQ(0, try_mount("stats", "global"));
	EXPECT_EQ(-EINVAL, try_mount("stats", "local"));
	EXPECT_EQ(-EINVAL, try_mount("stats", ""));
}

/* Item 289: the logs cannot be had or dropped later. */
TEST_F(binderfs_options, stats_cannot_change)
{
	self->dir = binder_mount("stats", "global");
	ASSERT_LE(0, self->dir);
	EXPECT_EQ(0, remount(self->dir, "stats", "global"));
	EXPECT_EQ(-EINVAL, remount(self->dir, NULL, NULL));
	close(self->dir);
	self->dir = binder_mount(NULL, NULL);
	EXPECT_EQ(-EINVAL, remount(self->dir, "stats", "global"));
	EXPECT_EQ(0, remount(self->dir, NULL, NULL));
}

/* Items 286 and 290: the maximum can change, below the count if need be. */
TEST_F(binderfs_options, maximum_can_change)
{
	self->dir = binder_mount("max", "3");
	ASSERT_LE(0, self->dir);
	EXPECT_EQ(-ENOSPC, binder_add(self->dir, "one", NULL));
	EXPECT_EQ(0, remount(self->dir, "max", "4"));
	EXPECT_EQ(0, binder_add(self->dir, "one", NULL));
	EXPECT_EQ(0, remount(self->dir, "max", "1"));
	EXPECT_EQ(-ENOSPC, binder_add(self->dir, "two", NULL));
	EXPECT_EQ(-EINVAL, remount(self->dir, "max", "2000000"));
}

/* Item 290: left out, it is the default again. */
TEST_F(binderfs_options, maximum_is_reset)
{
	self->dir = binder_mount("max", "3");
	ASSERT_LE(0, self->dir);
	EXPECT_EQ(0, remount(self->dir, NULL, NULL));
	EXPECT_EQ(0, binder_add(self->dir, "one", NULL));
}

/* Item 283. */
TEST_F(binderfs_options, features)
{
	static const char * const names[] = {
		"oneway_spam_detection", "extended_error",
		"freeze_notification", "transaction_report",
	};
	char path[64], text[8] = "";
	struct stat st;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "features/%s", names[i]);
		ASSERT_EQ(0, fstatat(binder_dir, path, &st, 0)) {
			TH_LOG("%s: %m", path);
		}
		EXPECT_EQ(S_IFREG | 0444, st.st_mode);
		fd = binder_open_at(binder_dir, path, O_RDONLY);
		ASSERT_LE(0, fd);
		EXPECT_EQ(2, read(fd, text, sizeof(text)));
		EXPECT_STREQ("1\n", text);
		close(fd);
	}
	ASSERT_EQ(0, fstatat(binder_dir, "features", &st, 0));
	EXPECT_EQ(S_IFDIR | 0755, st.st_mode);
}

TEST_HARNESS_MAIN
