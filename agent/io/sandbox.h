/* SPDX-License-Identifier: MIT */
/* What the agent gives up for good once it runs: rights that it never needs. */
#ifndef WSB_SANDBOX_H
#define WSB_SANDBOX_H

#include <stdbool.h>

/*
 * No new privileges from now on, for this process and its children, and a filter of system calls:
 * what an agent never does, such as to execute a program, to trace, to mount, to load code into the
 * kernel or to open sockets other than UNIX, INET, INET6 and NETLINK, fails with EPERM. It never
 * kills: what is missing in the list, or wrong in it, costs a call and not the agent. In a build
 * with sanitizers, which stop and read themselves to look for leaks, that much is left. False when
 * the kernel, or something around it, refuses.
 */
bool sandbox_enter(void);

/* The process holds secrets: no core dump of it is written, and others of its user cannot trace it.
 */
void sandbox_hide_memory(void);

#endif
