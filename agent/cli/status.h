/* SPDX-License-Identifier: MIT */
/* `wsbalancer status`. */
#ifndef WSB_STATUS_H
#define WSB_STATUS_H

/* Prints a running agent's report once; argv[0] is "status". Returns the exit status: 0 when the
 * agent is ready, 1 when it is not or does not answer, 2 after a wrong command line. */
int status_main(int argc, char **argv);

#endif
