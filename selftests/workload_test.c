// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the random workload: workload_test [SECONDS [SEED]], or by the
 * environment, BINDER_SECONDS and BINDER_SEED. The same seed gives the same
 * decisions, though not the same timing.
 *
 * It fails if a payload is damaged, a call does not end, or something is left
 * in the driver when all are gone; what the kernel has to say is in its log.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "race.h"
#include "workload.h"

/* More than a debug kernel in an emulator takes for anything */
#define STUCK_MS 60000
#define MEMORY_MAX "3M"
#define GROUP "binder-workload"

static const char * const names[NR_COUNTS] = {
	"calls", "replies", "dead", "failed", "frozen", "oneways", "nested",
	"nodes", "files", "bytes", "deaths", "freezes", "thread exits",
};

static int cgroups = -1;

static int write_at(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

/* A group with little memory for the workers, if that can be had */
static void limit_memory(void)
{
	int fs = fsopen("cgroup2", FSOPEN_CLOEXEC);

	if (fs >= 0 && !fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		cgroups = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (fs >= 0)
		close(fs);
	write_at(cgroups, "cgroup.subtree_control", "+memory");
	mkdirat(cgroups, GROUP, 0755);
	if (write_at(cgroups, GROUP "/memory.max", MEMORY_MAX))
		ksft_print_msg("no memory limit: %m\n");
}

/* How often the group came to its limit, or -1 */
static long limit_hits(void)
{
	int fd = openat(cgroups, GROUP "/memory.events", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	long hits = -1, number;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "max %ld", &number) == 1)
			hits = number;
	if (file)
		fclose(file);
	return hits;
}

/* A run of a minute or more has been short of memory. */
static void tell_hits(long hits, long seconds)
{
	ksft_print_msg("memory limit hits: %ld\n", hits);
	if (hits < 0)
		ksft_test_result_skip("no memory limit\n");
	else if (!hits && seconds < 60)
		ksft_test_result_skip("too short to be short of memory\n");
	else
		ksft_test_result(hits, "memory_was_short\n");
}

static void do_nothing(int sig)
{
}

static void start(struct workload *load, int slot, unsigned int seed)
{
	struct slot *self = &load->slots[slot];

	pid_t pid;

	memset(self->waits_since, 0, sizeof(self->waits_since));
	pid = fork();
	if (pid < 0)
		die("fork: %m");
	if (pid) {
		self->pid = pid;
		return;
	}
	write_at(cgroups, GROUP "/cgroup.procs", "0");
	workload_worker(load, slot, seed);
}

/* Replaces those that have ended; only a signal or 0 is a good end. */
static void replace_dead(struct workload *load, unsigned int *state)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) {
			ksft_print_msg("signal %d\n", WTERMSIG(status));
			workload_fail(load, "a worker has crashed");
		}
		if (WIFEXITED(status) && WEXITSTATUS(status))
			workload_fail(load, "a worker has given up");
		for (int i = 0; i <= MANAGER; i++)
			if (load->slots[i].pid == pid)
				start(load, i, workload_random(state, 1 << 16));
	}
}

/* What the driver thinks of it, for the reader of a failed test */
static void print_transactions(void)
{
	int fd = binder_open_at(binder_dir, "binder_logs/transactions",
				O_RDONLY);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		ksft_print_msg("%s", line);
	if (file)
		fclose(file);
}

static void check_waits(struct workload *load)
{
	for (int i = 0; i < WORKERS; i++)
		for (int j = 0; j < ACTORS; j++) {
			long since = load->slots[i].waits_since[j];

			if (!since || now_ms() - since < STUCK_MS)
				continue;
			ksft_print_msg("thread %d of %d waits\n", j,
				       load->slots[i].pid);
			print_transactions();
			workload_fail(load, "a call does not end");
			return;
		}
}

/* Reads a file and forgets it. */
static void read_log(const char *name)
{
	int fd = binder_open_at(binder_dir, name, O_RDONLY);
	char buf[4096];

	while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
		;
	if (fd >= 0)
		close(fd);
}

static void disturb(struct workload *load, unsigned int *state)
{
	int who = workload_random(state, WORKERS);
	int fd;

	switch (workload_random(state, 12)) {
	case 0:
		kill(load->slots[who].pid, SIGKILL);
		break;
	case 1:
		if (workload_random(state, 6) == 0)
			kill(load->slots[MANAGER].pid, SIGKILL);
		break;
	case 2: case 3:
		kill(load->slots[who].pid, SIGUSR1);
		break;
	case 4:
		fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
		if (fd >= 0 && write(fd, "2", 1) != 1)
			workload_fail(load, "drop_caches failed");
		close(fd);
		break;
	case 5:
		read_log("binder_logs/state");
		read_log("binder_logs/stats");
		read_log("binder_logs/transactions");
		break;
	case 6:
		binder_add(binder_dir, "extra", NULL);
		unlinkat(binder_dir, "extra", 0);
		break;
	}
}

static void run(struct workload *load, long seconds, unsigned int seed)
{
	long end = now_ms() + 1000 * seconds;
	/* Ends the worker's reads; what is done here is done in its children. */
	struct sigaction interrupt = { .sa_handler = do_nothing };
	unsigned int state = seed;

	sigaction(SIGUSR1, &interrupt, NULL);
	for (int i = MANAGER; i >= 0; i--)
		start(load, i, workload_random(&state, 1 << 16));
	while (now_ms() < end && !load->failure[0]) {
		replace_dead(load, &state);
		disturb(load, &state);
		check_waits(load);
		usleep(workload_random(&state, 40000));
	}
	load->stop = true;
	/* Some end by themselves before the rest is killed. */
	usleep(50000);
	for (int i = 0; i <= MANAGER; i++)
		kill(load->slots[i].pid, SIGKILL);
	while (wait(NULL) > 0)
		;
}

static long setting(int argc, char **argv, int index, const char *name,
		    long otherwise)
{
	const char *text = argc > index ? argv[index] : getenv(name);

	return text ? atol(text) : otherwise;
}

int main(int argc, char **argv)
{
	long seconds = setting(argc, argv, 1, "BINDER_SECONDS", 5);
	long seed = setting(argc, argv, 2, "BINDER_SEED", time(NULL));
	struct workload *load;
	const char *leak;

	ksft_print_header();
	ksft_set_plan(5);
	binder_setup();
	load = arena_alloc(sizeof(*load));
	limit_memory();
	ksft_print_msg("%ld seconds from seed %ld\n", seconds, seed);
	/* The nursery is no worker: its end must not be waited for. */
	task_kill_all();
	run(load, seconds, seed);
	for (int i = 0; i < NR_COUNTS; i++)
		ksft_print_msg("%s: %lu\n", names[i], load->counts[i]);
	if (load->failure[0])
		ksft_print_msg("%s\n", load->failure);
	ksft_test_result(!load->failure[0], "nothing_went_wrong\n");
	ksft_test_result(load->counts[REPLIES] && load->counts[ONEWAYS] &&
			 load->counts[FILES] && load->counts[NODES],
			 "all_kinds_happened\n");
	tell_hits(limit_hits(), seconds);
	leak = binder_teardown();
	if (leak[0])
		ksft_print_msg("%s\n", leak);
	ksft_test_result(!leak[0], "nothing_is_left\n");
	unlinkat(cgroups, GROUP, AT_REMOVEDIR);
	ksft_test_result(!binder_add(binder_dir, "survivor", NULL) &&
			 binder_open_at(binder_dir, "survivor", O_RDWR) >= 0,
			 "life_goes_on\n");
	ksft_finished();
}
