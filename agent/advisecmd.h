/* SPDX-License-Identifier: MIT */
/* `wsbalancer advise`. */
#ifndef WSB_ADVISECMD_H
#define WSB_ADVISECMD_H

/*
 * Looks at a HAProxy for some time through the Runtime API, by commands that only read, asks no
 * pod, and says what it saw and what the agent would gain. argv[0] is "advise". Returns the exit
 * status: 0 with a verdict, 1 without one, 2 after a wrong command line.
 */
int advisecmd_main(int argc, char **argv);

#endif
