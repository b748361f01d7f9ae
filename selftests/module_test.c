// SPDX-License-Identifier: GPL-2.0
/*
 * BETTER: the driver as a module: what loads it, what keeps it, what goes
 * with it. The C driver cannot be unloaded.
 */

#include <linux/elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "logs.h"
#include "object.h"

#define MODULE "binder_linux"
/* Where it is in the folder of a kernel's modules */
#define FILE_OF_IT "kernel/drivers/android/binder_safe/" MODULE ".ko"
#define OPTIONS "/etc/modprobe.d/binder-selftest.conf"
#define MODPROBE "/sbin/modprobe"
/* Where the surroundings of the tests have a mount, if they have one */
#define USUAL_PLACE "/dev/binderfs"
#define PLACE "/sys/kernel"
#define MISC_MAJOR 10
#define ROUNDS 25

static bool is_loaded(void)
{
	return !access("/sys/module/" MODULE "/initstate", F_OK);
}

/* 0, or -errno: -EAGAIN while somebody uses it */
static int unload_module(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/* Those who have just let go may still be on their way. */
static int unload_module_soon(const char *name)
{
	long deadline = now_ms() + 20000;
	int ret = unload_module(name);

	while (ret == -EAGAIN && now_ms() < deadline) {
		nap();
		ret = unload_module(name);
	}
	return ret;
}

static int unload(void)
{
	return unload_module(MODULE);
}

static int unload_soon(void)
{
	return unload_module_soon(MODULE);
}

/* Whether modprobe could load what name stands for */
static bool modprobe(const char *name, const char *parameter)
{
	int status, null;
	pid_t pid = fork();

	if (!pid) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 2);
		execl(MODPROBE, MODPROBE, name, parameter, NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

/* Whether a line of a file ends in a word */
static bool lists(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	char line[256], last[256];
	bool found = false;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %255s", last) == 1 && !strcmp(last, word))
			found = true;
	if (file)
		fclose(file);
	return found;
}

static bool is_there(void)
{
	return lists("/proc/filesystems", "binder") &&
	       lists("/proc/devices", "binder");
}

static bool is_gone(void)
{
	return !lists("/proc/filesystems", "binder") &&
	       !lists("/proc/devices", "binder") && !is_loaded();
}

FIXTURE(module)
{
	bool was_mounted;
};

FIXTURE_SETUP(module)
{
	int dir;

	if (!is_binder_safe())
		SKIP(return, "BETTER: only binder_safe can be unloaded");
	if (access(MODPROBE, X_OK))
		SKIP(return, "there is no " MODPROBE);
	dir = binder_mount(NULL, NULL);
	close(dir);
	if (!is_loaded())
		SKIP(return, "the driver is built in");
	self->was_mounted = !umount(USUAL_PLACE);
	ASSERT_EQ(0, unload_soon());
	ASSERT_TRUE(is_gone());
}

FIXTURE_TEARDOWN(module)
{
	if (is_loaded())
		EXPECT_EQ(0, unload_soon());
	if (self->was_mounted)
		EXPECT_EQ(0, mount("binder", USUAL_PLACE, "binder", 0, NULL));
}

TEST_F(module, loaded_by_mount)
{
	ASSERT_EQ(0, mount("binder", PLACE, "binder", 0, NULL));
	EXPECT_TRUE(is_there());
	EXPECT_EQ(-EAGAIN, unload());
	EXPECT_EQ(0, umount(PLACE));
	EXPECT_EQ(0, unload_soon());
	EXPECT_TRUE(is_gone());
}

TEST_F(module, loaded_by_name)
{
	static const char * const names[] = {
		"binder_safe", "binder_linux", "fs-binder",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ASSERT_TRUE(modprobe(names[i], NULL)) {
			TH_LOG("cannot load it as %s", names[i]);
		}
		EXPECT_TRUE(is_there());
		EXPECT_EQ(0, unload_soon());
		EXPECT_TRUE(is_gone());
	}
}

/* Whoever has a part of a mount keeps the module. */
TEST_F(module, kept_by_a_mount)
{
	static const char * const files[] = {
		"binder", "binder-control", "features/extended_error", ".",
	};
	int fs = fsopen("binder", FSOPEN_CLOEXEC), dir, fd;

	ASSERT_LE(0, fs);
	EXPECT_EQ(-EAGAIN, unload());
	close(fs);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		dir = binder_mount(NULL, NULL);
		ASSERT_LE(0, dir);
		fd = binder_open_at(dir, files[i], O_RDONLY);
		ASSERT_LE(0, fd);
		EXPECT_EQ(-EAGAIN, unload());
		close(dir);
		EXPECT_EQ(-EAGAIN, unload()) {
			TH_LOG("%s is open", files[i]);
		}
		close(fd);
		EXPECT_EQ(0, unload_soon());
	}
}

TEST_F(module, kept_by_a_mapping)
{
	int dir = binder_mount(NULL, NULL), fd;
	char *map;

	fd = binder_open_at(dir, "binder", O_RDWR);
	ASSERT_LE(0, fd);
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	close(fd);
	close(dir);
	EXPECT_EQ(-EAGAIN, unload());
	munmap(map, 4096);
	EXPECT_EQ(0, unload_soon());
}

static bool is_misc_device(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISCHR(st.st_mode) &&
	       major(st.st_rdev) == MISC_MAJOR;
}

/* Item 335, but with or without binderfs. */
TEST_F(module, devices)
{
	struct stat st;
	int one, two, dir;

	ASSERT_TRUE(modprobe(MODULE, "devices=one,two"));
	EXPECT_TRUE(is_misc_device("/dev/one"));
	EXPECT_TRUE(is_misc_device("/dev/two"));
	EXPECT_TRUE(lists("/proc/misc", "one"));
	EXPECT_TRUE(lists("/proc/misc", "two"));
	one = open("/dev/one", O_RDWR | O_CLOEXEC);
	two = open("/dev/two", O_RDWR | O_CLOEXEC);
	EXPECT_EQ(0, ioctl(one, BINDER_SET_CONTEXT_MGR, 0));
	EXPECT_EQ(0, ioctl(two, BINDER_SET_CONTEXT_MGR, 0));
	EXPECT_EQ(-EAGAIN, unload());
	close(one);
	close(two);

	/* Each mount has devices of these names, of its own. */
	dir = binder_mount(NULL, NULL);
	EXPECT_EQ(0, fstatat(dir, "one", &st, 0));
	EXPECT_EQ(0, fstatat(dir, "two", &st, 0));
	EXPECT_EQ(-1, fstatat(dir, "binder", &st, 0));
	close(dir);
	EXPECT_EQ(0, unload_soon());
	EXPECT_FALSE(is_misc_device("/dev/one"));
}

/* Whether the command line of the kernel has words */
static bool booted_with(const char *words)
{
	FILE *file = fopen("/proc/cmdline", "re");
	char line[1024] = "";

	if (file && !fgets(line, sizeof(line), file))
		line[0] = 0;
	if (file)
		fclose(file);
	return strstr(line, words);
}

/* The names as whoever looks for Binder reads them, until the next call */
static const char *given_devices(void)
{
	return binder_file(AT_FDCWD, "/sys/module/" MODULE "/parameters/devices");
}

/*
 * Without the parameter there is nothing in /dev. Where it is not given, the
 * command line of the kernel may have it, as for a driver that is built in.
 */
TEST_F(module, no_devices)
{
	bool asked_for = booted_with("binder.devices=binder,");
	struct stat st;
	int dir;

	ASSERT_TRUE(modprobe(MODULE, NULL));
	EXPECT_EQ(asked_for, lists("/proc/misc", "binder"));
	EXPECT_STREQ("binder,hwbinder,vndbinder\n", given_devices());
	EXPECT_EQ(0, unload_soon());
	ASSERT_TRUE(modprobe(MODULE, "devices="));
	dir = binder_mount(NULL, NULL);
	ASSERT_LE(0, dir);
	EXPECT_EQ(-1, fstatat(dir, "binder", &st, 0));
	EXPECT_EQ(0, fstatat(dir, "binder-control", &st, 0));
	close(dir);
}

/* modprobe.d says with which parameters, also when it is a mount that loads. */
TEST_F(module, options)
{
	static const char options[] = "options " MODULE " devices=a,b\n";
	struct stat st;
	int fd, dir;

	if (mkdir("/etc", 0755) && errno != EEXIST)
		SKIP(return, "/etc cannot be made");
	mkdir("/etc/modprobe.d", 0755);
	fd = open(OPTIONS, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		SKIP(return, "/etc/modprobe.d cannot be written");
	EXPECT_EQ(strlen(options), write(fd, options, strlen(options)));
	close(fd);
	dir = binder_mount(NULL, NULL);
	unlink(OPTIONS);
	ASSERT_LE(0, dir);
	EXPECT_STREQ("a,b\n", given_devices());
	EXPECT_EQ(0, fstatat(dir, "a", &st, 0));
	EXPECT_EQ(0, fstatat(dir, "b", &st, 0));
	EXPECT_EQ(-1, fstatat(dir, "binder", &st, 0));
	close(dir);
}

static const struct {
	const char *name;
	const char *told;
} bad[] = {
	{ "a b", "no device \"a b\"" },
	{ "a/b", "no device \"a/b\"" },
	{ "..", "no device \"..\"" },
	{ "features", "no device \"features\"" },
	{ "good", "no device \"good\" of the parameter devices=: it is there twice" },
};

/* Loads the module with two good names and a bad one in between. */
static const char *load_with(int kmsg, const char *name, const char *told)
{
	char parameter[512];
	struct stat st;
	int dir, lines;

	/* modprobe puts a value with spaces in quotes. */
	snprintf(parameter, sizeof(parameter), "devices=good,%s,fine", name);
	lseek(kmsg, 0, SEEK_END);
	if (!modprobe(MODULE, parameter))
		return "it is not loaded";
	lines = kmsg_count(kmsg, told);
	dir = binder_mount(NULL, NULL);
	if (dir < 0 || fstatat(dir, "good", &st, 0) ||
	    fstatat(dir, "fine", &st, 0))
		return "the good devices are not there";
	close(dir);
	if (!lists("/proc/misc", "good") || !lists("/proc/misc", "fine"))
		return "the good nodes are not there";
	if (unload_soon())
		return "it cannot be unloaded";
	return lines == 1 ? "" : "the bad name is not in one line";
}

/* Items 306 and 415: a bad name is left out, and named in the log. */
TEST_F(module, bad_devices)
{
	int kmsg = kmsg_open();
	char longer[257] = "", longest[300];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_STREQ("", load_with(kmsg, bad[i].name, bad[i].told)) {
			TH_LOG("with %s", bad[i].name);
		}
	}
	memset(longer, 'x', 256);
	EXPECT_STREQ("", load_with(kmsg, longer, "no device \"xxx"));
	longer[255] = 0;
	snprintf(longest, sizeof(longest), "devices=%s", longer);
	ASSERT_TRUE(modprobe(MODULE, longest));
	EXPECT_EQ(0, kmsg_count(kmsg, "no device"));
	close(kmsg);
}

/* The module's file, in memory that can be changed */
static char *read_module(size_t *size)
{
	struct utsname name;
	struct stat st;
	char path[256];
	char *image;
	int fd;

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/" FILE_OF_IT,
		 name.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return NULL;
	*size = st.st_size;
	image = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	return image == MAP_FAILED ? NULL : image;
}

/* Gives the module a name, so that the kernel takes it for another one. */
static bool rename_module(char *image, const char *name)
{
	struct elf64_hdr *header = (struct elf64_hdr *)image;
	struct elf64_shdr *sections = (void *)(image + header->e_shoff);
	const char *names = image + sections[header->e_shstrndx].sh_offset;
	char *found;

	for (int i = 0; i < header->e_shnum; i++) {
		if (strcmp(names + sections[i].sh_name,
			   ".gnu.linkonce.this_module"))
			continue;
		found = memmem(image + sections[i].sh_offset,
			       sections[i].sh_size, MODULE, sizeof(MODULE));
		if (!found)
			return false;
		/* The place has room for the longest of names. */
		memcpy(found, name, strlen(name) + 1);
		return true;
	}
	return false;
}

/* How many devices have numbers under the name */
static int count_majors(void)
{
	FILE *file = fopen("/proc/devices", "re");
	char line[256];
	int count = 0;

	while (file && fgets(line, sizeof(line), file))
		count += !!strstr(line, " binder\n");
	if (file)
		fclose(file);
	return count;
}

/*
 * The first driver works as before the second one was tried, of which nothing
 * is left.
 */
static const char *disturbed(const char *second)
{
	int dir = binder_mount("stats", "global"), fd, debug;
	struct binder_version version;
	char path[64], byte;

	snprintf(path, sizeof(path), "/sys/module/%s", second);
	if (!access(path, F_OK))
		return "the second driver is still there";
	if (!is_there() || count_majors() != 1)
		return "not one driver has the names";
	fd = binder_open_at(dir, "binder", O_RDWR);
	if (ioctl(fd, BINDER_VERSION, &version))
		return "no version";
	close(fd);
	close(dir);
	if (!access("/dev/one", F_OK))
		return "a node of the second driver is still there";
	debug = debug_logs_open();
	if (debug == -ENODEV)
		return "";
	fd = binder_open_at(debug, "state", O_RDONLY);
	close(debug);
	if (read(fd, &byte, 1) != 1)
		return "no logs in debugfs";
	close(fd);
	return "";
}

/* A second driver does not disturb the first, and says why it cannot be. */
TEST_F(module, two_drivers)
{
	int kmsg = kmsg_open();
	size_t size;
	char *twin = read_module(&size);

	ASSERT_NE(NULL, twin);
	ASSERT_TRUE(rename_module(twin, "binder_twin"));
	ASSERT_TRUE(modprobe(MODULE, NULL));
	lseek(kmsg, 0, SEEK_END);
	/* EEXIST of a module's init function is EBUSY for who loads it. */
	EXPECT_EQ(-1, syscall(SYS_init_module, twin, size, "devices=one"));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(1, kmsg_count(kmsg, "another Binder driver has the"));
	EXPECT_STREQ("", disturbed("binder_twin"));
	munmap(twin, size);
	close(kmsg);
}

/* If the first one is known, it says which it is. */
TEST_F(module, after_another_driver)
{
	static const char * const others[] = { "binder", "rust_binder" };
	int kmsg = kmsg_open();
	char words[64];
	size_t size;
	char *twin;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		twin = read_module(&size);
		ASSERT_NE(NULL, twin);
		ASSERT_TRUE(rename_module(twin, others[i]));
		ASSERT_EQ(0, syscall(SYS_init_module, twin, size, ""));
		lseek(kmsg, 0, SEEK_END);
		EXPECT_FALSE(modprobe(MODULE, "devices=one"));
		snprintf(words, sizeof(words), "the driver %s has the",
			 others[i]);
		/* busybox tries finit_module(), and then init_module(). */
		EXPECT_LE(1, kmsg_count(kmsg, words));
		EXPECT_STREQ("", disturbed(MODULE));
		EXPECT_EQ(0, unload_module_soon(others[i]));
		EXPECT_TRUE(is_gone());
		munmap(twin, size);
	}
	close(kmsg);
}

/* One call after the other, until killed */
static void __noreturn talk(int ready)
{
	struct peer *server, *client;

	binder_setup();
	server = peer_manager(task_fork());
	client = peer_open(NULL);
	for (;;) {
		if (peer_send(client, BC_TRANSACTION, MSG()))
			die("no call");
		must_read(server, "NOOP TRANSACTION");
		answer(server, MSG());
		must_read(client, "NOOP TRANSACTION_COMPLETE REPLY");
		peer_free_last(client);
		if (ready >= 0 && write(ready, "", 1) == 1)
			ready = -1;
	}
}

static void __noreturn make_load(void)
{
	size_t size = 4 << 20;
	char *map;

	for (;;) {
		map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(map, 1, size);
		munmap(map, size);
	}
}

/* Forks; the child dies with the test. */
static pid_t fork_child(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Item 338: loaded, used, killed amid calls, unloaded, all under load. */
TEST_F_TIMEOUT(module, again_and_again, 500)
{
	pid_t load = fork_child(), talker;
	int ready[2];
	char byte;

	if (!load)
		make_load();
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, pipe(ready));
		talker = fork_child();
		if (!talker)
			talk(ready[1]);
		close(ready[1]);
		ASSERT_EQ(1, read(ready[0], &byte, 1)) {
			TH_LOG("round %d", i);
		}
		close(ready[0]);
		end_child(talker);
		ASSERT_EQ(0, unload_soon()) {
			TH_LOG("round %d", i);
		}
		ASSERT_TRUE(is_gone());
	}
	end_child(load);
}

TEST_HARNESS_MAIN
