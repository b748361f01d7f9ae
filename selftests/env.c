// SPDX-License-Identifier: GPL-2.0
/*
 * The surroundings of one test: a binderfs instance that nobody else sees,
 * with a device of its own, and the check that everything was given back
 * (item 22 of the catalogue, after each test).
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "peer.h"

static const char * const counters[] = {
	"proc", "thread", "node", "ref", "death", "freeze", "transaction",
	"transaction_complete",
};

static long at_start[ARRAY_SIZE(counters)];

int binder_dir = -1;

/* Returns the root of a new instance, or -errno. */
int binder_mount(const char *key, const char *value)
{
	int fs = fsopen("binder", FSOPEN_CLOEXEC);
	int dir, error;

	if (fs < 0)
		return -errno;
	dir = -1;
	if (!key || !fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0))
		if (!fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
			dir = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	error = errno;
	close(fs);
	return dir < 0 ? -error : dir;
}

int binder_open_at(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* BINDER_CTL_ADD; dev may be NULL. Returns 0 or -errno. */
int binder_add(int dir, const char *name, struct binderfs_device *dev)
{
	struct binderfs_device request = {};
	int fd = binder_open_at(dir, "binder-control", O_RDONLY);
	int ret;

	if (fd < 0)
		return fd;
	snprintf(request.name, sizeof(request.name), "%s", name);
	ret = ioctl(fd, BINDER_CTL_ADD, &request) ? -errno : 0;
	close(fd);
	if (dev)
		*dev = request;
	return ret;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("%s: %m", path);
	close(fd);
}

long enter_user_namespace(long unused, long unused2, long unused3)
{
	if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) ||
	    unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC) ||
	    prctl(PR_SET_DUMPABLE, 1))
		return -errno;
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", "0 1000 1");
	write_file("/proc/self/gid_map", "0 1000 1");
	return 0;
}

/*
 * Whether the driver takes a mount option that only binder_safe has. Nothing
 * is mounted for that.
 */
bool takes_mode(void)
{
	int fs = fsopen("binder", FSOPEN_CLOEXEC);
	bool takes;

	if (fs < 0)
		return false;
	takes = !fsconfig(fs, FSCONFIG_SET_STRING, "mode", "600", 0);
	close(fs);
	return takes;
}

/* The answer, for whoever asks later and may not mount any more */
static enum { UNKNOWN, OTHER, SAFE } driver;

bool is_binder_safe(void)
{
	const char *name = getenv("BINDER_DRIVER");

	if (name)
		return !strcmp(name, "safe");
	if (driver == UNKNOWN)
		driver = takes_mode() ? SAFE : OTHER;
	return driver == SAFE;
}

/* The "active" number of one kind of object, or -1 if there are no logs. */
long binder_count(const char *name)
{
	int fd = binder_open_at(binder_dir, "binder_logs/stats", O_RDONLY);
	char line[256], found[64];
	long active, count = 0;
	FILE *file;

	if (fd < 0)
		return -1;
	file = fdopen(fd, "r");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%63[a-z_]: active %ld", found, &active) == 2 &&
		    !strcmp(found, name))
			count = active;
	fclose(file);
	return count;
}

const char *binder_file(int dir, const char *name)
{
	int fd = binder_open_at(dir, name, O_RDONLY);
	static char text[4096];
	ssize_t len;

	if (fd < 0)
		return error_name(-fd);
	len = read(fd, text, sizeof(text) - 1);
	if (len < 0)
		die("read of %s: %m", name);
	close(fd);
	text[len] = 0;
	return text;
}

/* Shared by all tests of a program, which are processes of their own */
static bool *told;

__attribute__((constructor)) static void share_told(void)
{
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* The first number in a file, or -1 */
static long number_in(const char *path)
{
	FILE *file = fopen(path, "re");
	long number = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

/*
 * What the whole system has is compared at the end of a program: what its tests
 * leave open is closed when their processes are gone.
 */
static struct {
	const char *what, *path;
	long at_start;
} totals[] = {
	{ "open files", "/proc/sys/fs/file-nr" },
	{ "references to the module", "/sys/module/binder_linux/refcnt" },
};

static pid_t program;

__attribute__((constructor)) static void count_totals(void)
{
	program = getpid();
	for (size_t i = 0; i < ARRAY_SIZE(totals); i++)
		totals[i].at_start = number_in(totals[i].path);
}

__attribute__((destructor)) static void compare_totals(void)
{
	long deadline = now_ms() + RELEASE_TIMEOUT_MS, now;
	bool leaks = false;

	if (program != getpid())
		return;
	close_range(3, ~0U, 0);
	arena_drop();
	for (size_t i = 0; i < ARRAY_SIZE(totals); i++) {
		if (totals[i].at_start < 0)
			continue;
		while ((now = number_in(totals[i].path)) > totals[i].at_start &&
		       now_ms() < deadline)
			nap();
		if (now <= totals[i].at_start)
			continue;
		fprintf(stderr, "# leak: %ld %s, were %ld\n", now,
			totals[i].what, totals[i].at_start);
		leaks = true;
	}
	if (leaks)
		_exit(KSFT_FAIL);
}

static void tell_once(const char *what)
{
	if (!*told)
		fprintf(stderr, "# %s\n", what);
	*told = true;
}

/*
 * Where the driver under test is named, its absence is a failure and no
 * reason to skip.
 */
static void __noreturn cannot_run(const char *why)
{
	fprintf(stderr, "# cannot run: %s\n", why);
	_exit(getenv("BINDER_DRIVER") ? KSFT_FAIL : KSFT_SKIP);
}

void binder_setup(void)
{
	int ret;

	binder_dir = binder_mount("stats", "global");
	if (binder_dir == -EINVAL)
		binder_dir = binder_mount(NULL, NULL);
	if (binder_dir == -ENODEV)
		cannot_run("this kernel has no binderfs");
	if (binder_dir == -EPERM)
		cannot_run("mounting binderfs needs root");
	if (binder_dir < 0)
		die("mount of binderfs: %s", error_name(-binder_dir));
	/* Tasks may leave for where nobody can tell. */
	is_binder_safe();
	ret = binder_add(binder_dir, BINDER_DEV, NULL);
	if (ret)
		die("BINDER_CTL_ADD: %s", error_name(-ret));
	task_init(binder_dir);
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		at_start[i] = binder_count(counters[i]);
	if (at_start[0] < 0)
		tell_once("no object counts in this kernel: leaks stay unseen");
}

/*
 * The C driver loses a node when its owner is released while a call to it
 * fails: the state log shows a dead node with less than 0 strong references.
 */
static bool leaks(size_t i)
{
	if (!strcmp(counters[i], "node") && !is_binder_safe())
		return false;
	return binder_count(counters[i]) > at_start[i];
}

static size_t first_leak(void)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(counters) && !leaks(i))
		i++;
	return i;
}

/* What is left, for the reader of a failed test */
static void print_state(void)
{
	int fd = binder_open_at(binder_dir, "binder_logs/state", O_RDONLY);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		fprintf(stderr, "# %s", line);
	if (file)
		fclose(file);
}

/* Release is asynchronous, so the counts get time to come back. */
const char *binder_teardown(void)
{
	long deadline = now_ms() + RELEASE_TIMEOUT_MS;
	static char leak[128];
	size_t i;

	task_kill_all();
	peer_close_own();
	if (at_start[0] < 0)
		return "";
	for (i = first_leak(); i < ARRAY_SIZE(counters); i = first_leak()) {
		if (now_ms() > deadline) {
			snprintf(leak, sizeof(leak), "leak: %s %ld, was %ld",
				 counters[i], binder_count(counters[i]),
				 at_start[i]);
			print_state();
			return leak;
		}
		nap();
	}
	return "";
}
