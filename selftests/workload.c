// SPDX-License-Identifier: GPL-2.0
/*
 * What the workers of the workload do. A thread that serves calls only those
 * whose rank is higher, or back to who waits for it: so none wait in a circle.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workload.h"

#define PAYLOAD 30000
#define HELD 6
#define SHELF 12		/* what the manager keeps */
#define OWN 0xff		/* "rank" of an object that the sender owns */

enum code { PLAIN, OBJECTS, PUBLISH, GET, CALL_BACK };

struct held {
	__u32 handle;
	int rank;
};

/* One thread of a worker */
struct actor {
	struct workload *load;
	struct peer *peer;
	unsigned int state;
	int rank;
	int index;
	bool is_looper;
	int nr_held;
	struct held held[SHELF];
	struct sg sg;		/* the message being sent */
	unsigned char pattern[PAYLOAD];
};

static struct actor *actors[ACTORS];
static int nr_actors;

unsigned int workload_random(unsigned int *state, unsigned int sides)
{
	*state = *state * 1103515245 + 12345;
	return (*state >> 16) % sides;
}

void workload_fail(struct workload *load, const char *what)
{
	if (!load->failure[0])
		snprintf(load->failure, sizeof(load->failure), "%s", what);
}

static unsigned int roll(struct actor *a, unsigned int sides)
{
	return workload_random(&a->state, sides);
}

static void count(struct actor *a, enum count what, unsigned long by)
{
	__atomic_fetch_add(&a->load->counts[what], by, __ATOMIC_RELAXED);
}

static long *waits_since(struct actor *a)
{
	return &a->load->slots[a->rank].waits_since[a->index];
}

static struct actor *actor_new(struct workload *load, struct peer *share,
			       int rank, unsigned int seed)
{
	struct actor *a = calloc(1, sizeof(*a));

	a->peer = calloc(1, sizeof(*a->peer));
	a->load = load;
	a->rank = rank;
	a->index = __atomic_fetch_add(&nr_actors, 1, __ATOMIC_RELAXED);
	if (a->index >= ACTORS)
		return NULL;
	a->state = seed * 31 + a->index;
	a->peer->fd = share ? share->fd : -1;
	a->peer->map = share ? share->map : NULL;
	actors[a->index] = a;
	return a;
}

static void drop(struct actor *a, int i)
{
	put_u32(a->peer, BC_RELEASE, a->held[i].handle);
	a->held[i] = a->held[--a->nr_held];
}

/* Keeps a handle that was just received. */
static void keep(struct actor *a, __u32 handle, int rank)
{
	int room = a->rank == MANAGER ? SHELF : HELD;

	put_u32(a->peer, BC_ACQUIRE, handle);
	if (a->nr_held == room)
		drop(a, roll(a, room));
	a->held[a->nr_held++] = (struct held){ handle, rank };
}

static void check_pattern(struct actor *a, const unsigned char *data, size_t len)
{
	for (size_t i = 1; i < len; i++)
		if (data[i] != (unsigned char)(data[0] + i)) {
			workload_fail(a->load, "a payload is damaged");
			return;
		}
	count(a, BYTES, len);
}

/* Looks at what the last message brought; files are closed, handles kept. */
static void check_message(struct actor *a)
{
	struct binder_transaction_data *txn = &a->peer->txn;
	const unsigned char *data = (void *)txn->data.ptr.buffer;
	struct binder_buffer_object obj;
	struct stat st;

	if (!txn->offsets_size) {
		check_pattern(a, data, txn->data_size);
		return;
	}
	for (size_t i = 0; i < txn->offsets_size / 8; i++) {
		memcpy(&obj, peer_object(a->peer, i), sizeof(obj));
		switch (obj.hdr.type) {
		case BINDER_TYPE_PTR:
			check_pattern(a, (void *)obj.buffer, obj.length);
			break;
		case BINDER_TYPE_FD:
			if (fstat(obj.buffer, &st))
				workload_fail(a->load, "a file is none");
			close(obj.buffer);
			count(a, FILES, 1);
			break;
		case BINDER_TYPE_HANDLE:
			count(a, NODES, 1);
			if (data[i] != OWN || roll(a, 3) == 0)
				keep(a, obj.buffer, data[i]);
			break;
		}
	}
}

static size_t fill(struct actor *a)
{
	size_t len = roll(a, 10) ? roll(a, 300) : roll(a, PAYLOAD);

	a->pattern[0] = roll(a, 256);
	for (size_t i = 1; i < len; i++)
		a->pattern[i] = a->pattern[0] + i;
	return len;
}

/* What is pending must not keep the next command from being taken. */
static void flush(struct actor *a)
{
	if (a->peer->out_len)
		peer_write(a->peer);
}

/* Some of each kind of object; data[i] tells the rank of the i-th. */
static void put_objects(struct actor *a, struct sg *sg, bool own_first)
{
	struct flat_binder_object obj;
	struct binder_fd_object fd = {
		.hdr.type = BINDER_TYPE_FD, .fd = 0,
	};
	int i;

	if (own_first || roll(a, 2)) {
		obj = local_object(0x1000 + 8 * roll(a, 6), a->rank,
				   FLAT_BINDER_FLAG_ACCEPTS_FDS);
		sg->data[sg->count] = OWN;
		sg_add(sg, &obj, sizeof(obj));
	}
	if (a->nr_held && roll(a, 2)) {
		i = roll(a, a->nr_held);
		obj = remote_object(a->held[i].handle);
		sg->data[sg->count] = a->held[i].rank;
		sg_add(sg, &obj, sizeof(obj));
	}
	if (roll(a, 3) == 0)
		sg_add(sg, &fd, sizeof(fd));
	if (roll(a, 2))
		sg_ptr(sg, a->pattern, fill(a));
}

static void put_random_msg(struct actor *a, __u32 cmd, struct msg msg)
{
	struct sg *sg = &a->sg;

	*sg = (struct sg){ .size = 8 };
	msg.raw = true;
	if (msg.code != PLAIN)
		put_objects(a, sg, msg.code != OBJECTS);
	if (!sg->count) {
		msg.code = PLAIN;
		msg.size = fill(a);
		msg.data = a->pattern;
	} else {
		msg.size = sg->size;
		msg.data = sg->data;
		msg.offsets = sg->offsets;
		msg.offsets_size = 8 * sg->count;
		msg.extra = sg->extra;
	}
	put_msg(a->peer, cmd, &msg);
}

static void *looper(void *arg);

static void spawn_looper(struct actor *a)
{
	struct actor *next = actor_new(a->load, a->peer, a->rank, a->state);
	pthread_t thread;

	if (next && !pthread_create(&thread, NULL, looper, next))
		pthread_detach(thread);
}

static bool call(struct actor *a, __u32 handle, enum code code);

/* The manager puts objects on its shelf and hands them out again. */
static void manage(struct actor *a, struct msg *reply)
{
	struct flat_binder_object obj;
	struct sg *sg = &a->sg;
	int i;

	*sg = (struct sg){ .size = 8 };
	if (a->peer->txn.code != GET || !a->nr_held)
		return;
	i = roll(a, a->nr_held);
	obj = remote_object(a->held[i].handle);
	sg->data[0] = a->held[i].rank;
	sg_add(sg, &obj, sizeof(obj));
	*reply = (struct msg){
		.code = OBJECTS, .data = sg->data, .size = sg->size,
		.offsets = sg->offsets, .offsets_size = 8 * sg->count,
		.raw = true,
	};
}

/* Serves the call or message that was just read. */
static void serve(struct actor *a)
{
	struct binder_transaction_data txn = a->peer->txn;
	struct msg reply = { .flags = TF_CLEAR_BUF * roll(a, 2) };
	int i = a->nr_held ? roll(a, a->nr_held) : 0;

	flush(a);
	check_message(a);
	flush(a);
	if (!(txn.flags & TF_ONE_WAY)) {
		if (txn.code == CALL_BACK && txn.offsets_size)
			call(a, peer_object(a->peer, 0)->handle, PLAIN);
		else if (a->nr_held && a->rank < a->held[i].rank &&
			 a->held[i].rank < MANAGER && !roll(a, 4))
			call(a, a->held[i].handle, PLAIN);
		flush(a);
	}
	put_u64(a->peer, BC_FREE_BUFFER, txn.data.ptr.buffer);
	if (!(txn.flags & TF_ONE_WAY)) {
		/* Not within a call of its own, whose end it would not hear. */
		if (!*waits_since(a) && roll(a, 50) == 0) {
			flush(a);
			ioctl(a->peer->fd, BINDER_THREAD_EXIT, 0);
			count(a, EXITS, 1);
			put_word(a->peer, BC_ENTER_LOOPER);
		} else if (a->rank == MANAGER) {
			manage(a, &reply);
			put_msg(a->peer, BC_REPLY, &reply);
		} else {
			reply.code = roll(a, 2) ? PLAIN : OBJECTS;
			if (!(txn.flags & TF_ACCEPT_FDS))
				reply.code = PLAIN;
			put_random_msg(a, BC_REPLY_SG, reply);
		}
	}
	flush(a);
}

/* Reads once and handles what came; gives the end of a call, if it did. */
static __u32 step(struct actor *a)
{
	struct peer *peer = a->peer;
	__u32 end = 0;

	peer_write_read(peer);
	/* Without memory a message may not have been sent at all. */
	if (!strcmp(peer->text, "ENOMEM") &&
	    peer->bwr.write_consumed < peer->bwr.write_size)
		return BR_FAILED_REPLY;
	if (peer->text[0] == 'E')
		return 0;
	for (int i = 0, n = peer->nr_rets; i < n; i++) {
		struct ret ret = peer->rets[i];

		switch (ret.cmd) {
		case BR_INCREFS:
			put_node(peer, BC_INCREFS_DONE, ret.node.ptr,
				 ret.node.cookie);
			break;
		case BR_ACQUIRE:
			put_node(peer, BC_ACQUIRE_DONE, ret.node.ptr,
				 ret.node.cookie);
			break;
		case BR_SPAWN_LOOPER:
			spawn_looper(a);
			break;
		case BR_DEAD_BINDER:
			put_u64(peer, BC_DEAD_BINDER_DONE, ret.cookie);
			count(a, DEATHS, 1);
			break;
		case BR_FROZEN_BINDER:
			put_u64(peer, BC_FREEZE_NOTIFICATION_DONE,
				ret.frozen.cookie);
			count(a, FREEZES, 1);
			break;
		case BR_REPLY:
			check_message(a);
			put_u64(peer, BC_FREE_BUFFER,
				peer->txn.data.ptr.buffer);
			end = ret.cmd;
			break;
		case BR_DEAD_REPLY:
		case BR_FAILED_REPLY:
		case BR_FROZEN_REPLY:
		case BR_TRANSACTION_COMPLETE:
		case BR_TRANSACTION_PENDING_FROZEN:
		case BR_ONEWAY_SPAM_SUSPECT:
			if (end != BR_REPLY)
				end = ret.cmd;
			break;
		case BR_TRANSACTION:
			/* The last one; what it leaves is for the next read. */
			serve(a);
			return 0;
		}
	}
	return end;
}

/* A call, and all that is called back meanwhile. It must have one end. */
static bool call(struct actor *a, __u32 handle, enum code code)
{
	long *since = waits_since(a);
	bool outermost = !*since;
	__u32 end;

	count(a, CALLS, 1);
	flush(a);
	put_random_msg(a, BC_TRANSACTION_SG,
		       (struct msg){
				.handle = handle, .code = code,
				.flags = TF_ACCEPT_FDS,
		       });
	if (outermost)
		*since = now_ms();
	else
		count(a, NESTED, 1);
	do {
		end = step(a);
	} while (end != BR_REPLY && end != BR_DEAD_REPLY &&
		 end != BR_FAILED_REPLY && end != BR_FROZEN_REPLY);
	if (outermost)
		*since = 0;
	count(a, end == BR_REPLY ? REPLIES : end == BR_DEAD_REPLY ? DEAD :
	      end == BR_FAILED_REPLY ? FAILED : FROZEN, 1);
	return end == BR_REPLY;
}

static void flood(struct actor *a, __u32 handle)
{
	for (int i = roll(a, 40); i >= 0; i--) {
		flush(a);
		put_random_msg(a, BC_TRANSACTION_SG,
			       (struct msg){
					.handle = handle,
					.code = roll(a, 8) ? PLAIN : OBJECTS,
					.flags = TF_ONE_WAY |
						 TF_UPDATE_TXN * roll(a, 2),
			       });
		/* Told at once, of whatever came of it */
		while (!step(a))
			;
		count(a, ONEWAYS, 1);
	}
}

static void freeze(struct actor *a)
{
	struct binder_freeze_info info = {
		.pid = a->load->slots[roll(a, WORKERS)].pid,
		.enable = 1, .timeout_ms = roll(a, 20),
	};

	ioctl(a->peer->fd, BINDER_FREEZE, &info);
	usleep(roll(a, 3000));
	info.enable = 0;
	ioctl(a->peer->fd, BINDER_FREEZE, &info);
}

/* One thing that a client does; h is a handle that it has. */
static void act(struct actor *a, int i, __u32 h)
{
	static const __u32 notices[] = {
		BC_REQUEST_DEATH_NOTIFICATION, BC_CLEAR_DEATH_NOTIFICATION,
		BC_REQUEST_FREEZE_NOTIFICATION, BC_CLEAR_FREEZE_NOTIFICATION,
	};
	struct pollfd pfd = { a->peer->fd, POLLIN, 0 };

	switch (roll(a, 24)) {
	case 0:
		call(a, 0, PUBLISH);
		break;
	case 1: case 2: case 3:
		call(a, 0, GET);
		break;
	case 4: case 5:
		flood(a, h);
		break;
	case 6: case 7: case 8:
		put_handle_cookie(a->peer, notices[roll(a, 4)], h, h);
		break;
	case 9:
		if (i >= 0)
			drop(a, i);
		break;
	case 10:
		put_u32(a->peer, BC_INCREFS, h);
		put_u32(a->peer, BC_DECREFS, h);
		break;
	case 11:
		freeze(a);
		break;
	case 12:
		flush(a);
		ioctl(a->peer->fd, BINDER_THREAD_EXIT, 0);
		count(a, EXITS, 1);
		break;
	case 13:
		poll(&pfd, 1, 0);
		break;
	case 14: case 15: case 16:
		call(a, h, CALL_BACK);
		break;
	default:
		call(a, h, roll(a, 2) ? PLAIN : OBJECTS);
	}
}

static void *looper(void *arg)
{
	struct actor *a = arg;

	put_word(a->peer, a->index > 1 ? BC_REGISTER_LOOPER : BC_ENTER_LOOPER);
	for (;;)
		step(a);
	return NULL;
}

static void open_device(struct actor *a, int rank)
{
	struct flat_binder_object me =
		local_object(0, 0, FLAT_BINDER_FLAG_ACCEPTS_FDS);
	__u32 max = 2;

	a->peer->fd = binder_open_at(binder_dir, BINDER_DEV, O_RDWR);
	a->peer->map = mmap(NULL, MAP_SIZE, PROT_READ, MAP_PRIVATE,
			    a->peer->fd, 0);
	if (a->peer->fd < 0 || a->peer->map == MAP_FAILED)
		die("a worker cannot open the device: %m");
	ioctl(a->peer->fd, BINDER_SET_MAX_THREADS, &max);
	ioctl(a->peer->fd, BINDER_ENABLE_ONEWAY_SPAM_DETECTION, &max);
	while (rank == MANAGER &&
	       ioctl(a->peer->fd, BINDER_SET_CONTEXT_MGR_EXT, &me))
		usleep(1000);
}

void workload_worker(struct workload *load, int rank, unsigned int seed)
{
	struct actor *a = actor_new(load, NULL, rank, seed);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	open_device(a, rank);
	if (rank == MANAGER)
		looper(a);
	spawn_looper(a);
	while (!load->stop) {
		int i = a->nr_held ? (int)roll(a, a->nr_held) : -1;

		act(a, i, i < 0 ? 0 : a->held[i].handle);
		if (a->peer->out_len > 2000)
			flush(a);
		if (roll(a, 2000) == 0)
			break;
	}
	_exit(0);
}
