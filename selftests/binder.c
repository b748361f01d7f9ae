// SPDX-License-Identifier: GPL-2.0

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

#include "binder.h"

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

static long do_copy(long to, long from, long len)
{
	memcpy((void *)to, (const void *)from, len);
	return 0;
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

	strcpy(name, dev);
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

/* A peer that is the context manager and serves as a looper. */
struct peer *peer_manager(struct task *task)
{
	struct peer *peer = peer_open(task);
	int ret = peer_ioctl(peer, BINDER_SET_CONTEXT_MGR, NULL);

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
void peers_close_own(void)
{
	for (int i = 0; i < nr_peers; i++)
		if (!peers[i]->task)
			peer_close(peers[i]);
}

static void put(struct peer *peer, const void *data, size_t size)
{
	if (peer->out_len + size > sizeof(peer->out))
		die("too many commands at once");
	memcpy(peer->out + peer->out_len, data, size);
	peer->out_len += size;
}

void put_word(struct peer *peer, __u32 cmd)
{
	put(peer, &cmd, sizeof(cmd));
}

void put_u32(struct peer *peer, __u32 cmd, __u32 arg)
{
	put_word(peer, cmd);
	put(peer, &arg, sizeof(arg));
}

void put_u64(struct peer *peer, __u32 cmd, __u64 arg)
{
	put_word(peer, cmd);
	put(peer, &arg, sizeof(arg));
}

void put_node(struct peer *peer, __u32 cmd, __u64 ptr, __u64 cookie)
{
	struct binder_ptr_cookie arg = { ptr, cookie };

	put_word(peer, cmd);
	put(peer, &arg, sizeof(arg));
}

void put_handle_cookie(struct peer *peer, __u32 cmd, __u32 handle,
		       __u64 cookie)
{
	struct binder_handle_cookie arg = { handle, cookie };

	put_word(peer, cmd);
	put(peer, &arg, sizeof(arg));
}

static __u64 stage(struct peer *peer, const struct msg *msg, const void *data,
		   size_t size)
{
	char *to = peer->stage + peer->staged;

	if (msg->raw || !size || arena_has(data))
		return (__u64)data;
	if (peer->staged + size > sizeof(peer->stage))
		die("too much payload at once");
	memcpy(to, data, size);
	peer->staged += (size + 7) & ~7UL;
	return (__u64)to;
}

void put_msg(struct peer *peer, __u32 cmd, const struct msg *msg)
{
	struct binder_transaction_data_sg arg = {
		.transaction_data = {
			.target.handle = msg->handle,
			.code = msg->code,
			.flags = msg->flags,
			.data_size = msg->size,
			.offsets_size = msg->offsets_size,
			.data.ptr = {
				stage(peer, msg, msg->data, msg->size),
				stage(peer, msg, msg->offsets,
				      msg->offsets_size),
			},
		},
		.buffers_size = msg->extra,
	};

	put_word(peer, cmd);
	put(peer, &arg, _IOC_SIZE(cmd));
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

/* BINDER_WRITE_READ with bwr as the test has filled it in */
int peer_submit(struct peer *peer)
{
	return peer_ioctl(peer, BINDER_WRITE_READ, &peer->bwr);
}

static void take_commands(struct peer *peer)
{
	peer->bwr = (struct binder_write_read){
		.write_size = peer->out_len,
		.write_buffer = (__u64)peer->out,
	};
	peer->out_len = 0;
	peer->staged = 0;
}

int peer_write(struct peer *peer)
{
	take_commands(peer);
	return peer_submit(peer);
}

int peer_send(struct peer *peer, __u32 cmd, const struct msg *msg)
{
	put_msg(peer, cmd, msg);
	return peer_write(peer);
}

int peer_word(struct peer *peer, __u32 cmd)
{
	put_word(peer, cmd);
	return peer_write(peer);
}

int peer_free(struct peer *peer, __u64 buffer)
{
	put_u64(peer, BC_FREE_BUFFER, buffer);
	return peer_write(peer);
}

int peer_free_last(struct peer *peer)
{
	return peer_free(peer, peer->txn.data.ptr.buffer);
}

static void prepare_read(struct peer *peer)
{
	peer->bwr.read_size = sizeof(peer->in);
	peer->bwr.read_buffer = (__u64)peer->in;
}

static bool is_message(__u32 cmd)
{
	return cmd == BR_TRANSACTION || cmd == BR_TRANSACTION_SEC_CTX ||
	       cmd == BR_REPLY;
}

static void decode(struct peer *peer)
{
	size_t at = 0, end = peer->bwr.read_consumed;
	struct ret *ret;

	peer->nr_rets = 0;
	while (at + 4 <= end && peer->nr_rets < MAX_RETURNS) {
		ret = &peer->rets[peer->nr_rets++];
		memcpy(&ret->cmd, peer->in + at, 4);
		at += 4;
		memset(&ret->txn, 0, sizeof(ret->txn));
		if (_IOC_SIZE(ret->cmd) > sizeof(ret->txn))
			break;
		memcpy(&ret->txn, peer->in + at, _IOC_SIZE(ret->cmd));
		at += _IOC_SIZE(ret->cmd);
		if (is_message(ret->cmd))
			peer->txn = ret->txn.transaction_data;
		strcat(peer->text, peer->text[0] ? " " : "");
		strcat(peer->text, cmd_name(ret->cmd));
	}
	if (at != end)
		strcat(peer->text, " GARBAGE");
}

static const char *read_result(struct peer *peer, int error)
{
	peer->text[0] = 0;
	if (error)
		strcpy(peer->text, error_name(-error));
	else
		decode(peer);
	return peer->text;
}

const char *peer_read(struct peer *peer)
{
	memset(&peer->bwr, 0, sizeof(peer->bwr));
	prepare_read(peer);
	return read_result(peer, peer_submit(peer));
}

const char *peer_write_read(struct peer *peer)
{
	take_commands(peer);
	prepare_read(peer);
	return read_result(peer, peer_submit(peer));
}

void peer_read_start(struct peer *peer)
{
	take_commands(peer);
	prepare_read(peer);
	task_start(peer->task, do_ioctl, peer->fd, BINDER_WRITE_READ,
		   (long)&peer->bwr);
	if (!task_blocks_in(peer->task, SYS_ioctl))
		die("task %d does not block in its read", task_tid(peer->task));
}

const char *peer_read_finish(struct peer *peer)
{
	return read_result(peer, task_finish(peer->task));
}

const void *peer_peek(struct peer *peer, __u64 addr, size_t len)
{
	if (len > sizeof(peer->copy))
		die("cannot look at %zu bytes", len);
	memset(peer->copy, 0, sizeof(peer->copy));
	task_call(peer->task, do_copy, (long)peer->copy, addr, len);
	return peer->copy;
}

const void *peer_data(struct peer *peer)
{
	return peer_peek(peer, peer->txn.data.ptr.buffer, peer->txn.data_size);
}

/* For payloads that are strings, with or without their final NUL */
const char *peer_string(struct peer *peer)
{
	peer_data(peer);
	peer->copy[sizeof(peer->copy) - 1] = 0;
	return peer->copy;
}

const char *peer_error(struct peer *peer)
{
	struct binder_extended_error ee;
	int ret = peer_ioctl(peer, BINDER_GET_EXTENDED_ERROR, &ee);

	if (ret)
		return error_name(-ret);
	snprintf(peer->text, sizeof(peer->text), "%s %s", cmd_name(ee.command),
		 error_name(-ee.param));
	return peer->text;
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
	(void)*(volatile const char *)addr;
	return 0;
}

int peer_touch(struct peer *peer, const void *addr)
{
	return task_call(peer->task, do_touch, (long)addr, 0, 0);
}
