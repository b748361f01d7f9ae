// SPDX-License-Identifier: GPL-2.0

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "race.h"

#define ANSWER_MS 8000

struct peer *racer_new(void)
{
	struct peer *racer = arena_alloc(sizeof(*racer));

	racer->fd = -1;
	return racer;
}

struct peer *racer_share(struct peer *peer)
{
	struct peer *racer = racer_new();

	racer->fd = peer->fd;
	racer->map = peer->map;
	racer->map_size = peer->map_size;
	return racer;
}

long race_lost(struct peer *racer, const char *what)
{
	snprintf(racer->copy, 160, "%.60s, after '%.60s'", what, racer->text);
	return RACE_LOST;
}

long racer_open(struct peer *racer)
{
	struct binder_version version;

	racer->fd = binder_open_at(binder_dir, BINDER_DEV,
				   O_RDWR | O_NONBLOCK);
	if (racer->fd < 0)
		return race_lost(racer, "open failed");
	racer->map = mmap(NULL, MAP_SIZE, PROT_READ, MAP_PRIVATE, racer->fd, 0);
	if (racer->map == MAP_FAILED)
		return race_lost(racer, "mmap failed");
	racer->map_size = MAP_SIZE;
	racer->out_len = 0;
	racer->staged = 0;
	if (ioctl(racer->fd, BINDER_VERSION, &version))
		return race_lost(racer, "BINDER_VERSION failed");
	return 0;
}

void racer_close(struct peer *racer)
{
	munmap(racer->map, racer->map_size);
	close(racer->fd);
	racer->fd = -1;
}

bool race_goes_on(struct peer *racer)
{
	return now_ms() < racer->until;
}

static void free_message(struct peer *racer)
{
	put_u64(racer, BC_FREE_BUFFER, racer->txn.data.ptr.buffer);
}

static void take_counts(struct peer *racer, const struct ret *ret)
{
	if (ret->cmd == BR_INCREFS)
		put_node(racer, BC_INCREFS_DONE, ret->node.ptr,
			 ret->node.cookie);
	if (ret->cmd == BR_ACQUIRE)
		put_node(racer, BC_ACQUIRE_DONE, ret->node.ptr,
			 ret->node.cookie);
}

/* The end of a call among the returns of one read, or -1 */
static int end_in(struct peer *racer)
{
	int end = -1;

	for (int i = 0; i < racer->nr_rets; i++) {
		take_counts(racer, &racer->rets[i]);
		switch (racer->rets[i].cmd) {
		case BR_REPLY:
			free_message(racer);
			end = CALL_REPLY;
			break;
		case BR_DEAD_REPLY:
			end = CALL_DEAD;
			break;
		case BR_FAILED_REPLY:
			end = CALL_FAILED;
			break;
		case BR_FROZEN_REPLY:
			end = CALL_FROZEN;
			break;
		}
	}
	if (racer->out_len)
		peer_write(racer);
	return end;
}

enum call_end racer_call(struct peer *racer, const struct msg *msg)
{
	long deadline = now_ms() + ANSWER_MS;
	int end = -1;

	if (peer_send(racer, BC_TRANSACTION, msg))
		return CALL_LOST;
	while (end < 0 && now_ms() < deadline) {
		if (!strcmp(peer_read(racer), "EAGAIN"))
			sched_yield();
		else
			end = end_in(racer);
	}
	if (end < 0)
		return CALL_LOST;
	/* An end comes once. */
	return !strcmp(peer_read(racer), "EAGAIN") || end_in(racer) < 0 ?
		end : CALL_LOST;
}

long racer_serve(struct peer *racer)
{
	bool call = false;

	if (!strcmp(peer_read(racer), "EAGAIN")) {
		sched_yield();
		return 0;
	}
	for (int i = 0; i < racer->nr_rets; i++) {
		take_counts(racer, &racer->rets[i]);
		if (racer->rets[i].cmd != BR_TRANSACTION)
			continue;
		call = !(racer->txn.flags & TF_ONE_WAY);
		free_message(racer);
	}
	if (call)
		put_msg(racer, BC_REPLY, MSG(.code = racer->txn.code));
	return racer->out_len ? peer_write(racer) : 0;
}

void racer_serve_out(struct peer *racer)
{
	long deadline = now_ms() + 2 * ANSWER_MS;

	while (!racer->alone && now_ms() < deadline)
		racer_serve(racer);
}

unsigned int next_random(unsigned int *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 16;
}

long racer_manage(struct peer *racer)
{
	if (racer_open(racer))
		return RACE_LOST;
	/* The last one may not be released yet. */
	while (ioctl(racer->fd, BINDER_SET_CONTEXT_MGR, 0) &&
	       race_goes_on(racer))
		sched_yield();
	return peer_word(racer, BC_ENTER_LOOPER);
}

long race_mayfly(long self, long reads, long unused)
{
	struct peer *racer = (struct peer *)self;

	while (race_goes_on(racer)) {
		if (racer_manage(racer))
			return RACE_LOST;
		for (int i = 0; i < reads; i++)
			racer_serve(racer);
		racer_close(racer);
	}
	return 0;
}

long race_freezer(long self, long pid, long unused)
{
	struct peer *racer = (struct peer *)self;
	struct binder_freeze_info info = { .pid = pid };

	if (racer_open(racer))
		return RACE_LOST;
	for (int i = 0; race_goes_on(racer); i++) {
		info.enable = i % 2;
		info.timeout_ms = i % 3;
		ioctl(racer->fd, BINDER_FREEZE, &info);
	}
	info.enable = 0;
	/* The process may be no binder process any more. */
	if (ioctl(racer->fd, BINDER_FREEZE, &info) && errno != EINVAL)
		return race_lost(racer, "cannot thaw");
	racer_close(racer);
	return 0;
}

long race_reclaimer(long self, long unused, long unused2)
{
	struct peer *racer = (struct peer *)self;
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	while (race_goes_on(racer))
		if (write(fd, "2", 1) != 1)
			return race_lost(racer, "drop_caches failed");
	close(fd);
	return 0;
}

int race_run(struct race *races, int count)
{
	int lost = 0;

	for (int i = 0; i < count; i++) {
		if (!races[i].task)
			races[i].task = task_fork();
		if (!races[i].racer)
			races[i].racer = racer_new();
	}
	for (int i = 0; i < count; i++) {
		races[i].racer->alone = false;
		races[i].racer->until = now_ms() + RACE_MS;
		task_start(races[i].task, races[i].loop, (long)races[i].racer,
			   races[i].arg, 0);
	}
	for (int i = count - 1; i >= 0; i--) {
		long ret;

		races[i].racer->alone = true;
		ret = task_finish(races[i].task);
		if (!ret)
			continue;
		lost++;
		fprintf(stderr, "# racer %d: %ld: %s\n", i, ret,
			races[i].racer->copy);
	}
	return lost;
}

bool race_survived(void)
{
	struct peer *client, *server;

	if (binder_add(binder_dir, "survivor", NULL))
		return false;
	server = peer_open_as(task_fork(), "survivor", O_RDWR | O_NONBLOCK,
			      MAP_SIZE);
	client = peer_open_as(NULL, "survivor", O_RDWR | O_NONBLOCK, MAP_SIZE);
	if (peer_ioctl(server, BINDER_SET_CONTEXT_MGR, NULL) ||
	    peer_word(server, BC_ENTER_LOOPER) ||
	    peer_send(client, BC_TRANSACTION, MSG()))
		return false;
	must_read(server, "NOOP TRANSACTION");
	answer(server, MSG());
	must_read(client, "NOOP TRANSACTION_COMPLETE REPLY");
	return true;
}
