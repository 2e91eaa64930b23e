/* SPDX-License-Identifier: MIT */
/* Tells the service manager how the agent stands: sd_notify(3), without its library. */
#ifndef WSB_NOTIFY_H
#define WSB_NOTIFY_H

struct ev_loop;
struct notify;

/*
 * One datagram a word, to the socket in NOTIFY_SOCKET; never waits. Where the manager watches
 * (WATCHDOG_USEC), a heartbeat goes out from the loop at half of that time, so a loop that hangs is
 * noticed. NULL where no manager asked to be told, or out of memory; all else here takes NULL.
 */
struct notify *notify_new(struct ev_loop *loop);
void notify_free(struct notify *notify);

/* "READY=1", "STOPPING=1", ...; further lines may follow in the same text. */
void notify_send(const struct notify *notify, const char *text);

#endif
