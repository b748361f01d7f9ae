// SPDX-License-Identifier: GPL-2.0
/* Opens, maps and closes devices, in whichever task. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "peer.h"

#define MAX_PEERS 512

static struct peer *peers[MAX_PEERS];
static int nr_peers;

static long do_open(long name, long flags, long unused)
{
	return binder_open_at(binder_dir, (const char *)name, flags);
}

static long do_mmap(long fd, long size, long unused)
{
	void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_NORESERVE,
			 fd, 0);

	return map == MAP_FAILED ? -errno : (long)map;
}

static long do_munmap(long addr, long size, long unused)
{
	return munmap((void *)addr, size) ? -errno : 0;
}

static long do_close(long fd, long unused, long unused2)
{
	return close(fd) ? -errno : 0;
}

static long do_ioctl(long fd, long cmd, long arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

static struct peer *new_peer(struct task *task)
{
	struct peer *peer = arena_alloc(sizeof(*peer));

	if (nr_peers == MAX_PEERS)
		die("too many peers");
	peers[nr_peers++] = peer;
	peer->task = task;
	return peer;
}

struct peer *peer_open_as(struct task *task, const char *dev, int flags,
			  size_t map_size)
{
	struct binder_version version;
	struct peer *peer = new_peer(task);
	char *name = arena_alloc(strlen(dev) + 1);
	long ret;

	memcpy(name, dev, strlen(dev) + 1);
	peer->fd = task_call(task, do_open, (long)name, flags, 0);
	if (peer->fd < 0)
		die("open of %s: %s", dev, error_name(-peer->fd));
	if (map_size) {
		ret = task_call(task, do_mmap, peer->fd, map_size, 0);
		if (ret < 0 && ret > -4096)
			die("mmap of %s: %s", dev, error_name(-ret));
		peer->map = (char *)ret;
		peer->map_size = map_size;
	}
	ret = peer_ioctl(peer, BINDER_VERSION, &version);
	if (ret)
		die("BINDER_VERSION: %s", error_name(-ret));
	return peer;
}

struct peer *peer_open(struct task *task)
{
	return peer_open_as(task, BINDER_DEV, O_RDWR | O_NONBLOCK, MAP_SIZE);
}

/*
 * A manager that has died may hold the role a little longer than its callers
 * can tell: the mapping goes first, the rest with the release.
 */
int peer_become_manager(struct peer *peer)
{
	long deadline = now_ms() + RELEASE_TIMEOUT_MS;
	int ret = peer_ioctl(peer, BINDER_SET_CONTEXT_MGR, NULL);

	while (ret == -EBUSY && now_ms() < deadline) {
		nap();
		ret = peer_ioctl(peer, BINDER_SET_CONTEXT_MGR, NULL);
	}
	return ret;
}

/* A peer that is the context manager and serves as a looper. */
struct peer *peer_manager(struct task *task)
{
	struct peer *peer = peer_open(task);
	int ret = peer_become_manager(peer);

	if (ret)
		die("BINDER_SET_CONTEXT_MGR: %s", error_name(-ret));
	ret = peer_word(peer, BC_ENTER_LOOPER);
	if (ret)
		die("BC_ENTER_LOOPER: %s", error_name(-ret));
	return peer;
}

/* The same open, used by another thread of its process. */
struct peer *peer_thread(struct peer *peer, struct task *task)
{
	struct peer *other = new_peer(task);
	struct binder_version version;
	int ret;

	other->fd = peer->fd;
	other->map = peer->map;
	other->map_size = peer->map_size;
	ret = peer_ioctl(other, BINDER_VERSION, &version);
	if (ret)
		die("BINDER_VERSION: %s", error_name(-ret));
	return other;
}

void peer_unmap(struct peer *peer)
{
	if (peer->map)
		task_call(peer->task, do_munmap, (long)peer->map,
			  peer->map_size, 0);
	peer->map = NULL;
}

void peer_close_fd(struct peer *peer)
{
	if (peer->fd >= 0)
		task_call(peer->task, do_close, peer->fd, 0, 0);
	peer->fd = -1;
}

void peer_close(struct peer *peer)
{
	peer_unmap(peer);
	peer_close_fd(peer);
}

/* Only what this process holds: the tasks are dead by now. */
void peer_close_own(void)
{
	for (int i = 0; i < nr_peers; i++)
		if (!peers[i]->task)
			peer_close(peers[i]);
}

int peer_ioctl(struct peer *peer, unsigned int cmd, void *arg)
{
	void *bounce = arg;
	int ret;

	if (peer->task && arg && !arena_has(arg)) {
		bounce = arena_alloc(_IOC_SIZE(cmd));
		memcpy(bounce, arg, _IOC_SIZE(cmd));
	}
	ret = task_call(peer->task, do_ioctl, peer->fd, cmd, (long)bounce);
	if (bounce != arg)
		memcpy(arg, bounce, _IOC_SIZE(cmd));
	return ret;
}

/* To be followed by task_finish(); arg must be in the arena. */
void peer_ioctl_start(struct peer *peer, unsigned int cmd, void *arg)
{
	task_start(peer->task, do_ioctl, peer->fd, cmd, (long)arg);
	if (!task_blocks_in(peer->task, SYS_ioctl))
		die("task %d does not block in its ioctl",
		    task_tid(peer->task));
}

static long do_poll(long fd, long unused, long unused2)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) < 0 ? -errno : pfd.revents;
}

bool peer_readable(struct peer *peer)
{
	return task_call(peer->task, do_poll, peer->fd, 0, 0) == POLLIN;
}

static long do_nonblock(long fd, long on, long unused)
{
	return fcntl(fd, F_SETFL, on ? O_NONBLOCK : 0) ? -errno : 0;
}

void peer_set_nonblock(struct peer *peer, bool on)
{
	if (task_call(peer->task, do_nonblock, peer->fd, on, 0))
		die("fcntl failed");
}

static __thread sigjmp_buf touch_env;
static char touched;

static void touch_failed(int sig)
{
	siglongjmp(touch_env, sig);
}

static long do_touch(long addr, long unused, long unused2)
{
	int sig = sigsetjmp(touch_env, 1);

	if (sig)
		return sig;
	signal(SIGBUS, touch_failed);
	signal(SIGSEGV, touch_failed);
	memcpy(&touched, (const void *)addr, 1);
	asm volatile("" : : "m"(touched));
	return 0;
}

int peer_touch(struct peer *peer, const void *addr)
{
	return task_call(peer->task, do_touch, (long)addr, 0, 0);
}
