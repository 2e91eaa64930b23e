/* SPDX-License-Identifier: MIT */
/* What more than one place says: JSON, page, `status`, `top`, the log, /readyz, replays. */
#ifndef WSB_TERMS_H
#define WSB_TERMS_H

/*
 * Who has read one of them in the log finds it again on the page. What only one table says stands
 * there: verdicts in report/verdict, states of pods and remedies in report/report_pod, events in
 * events. tests/lint/test_words.py finds a sentence that is written a second time.
 */

/* HAProxy, and the weights that it has. */
#define TERM_HAPROXY_SILENT "HAProxy does not answer"
#define TERM_NOT_ANSWERED   "has not answered" /* HAProxy; for 25 s, yet, or why */
#define TERM_HAPROXY_AGAIN  "HAProxy answers again"
#define TERM_RELOADED       "HAProxy was reloaded or restarted"
#define TERM_DRY_RUN        "weights are planned and none is sent"

/* A backend. */
#define TERM_LEFT_ALONE  "left alone"
#define TERM_FIXED       "the weights of this algorithm are fixed"
#define TERM_FEW_KNOWN   "fewer than half of the pods are known, all weights are as configured"
#define TERM_CANNOT      "by new connections alone"    /* balance does not come */
#define TERM_NOT_ALL_YET "have not all been asked yet" /* the pods */

/* A pod. */
#define TERM_CANNOT_POLL "cannot be polled"
#define TERM_POLL_AGAIN  "can be polled again"
#define TERM_DISBELIEVED "not believed"
#define TERM_SEVERAL     "its answers differ from one connection to the next: one worker of several?"
#define TERM_DRAINING    "draining: gets nothing new"
#define TERM_BY_CHANCE   "by chance"
#define TERM_UNASKABLE   "cannot be asked"
#define TERM_LAST_ERROR  "last error: "

#endif
