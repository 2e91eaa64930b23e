/* SPDX-License-Identifier: MIT */
/* `wsbalancer top`. */
#ifndef WSB_TOP_H
#define WSB_TOP_H

/* Shows a running agent's pods in the terminal until q or a signal; argv[0] is "top". Returns the
 * exit status: 0, 1 when there is no terminal or something cannot be opened, 2 after a wrong
 * command line. */
int top_main(int argc, char **argv);

#endif
