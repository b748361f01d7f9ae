// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "task.h"

#define ARENA_SIZE (64UL << 20)
#define ANSWER_TIMEOUT_MS 10000
#define MAX_TASKS 128
#define MAX_FORKS 8

struct task {
	pid_t pid;
	pid_t tid;
	int sock;
	bool forked;
	bool dead;
};

struct order {
	task_fn fn;
	long a, b, c;
};

static struct task tasks[MAX_TASKS];
static int nr_tasks;
static struct task nursery;
static int our_end[MAX_FORKS], their_end[MAX_FORKS];
static int nr_forks;
static int kept_fd = -1;
static char *arena;
static size_t arena_used;

void die(const char *fmt, ...)
{
	va_list args;

	fputs("# ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(KSFT_FAIL);
}

long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A short pause between two looks at something that changes by itself. */
void nap(void)
{
	usleep(1000);
}

static void arena_init(void)
{
	arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena == MAP_FAILED)
		die("mmap of the arena: %m");
}

void arena_drop(void)
{
	if (arena)
		munmap(arena, ARENA_SIZE);
	arena = NULL;
}

void *arena_alloc(size_t size)
{
	char *ptr = arena + arena_used;

	arena_used += (size + 63) & ~63UL;
	if (arena_used > ARENA_SIZE)
		die("the arena is full");
	return ptr;
}

bool arena_has(const void *ptr)
{
	return (const char *)ptr >= arena &&
	       (const char *)ptr < arena + ARENA_SIZE;
}

static void obey(int sock)
{
	struct order order;
	long answer;

	while (read(sock, &order, sizeof(order)) == sizeof(order)) {
		answer = order.fn(order.a, order.b, order.c);
		if (write(sock, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
}

static long get_tid(long a, long b, long c)
{
	return syscall(SYS_gettid);
}

static void make_pair(int *ours, int *theirs)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		die("socketpair: %m");
	*ours = ends[0];
	*theirs = ends[1];
}

static struct task *new_task(void)
{
	if (nr_tasks == MAX_TASKS)
		die("too many tasks");
	return &tasks[nr_tasks++];
}

static void serve(int sock)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int fd = 3; fd < 256; fd++)
		if (fd != sock && fd != kept_fd)
			close(fd);
	obey(sock);
	_exit(0);
}

/* In the nursery; the new process is a child of the test all the same. */
static long spawn(long slot, long b, long c)
{
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		serve(their_end[slot]);
	close(their_end[slot]);
	return pid < 0 ? -errno : pid;
}

/*
 * Processes are forked by a helper that never has a device open: an inherited
 * descriptor would flush the device when it is closed.
 */
void task_init(int keep_fd)
{
	pid_t test = getpid();
	int sock;

	/* An order to a task that has died is to be an error, no signal. */
	signal(SIGPIPE, SIG_IGN);
	kept_fd = keep_fd;
	arena_init();
	for (int i = 0; i < MAX_FORKS; i++)
		make_pair(&our_end[i], &their_end[i]);
	make_pair(&nursery.sock, &sock);
	nursery.pid = fork();
	if (nursery.pid < 0)
		die("fork: %m");
	if (!nursery.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* A test that is skipped at once may have ended before. */
		if (getppid() == test)
			obey(sock);
		_exit(0);
	}
	nursery.forked = true;
	close(sock);
	for (int i = 0; i < MAX_FORKS; i++)
		close(their_end[i]);
}

struct task *task_nursery(void)
{
	return &nursery;
}

struct task *task_fork(void)
{
	struct task *task = new_task();

	if (nr_forks == MAX_FORKS)
		die("too many processes");
	task->sock = our_end[nr_forks];
	task->pid = task_call(&nursery, spawn, nr_forks++, 0, 0);
	if (task->pid <= 0)
		die("fork failed");
	task->tid = task->pid;
	task->forked = true;
	return task;
}

static void *thread_main(void *arg)
{
	int sock = (long)arg;

	obey(sock);
	close(sock);
	return NULL;
}

struct task *task_thread(void)
{
	struct task *task = new_task();
	pthread_t thread;
	int sock;

	make_pair(&task->sock, &sock);
	if (pthread_create(&thread, NULL, thread_main, (void *)(long)sock))
		die("pthread_create failed");
	pthread_detach(thread);
	task->pid = getpid();
	task->tid = task_call(task, get_tid, 0, 0, 0);
	return task;
}

void task_start(struct task *task, task_fn fn, long a, long b, long c)
{
	struct order order = { fn, a, b, c };

	if (write(task->sock, &order, sizeof(order)) != sizeof(order))
		die("cannot reach task %d: %m", task->tid);
}

long task_finish(struct task *task)
{
	struct pollfd pfd = { .fd = task->sock, .events = POLLIN };
	long answer;

	if (poll(&pfd, 1, ANSWER_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	if (read(task->sock, &answer, sizeof(answer)) != sizeof(answer))
		return -ESRCH;
	return answer;
}

long task_call(struct task *task, task_fn fn, long a, long b, long c)
{
	if (!task)
		return fn(a, b, c);
	task_start(task, fn, a, b, c);
	return task_finish(task);
}

bool task_is_in(struct task *task, long nr)
{
	char path[64], want[16], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", task->pid,
		 task->tid);
	snprintf(want, sizeof(want), "%ld ", nr);
	file = fopen(path, "re");
	if (!file)
		die("%s: %m", path);
	if (!fgets(line, sizeof(line), file))
		line[0] = 0;
	fclose(file);
	return !strncmp(line, want, strlen(want));
}

bool task_blocks_in(struct task *task, long nr)
{
	long deadline = now_ms() + ANSWER_TIMEOUT_MS;

	while (now_ms() < deadline) {
		if (task_is_in(task, nr))
			return true;
		nap();
	}
	return false;
}

void task_signal(struct task *task, int sig)
{
	if (syscall(SYS_tgkill, task->pid, task->tid, sig))
		die("signal to task %d: %m", task->tid);
}

void task_kill(struct task *task)
{
	int status;

	if (task->dead)
		return;
	task->dead = true;
	close(task->sock);
	if (!task->forked)
		return;
	kill(task->pid, SIGKILL);
	if (waitpid(task->pid, &status, 0) != task->pid)
		die("waitpid %d: %m", task->pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		fprintf(stderr, "# task %d had died of signal %d\n", task->pid,
			WTERMSIG(status));
}

void task_kill_all(void)
{
	/* The first of a pid namespace cannot end before the others. */
	for (int i = nr_tasks - 1; i >= 0; i--)
		task_kill(&tasks[i]);
	task_kill(&nursery);
}

pid_t task_pid(struct task *task)
{
	return task ? task->pid : getpid();
}

pid_t task_tid(struct task *task)
{
	return task ? task->tid : getpid();
}
