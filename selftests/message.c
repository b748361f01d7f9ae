// SPDX-License-Identifier: GPL-2.0
/* Builds commands, sends them, and puts what comes back into words. */

#include <stdio.h>

#include "peer.h"

static long do_copy(long to, long from, long len)
{
	memcpy((void *)to, (const void *)from, len);
	return 0;
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
		strcat(peer->text, error_name(-error));
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
	peer_ioctl_start(peer, BINDER_WRITE_READ, &peer->bwr);
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
