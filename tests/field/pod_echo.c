/* SPDX-License-Identifier: MIT */
/* The WebSocket side of a pod: what comes in goes out again, in order and unchanged. */
#include "pod.h"

#include <stdlib.h>
#include <string.h>

/* A message up to PIECE_BYTES goes back as one frame, however it was cut when it came. A longer one
 * goes back in frames of that size while it is still coming in, so memory stays bounded. */
enum {
	PIECE_BYTES = 65536,
	STALL_BYTES = 4 * PIECE_BYTES, /* queued: receive no more */
	RESUME_BYTES = PIECE_BYTES,
};

/* A frame to be sent, or a part of one that is being received. */
struct pod_piece {
	struct pod_piece *next;
	size_t bytes, room;
	int how; /* for lws_write() */
	unsigned char data[];
};

static unsigned char *payload(struct pod_piece *piece)
{
	return piece->data + LWS_PRE;
}

/* Appends to the piece being received, which is made or grows as needed. */
static bool collect(struct pod_session *session, const void *in, size_t len, size_t expected)
{
	struct pod_piece *piece = session->partial;
	size_t have = piece ? piece->bytes : 0;
	if (!piece || piece->room < have + len) {
		/* What the frame still announces is worth one allocation, but only up to a piece:
		 * the number is the client's. */
		size_t ahead = expected < PIECE_BYTES ? expected : PIECE_BYTES;
		size_t room = have + len + ahead;
		piece = realloc(piece, sizeof(*piece) + LWS_PRE + room);
		if (!piece)
			return false;
		if (!session->partial)
			*piece = (struct pod_piece){0};
		piece->room = room;
		session->partial = piece;
	}
	if (len > 0)
		memcpy(payload(piece) + have, in, len);
	piece->bytes = have + len;
	return true;
}

/* Hands the collected piece to the queue. */
static void enqueue(struct lws *wsi, struct pod_session *session, bool final)
{
	struct pod_piece *piece = session->partial;
	session->partial = NULL;
	int how = lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
	if (session->continues)
		how = LWS_WRITE_CONTINUATION;
	piece->how = final ? how : how | LWS_WRITE_NO_FIN;
	session->continues = !final;

	if (session->last)
		session->last->next = piece;
	else
		session->first = piece;
	session->last = piece;
	session->queued_bytes += piece->bytes;
}

static int on_receive(struct lws *wsi, struct pod_session *session, const void *in, size_t len)
{
	if (!collect(session, in, len, lws_remaining_packet_payload(wsi)))
		return -1;
	bool final = lws_is_final_fragment(wsi) != 0;
	if (!final && session->partial->bytes < PIECE_BYTES)
		return 0;

	enqueue(wsi, session, final);
	lws_callback_on_writable(wsi);
	if (!session->stalled && session->queued_bytes > STALL_BYTES) {
		session->stalled = true;
		lws_rx_flow_control(wsi, 0);
	}
	return 0;
}

/* Writes the first piece of the queue. A deflater goes on reading it until libwebsockets asks for
 * more, so it is kept until then. */
static bool send_first(struct lws *wsi, struct pod_session *session)
{
	struct pod_piece *piece = session->first;
	session->first = piece->next;
	if (!session->first)
		session->last = NULL;
	session->queued_bytes -= piece->bytes;
	free(session->sent);
	session->sent = piece;
	return lws_write(wsi, payload(piece), piece->bytes, (enum lws_write_protocol)piece->how) >=
	       0;
}

/* The deflater of libwebsockets 4.1 aborts on a message with nothing in it. */
static bool cannot_deflate(const struct pod_session *session)
{
	const struct pod_piece *piece = session->first;
	return session->deflates && piece->bytes == 0 &&
	       (piece->how == LWS_WRITE_TEXT || piece->how == LWS_WRITE_BINARY);
}

static int close_with(struct lws *wsi, enum lws_close_status code, const char *reason)
{
	unsigned char text[64]; /* libwebsockets wants what it only reads to be writable */
	lws_strncpy((char *)text, reason, sizeof(text));
	lws_close_reason(wsi, code, text, strlen(reason));
	return -1;
}

static int on_writable(struct lws *wsi, struct pod_session *session)
{
	free(session->sent);
	session->sent = NULL;
	if (session->closes)
		return close_with(wsi, LWS_CLOSE_STATUS_GOINGAWAY, "the pod stops");
	if (session->first && cannot_deflate(session))
		return close_with(wsi, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION,
			"cannot deflate an empty message");
	if (session->first && !send_first(wsi, session))
		return -1;
	if (session->stalled && session->queued_bytes <= RESUME_BYTES) {
		session->stalled = false;
		lws_rx_flow_control(wsi, 1);
	}
	if (session->first)
		lws_callback_on_writable(wsi);
	return 0;
}

static void drop_pieces(struct pod_session *session)
{
	free(session->sent);
	session->sent = NULL;
	free(session->partial);
	session->partial = NULL;
	while (session->first) {
		struct pod_piece *piece = session->first;
		session->first = piece->next;
		free(piece);
	}
	session->last = NULL;
}

int pod_echo_event(struct lws *wsi, enum lws_callback_reasons reason, struct pod_session *session,
	const void *in, size_t len)
{
	switch ((int)reason) {
	case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY:
		session->deflates = true;
		return 0;
	case LWS_CALLBACK_ESTABLISHED:
		session->wsi = wsi;
		pod_add(pod_of(wsi), session);
		return 0;
	case LWS_CALLBACK_RECEIVE:
		return on_receive(wsi, session, in, len);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return on_writable(wsi, session);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		/* Echoes that still wait go before the close that libwebsockets returns. A deflater
		 * takes one message a turn, so there they are lost. */
		while (session->first && !session->deflates)
			if (!send_first(wsi, session))
				return -1;
		return 0;
	case LWS_CALLBACK_CLOSED:
		drop_pieces(session);
		pod_remove(pod_of(wsi), session);
		return 0;
	default:
		return 0;
	}
}
