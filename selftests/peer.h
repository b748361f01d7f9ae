/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the Binder tests share: a binderfs instance and a device of their own
 * for each test, and peers, which are opens of that device.
 */
#ifndef BINDER_SELFTEST_PEER_H
#define BINDER_SELFTEST_PEER_H

#include <linux/android/binder.h>
#include <linux/android/binderfs.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "task.h"

#define MAP_SIZE (128 * 1024)
#define MAX_RETURNS 64
#define RELEASE_TIMEOUT_MS 5000

/* One return of a read: its BR_ word and its payload. */
struct ret {
	__u32 cmd;
	union {
		__s32 error;
		__u64 cookie;
		struct binder_ptr_cookie node;
		struct binder_frozen_state_info frozen;
		struct binder_transaction_data_secctx txn;
	};
};

/*
 * A peer is one open of the device, seen by one task: commands are collected
 * with put_*(), sent by peer_write(), and returns come with peer_read().
 * Peers live in the arena.
 */
struct peer {
	struct task *task;
	int fd;
	char *map;
	size_t map_size;
	struct binder_write_read bwr;	/* as the last ioctl left it */
	size_t out_len;
	size_t staged;
	long until;			/* when a racer's loop is to end */
	bool alone;			/* the racers behind it have ended */
	int nr_rets;
	struct ret rets[MAX_RETURNS];
	struct binder_transaction_data txn; /* of the last message read */
	/* Multiples of 8 after a __u64, so all are aligned. */
	char text[1024];
	char out[4096];
	char in[4096];
	char copy[16384];
	char stage[16384];
};

/*
 * What to send. data and offsets are copied to where the sender can reach
 * them, unless raw is set.
 */
struct msg {
	__u32 handle;
	__u32 code;
	__u32 flags;
	const void *data;
	size_t size;
	const void *offsets;
	size_t offsets_size;
	size_t extra;			/* buffers_size of the _SG commands */
	bool raw;
};

#define MSG(...) (&(struct msg){ __VA_ARGS__ })

/* Opening and closing */
struct peer *peer_open(struct task *task);
struct peer *peer_open_as(struct task *task, const char *dev, int flags,
			  size_t map_size);
struct peer *peer_manager(struct task *task);
struct peer *peer_thread(struct peer *peer, struct task *task);
void peer_unmap(struct peer *peer);
void peer_close_fd(struct peer *peer);
void peer_close(struct peer *peer);
void peer_close_own(void);

/* Commands */
void put_word(struct peer *peer, __u32 cmd);
void put_u32(struct peer *peer, __u32 cmd, __u32 arg);
void put_u64(struct peer *peer, __u32 cmd, __u64 arg);
void put_node(struct peer *peer, __u32 cmd, __u64 ptr, __u64 cookie);
void put_handle_cookie(struct peer *peer, __u32 cmd, __u32 handle,
		       __u64 cookie);
void put_msg(struct peer *peer, __u32 cmd, const struct msg *msg);

/* Each returns 0 or -errno. */
int peer_ioctl(struct peer *peer, unsigned int cmd, void *arg);
int peer_become_manager(struct peer *peer);
void peer_ioctl_start(struct peer *peer, unsigned int cmd, void *arg);
int peer_submit(struct peer *peer);
int peer_write(struct peer *peer);
int peer_send(struct peer *peer, __u32 cmd, const struct msg *msg);
int peer_word(struct peer *peer, __u32 cmd);
int peer_free(struct peer *peer, __u64 buffer);
int peer_free_last(struct peer *peer);

/*
 * Reads once and returns what came as text, "NOOP TRANSACTION_COMPLETE", or
 * the name of the error, "EAGAIN".
 */
const char *peer_read(struct peer *peer);
const char *peer_write_read(struct peer *peer);

/* A read by a task that is expected to block. */
void peer_read_start(struct peer *peer);
const char *peer_read_finish(struct peer *peer);

/* The last message's payload, copied from the peer's mapping. */
const void *peer_data(struct peer *peer);
const void *peer_peek(struct peer *peer, __u64 addr, size_t len);
const char *peer_string(struct peer *peer);

/* BINDER_GET_EXTENDED_ERROR as text: "FAILED_REPLY EINVAL" */
const char *peer_error(struct peer *peer);

bool peer_readable(struct peer *peer);
void peer_set_nonblock(struct peer *peer, bool on);

/* The signal that reading a byte at addr raises, or 0 */
int peer_touch(struct peer *peer, const void *addr);

const char *cmd_name(__u32 cmd);
const char *error_name(int error);

/* The instance and its device */
extern int binder_dir;			/* root of this test's binderfs */
#define BINDER_DEV "test"

/* Skips the test where it cannot run. */
void binder_setup(void);
/* Returns "" or what was not given back. */
const char *binder_teardown(void);
int binder_mount(const char *key, const char *value);
int binder_add(int dir, const char *name, struct binderfs_device *dev);
int binder_open_at(int dir, const char *name, int flags);
long binder_count(const char *name);
/* What a short file has, or the name of the error; the next call reuses it. */
const char *binder_file(int dir, const char *name);
/* For a task: makes uid 1000 root of new user, mount and IPC namespaces. */
long enter_user_namespace(long unused, long unused2, long unused3);

/*
 * Whether binder_safe is under test, which is meant to be better than the C
 * driver in places. BINDER_DRIVER in the environment may say so ("safe") or not
 * ("c", "rust"); otherwise the driver itself does.
 */
bool is_binder_safe(void);
/* What the driver itself says */
bool takes_mode(void);

#endif
