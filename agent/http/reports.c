/* SPDX-License-Identifier: MIT */
/* Who waits for which report, and the one that is being written. */
#include "http/reports.h"

#include <ev.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "http/gzip.h"
#include "http/process.h"
#include "http/suspended.h"
#include "io/clock.h"

enum {
	N_ENTRIES = 16,
	HELD_MAX = 64, /* half of the places that a socket has: probes get in */
	ROWS = 50,     /* between two looks at the clock */
	OVERTAKEN_MAX = 2,
	KEPT_TIMES = 20,
	KEPT_MAX_US = 1000000,
	SECOND_US = 1000000,
	SPENT_MAX_US = 300000, /* of each second */
	SLICE_US = 8000,       /* of a turn of the loop */
	/* Whoever was held asks again at once. */
	KEPT_MIN_US = 200000,
};

/* Of reports that slow readers have not read yet. */
static const size_t ALIVE_MAX_BYTES = (size_t)64 * 1024 * 1024;

struct reports_text {
	struct reports *reports;
	size_t n_holders;
	struct buf buf;
	int64_t begun_ms;
};

enum state { EMPTY, WAITING, WRITING, READY };

/* A report that somebody has asked for. */
struct entry {
	enum state state;
	uint64_t number; /* those that wait are written in this order */
	struct reports_wish wish;
	char *service; /* the wish's own */
	char *pod;
	struct suspended suspended;
	/* While it is written: */
	struct report_writer *writer;
	struct gzip *gzip;
	struct buf text;
	int64_t begun_ms;
	int64_t cost_us;
	unsigned n_overtaken;
	/* When it is ready: */
	struct reports_text *done;
	int64_t until_us;
};

struct reports {
	struct reports_options options;
	struct entry entries[N_ENTRIES];
	struct buf piece; /* of a report, before it is compressed */
	ev_timer work;    /* runs while something is to be written */
	ev_timer expire;
	uint64_t n_asked;
	unsigned turn;     /* the turn of the loop in which something was written last */
	int64_t second_us; /* when the second began in which so much was spent: */
	int64_t spent_us;
	size_t alive_bytes;
	size_t n_texts;
	bool closed; /* texts are still alive */
};

/* ---- texts ---- */

static void end_if_closed(struct reports *reports)
{
	if (reports->closed && reports->n_texts == 0)
		free(reports);
}

static struct reports_text *text_new(struct reports *reports, struct entry *entry)
{
	struct reports_text *text = calloc(1, sizeof(*text));

	if (!text)
		return NULL;
	text->reports = reports;
	text->n_holders = 1;
	text->begun_ms = entry->begun_ms;
	text->buf = entry->text;
	entry->text = (struct buf){.bytes = NULL};
	reports->alive_bytes += text->buf.len;
	reports->n_texts++;
	return text;
}

void reports_text_release(void *arg)
{
	struct reports_text *text = arg;
	struct reports *reports;

	if (!text || --text->n_holders > 0)
		return;
	reports = text->reports;
	reports->alive_bytes -= text->buf.len;
	reports->n_texts--;
	buf_fini(&text->buf);
	free(text);
	end_if_closed(reports);
}

const char *reports_text_bytes(const struct reports_text *text, size_t *len)
{
	*len = text->buf.len;
	return buf_text(&text->buf);
}

int64_t reports_text_age_ms(const struct reports_text *text)
{
	return clock_now_ms() - text->begun_ms;
}

/* ---- entries ---- */

static void forget_writing(struct entry *entry)
{
	report_writer_free(entry->writer);
	gzip_free(entry->gzip);
	buf_fini(&entry->text);
	entry->writer = NULL;
	entry->gzip = NULL;
}

/* Nobody may wait for it. */
static void entry_clear(struct entry *entry)
{
	forget_writing(entry);
	reports_text_release(entry->done);
	free(entry->service);
	free(entry->pod);
	*entry = (struct entry){.state = EMPTY};
}

static bool is_same(const struct reports_wish *a, const struct reports_wish *b)
{
	return a->format == b->format && a->gzip == b->gzip && a->refresh_s == b->refresh_s &&
	       text_is_same(a->service, b->service) && text_is_same(a->pod, b->pod);
}

static struct entry *find(struct reports *reports, const struct reports_wish *wish)
{
	for (size_t i = 0; i < N_ENTRIES; i++) {
		struct entry *entry = &reports->entries[i];

		if (entry->state != EMPTY && is_same(&entry->wish, wish))
			return entry;
	}
	return NULL;
}

/* An entry for a wish in the place of one that nobody waits for. NULL when there is none, or out of
 * memory. */
static struct entry *make_entry(struct reports *reports, const struct reports_wish *wish)
{
	struct entry *found = NULL;

	for (size_t i = 0; i < N_ENTRIES; i++) {
		struct entry *entry = &reports->entries[i];

		if (entry->state != EMPTY && entry->state != READY)
			continue;
		if (!found || entry->state == EMPTY ||
			(found->state == READY && entry->until_us < found->until_us))
			found = entry;
	}
	if (!found)
		return NULL;
	entry_clear(found);
	found->wish = *wish;
	if (wish->service)
		found->wish.service = found->service = strdup(wish->service);
	if (wish->pod)
		found->wish.pod = found->pod = strdup(wish->pod);
	if ((wish->service && !found->service) || (wish->pod && !found->pod)) {
		entry_clear(found);
		return NULL;
	}
	return found;
}

static struct entry *next_entry(struct reports *reports)
{
	struct entry *next = NULL;

	for (size_t i = 0; i < N_ENTRIES; i++) {
		struct entry *entry = &reports->entries[i];

		if ((entry->state == WAITING || entry->state == WRITING) &&
			(!next || entry->number < next->number))
			next = entry;
	}
	return next;
}

/* ---- writing ---- */

static bool begin(struct reports *reports, struct entry *entry)
{
	bool is_series =
		entry->wish.format == REPORT_PROMETHEUS || entry->wish.format == REPORT_OPENMETRICS;
	struct report_process process;
	struct report_view view = {0};

	forget_writing(entry);
	reports->options.view(&view, reports->options.arg);
	if (is_series) {
		process_read(&process);
		view.process = &process;
	} else {
		view.service = entry->wish.service;
		view.pod = entry->wish.pod;
		view.refresh_s = entry->wish.refresh_s;
	}
	entry->begun_ms = clock_now_ms();
	entry->writer = report_writer_new(entry->wish.format, &view);
	if (entry->wish.gzip)
		entry->gzip = gzip_new();
	entry->state = WRITING;
	return entry->writer && (entry->gzip || !entry->wish.gzip);
}

/* Writes so many rows. */
static enum report_progress go_on(struct reports *reports, struct entry *entry, size_t n_rows)
{
	enum report_progress progress;

	if (!entry->gzip)
		return report_writer_go_on(entry->writer, &entry->text, n_rows);
	buf_clear(&reports->piece);
	progress = report_writer_go_on(entry->writer, &reports->piece, n_rows);
	if (progress == REPORT_GOES_ON || progress == REPORT_WRITTEN)
		gzip_add(entry->gzip, &reports->piece, progress == REPORT_WRITTEN, &entry->text);
	return entry->text.failed ? REPORT_OUT_OF_MEMORY : progress;
}

static void release(struct reports *reports, struct entry *entry)
{
	bool any = entry->suspended.n_held > 0;

	suspended_release(&entry->suspended);
	if (any)
		reports->options.resumed(reports->options.arg);
}

/* Whoever waits for it is told. */
static void fail(struct reports *reports, struct entry *entry)
{
	forget_writing(entry);
	entry->state = READY; /* without a text */
	release(reports, entry);
	if (entry->state == READY && !entry->done)
		entry_clear(entry);
}

static void finish(struct reports *reports, struct entry *entry)
{
	int64_t kept_us = KEPT_TIMES * entry->cost_us;

	entry->done = text_new(reports, entry);
	forget_writing(entry);
	if (!entry->done) {
		fail(reports, entry);
		return;
	}
	entry->state = READY;
	entry->until_us = clock_now_us() + (kept_us < KEPT_MAX_US ? kept_us : KEPT_MAX_US);
	if (!ev_is_active(&reports->expire))
		ev_timer_again(reports->options.loop, &reports->expire);
	release(reports, entry);
}

static void spend(struct reports *reports, struct entry *entry, int64_t cost_us)
{
	entry->cost_us += cost_us;
	reports->spent_us += cost_us;
}

/* Writes a piece. */
static void write_piece(struct reports *reports, struct entry *entry)
{
	bool in_one = entry->n_overtaken > OVERTAKEN_MAX;
	enum report_progress progress = REPORT_GOES_ON;
	int64_t began_us = clock_cpu_us();
	int64_t cost_us = 0;

	reports->turn = ev_iteration(reports->options.loop);
	if (!entry->writer && !begin(reports, entry))
		progress = REPORT_OUT_OF_MEMORY;
	while (progress == REPORT_GOES_ON && (in_one || cost_us < SLICE_US)) {
		progress = go_on(reports, entry, ROWS);
		cost_us = clock_cpu_us() - began_us;
	}
	spend(reports, entry, clock_cpu_us() - began_us);
	if (progress == REPORT_OVERTAKEN) {
		entry->n_overtaken++;
		forget_writing(entry);
	} else if (progress == REPORT_WRITTEN) {
		finish(reports, entry);
	} else if (progress == REPORT_OUT_OF_MEMORY) {
		fail(reports, entry);
	}
}

/* How long until something may be written again, s. */
static double pause_s(struct reports *reports)
{
	int64_t now_us = clock_now_us();

	if (now_us - reports->second_us >= SECOND_US) {
		reports->second_us = now_us;
		reports->spent_us = 0;
	}
	if (reports->spent_us < SPENT_MAX_US)
		return 0.0;
	return (double)(reports->second_us + SECOND_US - now_us) / 1e6;
}

static void work_on(struct reports *reports)
{
	if (!next_entry(reports))
		return;
	ev_timer_stop(reports->options.loop, &reports->work);
	ev_timer_set(&reports->work, pause_s(reports), 0.0);
	ev_timer_start(reports->options.loop, &reports->work);
}

static void on_work(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct reports *reports = timer->data;
	struct entry *entry = next_entry(reports);

	(void)loop;
	(void)events;
	if (entry && pause_s(reports) <= 0.0)
		write_piece(reports, entry);
	work_on(reports);
}

/* Old ones go, so that their memory does. */
static void on_expire(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct reports *reports = timer->data;
	int64_t now_us = clock_now_us();
	bool any = false;

	(void)events;
	for (size_t i = 0; i < N_ENTRIES; i++) {
		struct entry *entry = &reports->entries[i];

		if (entry->state == READY && entry->until_us + KEPT_MIN_US < now_us)
			entry_clear(entry);
		any = any || entry->state == READY;
	}
	if (!any) {
		ev_timer_stop(loop, timer);
		buf_fini(&reports->piece);
	}
}

/* ---- from outside ---- */

struct reports *reports_new(const struct reports_options *options)
{
	struct reports *reports = calloc(1, sizeof(*reports));

	if (!reports)
		return NULL;
	reports->options = *options;
	ev_init(&reports->work, on_work);
	reports->work.data = reports;
	ev_init(&reports->expire, on_expire);
	reports->expire.repeat = KEPT_MIN_US / 1e6;
	reports->expire.data = reports;
	return reports;
}

void reports_free(struct reports *reports)
{
	if (!reports)
		return;
	ev_timer_stop(reports->options.loop, &reports->work);
	ev_timer_stop(reports->options.loop, &reports->expire);
	for (size_t i = 0; i < N_ENTRIES; i++)
		entry_clear(&reports->entries[i]);
	buf_fini(&reports->piece);
	reports->closed = true;
	end_if_closed(reports);
}

size_t reports_n_held(const struct reports *reports)
{
	size_t n = 0;

	for (size_t i = 0; i < N_ENTRIES; i++)
		n += reports->entries[i].suspended.n_held;
	return n;
}

void reports_abandon(struct reports *reports)
{
	for (size_t i = 0; i < N_ENTRIES; i++)
		suspended_release(&reports->entries[i].suspended);
}

static enum reports_outcome give(struct entry *entry, struct reports_text **text)
{
	*text = entry->done;
	if (!entry->done)
		return REPORTS_FAILED;
	entry->done->n_holders++;
	return REPORTS_READY;
}

enum reports_outcome reports_get(struct reports *reports, const struct reports_wish *wish,
	struct MHD_Connection *connection, bool again, struct reports_text **text)
{
	struct entry *entry = find(reports, wish);
	bool is_idle = !next_entry(reports);

	if (entry && entry->state == READY && (again || clock_now_us() < entry->until_us))
		return give(entry, text);
	if (again || reports->alive_bytes > ALIVE_MAX_BYTES || reports_n_held(reports) >= HELD_MAX)
		return REPORTS_CROWDED;
	if (!entry || entry->state == READY) {
		if (entry)
			entry_clear(entry);
		entry = make_entry(reports, wish);
		if (!entry)
			return REPORTS_CROWDED;
		entry->state = WAITING;
		entry->number = ++reports->n_asked;
	}
	/* Most are written at once: one in each turn of the loop. */
	if (is_idle && reports->turn != ev_iteration(reports->options.loop) &&
		pause_s(reports) <= 0.0) {
		write_piece(reports, entry);
		if (entry->state == READY)
			return give(entry, text);
		if (entry->state == EMPTY)
			return REPORTS_FAILED;
	}
	work_on(reports);
	return suspended_hold(&entry->suspended, connection) ? REPORTS_HELD : REPORTS_CROWDED;
}
