/* SPDX-License-Identifier: MIT */
#include "haproxy/certificates.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/haproxy/commands.h"
#include "core/haproxy/hareply.h"
#include "haproxy/certfile.h"
#include "io/clock.h"
#include "io/log.h"

/* Between two looks; the first comes early, as does one after a loss or a change. */
static const double LOOK_S = 10.0;
static const double EARLY_S = 1.0;

/* A certificate, from one look to the next. */
struct entry {
	struct hacert now;                  /* as HAProxy told last; its name is the entry's */
	struct certfile file;               /* none where nothing is given */
	char whole[CERTIFICATE_PRINT_SIZE]; /* of the file that HAProxy has it from; "": not known
					     */
	int64_t given_ms;                   /* when it was last given, monotonic; 0: never */
	struct log_repeat failures;
	char failed[400]; /* why the file has not been given; "": it has */
};

struct certificates {
	struct ev_loop *loop;
	struct runtime *runtime;
	bool gives;
	ev_timer look;
	bool busy;                   /* an answer is waited for */
	struct hastate_info process; /* whose certificates these are; pid 0: not known */
	struct hacerts told;         /* of the look under way */
	struct commands questions;   /* of the same */
	size_t asked;                /* of the questions' lines */
	struct entry *entries;
	size_t n;
	size_t giving;                 /* the entry whose turn it is to be looked at and given */
	struct certificate_print want; /* of what is on its way to HAProxy */
	char *pem;                     /* the same; NULL: nothing is */
	bool again;                    /* it is, by the other name */
	bool changed;                  /* HAProxy has taken one since the look began */
	uint64_t n_given;
	bool told_left_out;
	struct hacerts_status *report;
};

/* ---- the end of a look ---- */

static void end_look(struct certificates *certs)
{
	certs->busy = false;
	hacerts_fini(&certs->told);
	commands_fini(&certs->questions);
	certfile_forget(certs->pem);
	certs->pem = NULL;
}

static void say(struct certificates *certs, const char *line, runtime_done done)
{
	if (!line || !runtime_send(certs->runtime, line, done, certs))
		end_look(certs);
}

/* Sends one command on the entry whose turn it is. */
static void command(struct certificates *certs, const char *words, const char *prefix,
	const char *suffix, runtime_done done)
{
	struct buf line = {.len = 0};

	hacerts_write(&line, words, prefix, certs->entries[certs->giving].now.name, suffix);
	buf_putc(&line, '\n');
	say(certs, line.failed ? NULL : line.bytes, done);
	buf_fini(&line);
}

static void look_early(struct certificates *certs)
{
	ev_timer_stop(certs->loop, &certs->look);
	ev_timer_set(&certs->look, EARLY_S, LOOK_S);
	ev_timer_start(certs->loop, &certs->look);
}

/* HAProxy's silence is told by the rounds. */
static bool is_lost(struct certificates *certs, const struct runtime_reply *reply)
{
	if (reply->outcome == RUNTIME_OK)
		return false;
	end_look(certs);
	look_early(certs);
	return true;
}

/* ---- giving a renewed certificate ---- */

static void give_next(struct certificates *certs);

static void go_on(struct certificates *certs)
{
	certfile_forget(certs->pem);
	certs->pem = NULL;
	certs->giving++;
	give_next(certs);
}

static void note_failure(struct entry *entry, const char *why)
{
	/* Another reason is news. */
	if (strcmp(entry->failed, why) != 0)
		log_repeat_end(&entry->failures);
	snprintf(entry->failed, sizeof(entry->failed), "%s", why);
	if (log_repeat(&entry->failures)) {
		log_warn("HAProxy has not got a certificate from its file",
			log_str("file", entry->now.name), log_str("error", why),
			log_int("times", (int64_t)entry->failures.times));
	}
}

static void note_success(struct certificates *certs, struct entry *entry)
{
	certs->n_given++;
	certs->changed = true;
	entry->given_ms = clock_now_ms();
	log_repeat_end(&entry->failures);
	entry->failed[0] = '\0';
	memcpy(entry->whole, certs->want.whole, sizeof(entry->whole));
	log_info("HAProxy has got a renewed certificate", log_str("file", entry->now.name));
}

static void on_aborted(const struct runtime_reply *reply, void *arg)
{
	struct certificates *certs = arg;

	if (!is_lost(certs, reply))
		go_on(certs);
}

/* Gives it up, for this look: nothing stays open that somebody else could commit. */
static void give_up(struct certificates *certs, const char *why)
{
	note_failure(&certs->entries[certs->giving], why);
	command(certs, "abort ssl cert", "", "", on_aborted);
}

/* Of the process that just answered, as of no other. */
static void on_committed(const struct runtime_reply *reply, void *arg)
{
	struct certificates *certs = arg;
	struct entry *entry = &certs->entries[certs->giving];
	char words[300];

	if (is_lost(certs, reply))
		return;
	if (!hacerts_read_commit(reply->bytes, reply->len, words, sizeof(words))) {
		give_up(certs, words);
		return;
	}
	note_success(certs, entry);
	go_on(certs);
}

/* What HAProxy has taken is what was meant. */
static void on_shown(const struct runtime_reply *reply, void *arg)
{
	struct certificates *certs = arg;
	char name[PATH_MAX + 2];
	struct hacert taken = {.name = name};
	struct hacerts one = {.list = &taken, .n = 1};

	if (is_lost(certs, reply))
		return;
	snprintf(name, sizeof(name), "*%s", certs->entries[certs->giving].now.name);
	hacerts_read_details(reply->bytes, reply->len, &one);
	if (strcmp(taken.sha1, certs->want.sha1) == 0)
		command(certs, "commit ssl cert", "", "", on_committed);
	else
		give_up(certs, "HAProxy has got another certificate from somebody else");
}

static void send_pem(struct certificates *certs);

/* Whose transaction our certificate is in, it must not be committed there. */
static void undo_mixture(struct certificates *certs, const char *transaction)
{
	struct buf line = {.len = 0};

	note_failure(&certs->entries[certs->giving],
		"somebody else was changing another certificate: that was given up");
	hacerts_write(&line, "abort ssl cert", "", transaction, "");
	buf_putc(&line, '\n');
	say(certs, line.failed ? NULL : line.bytes, on_aborted);
	buf_fini(&line);
}

static void note_too_large(struct certificates *certs)
{
	char why[200];

	snprintf(why, sizeof(why),
		"its %zu bytes with the key do not fit HAProxy's buffer: raise tune.bufsize in "
		"haproxy.cfg above that, or shorten the chain",
		strlen(certs->pem));
	note_failure(&certs->entries[certs->giving], why);
}

static void on_set(const struct runtime_reply *reply, void *arg)
{
	struct certificates *certs = arg;
	struct entry *entry = &certs->entries[certs->giving];
	enum hacerts_outcome outcome = HACERTS_TOO_LARGE;
	char words[300];

	/* Far beyond its buffer HAProxy breaks off, and answers nothing. */
	if (reply->outcome != RUNTIME_BROKEN) {
		if (is_lost(certs, reply))
			return;
		outcome = hacerts_read_set(
			reply->bytes, reply->len, entry->now.name, words, sizeof(words));
	}
	switch (outcome) {
	case HACERTS_TAKEN:
		command(certs, "show ssl cert", "*", "", on_shown);
		return;
	case HACERTS_MIXED_UP:
		undo_mixture(certs, words);
		return;
	case HACERTS_UNKNOWN:
		if (!certs->again) {
			certs->again = true;
			send_pem(certs);
			return;
		}
		note_failure(entry, words);
		break;
	case HACERTS_TOO_LARGE:
		note_too_large(certs);
		break;
	case HACERTS_REFUSED:
		note_failure(entry, words);
		break;
	}
	go_on(certs);
}

static void send_pem(struct certificates *certs)
{
	struct buf line = {.len = 0};

	/* All at once, so that no half of the key is left behind where the buffer grows. */
	buf_reserve(&line,
		strlen(certs->pem) + 2 * strlen(certs->entries[certs->giving].now.name) + 64);
	hacerts_write_set(&line, certs->entries[certs->giving].now.name, certs->again ? ".crt" : "",
		certs->pem);
	say(certs, line.failed ? NULL : line.bytes, on_set);
	if (line.bytes)
		explicit_bzero(line.bytes, line.len);
	buf_fini(&line);
}

/* Whether the entry's file is to be given; *why is "" where it is as HAProxy has it. */
static bool is_renewed(struct entry *entry, struct why *why)
{
	why->text[0] = '\0';
	if (!entry->file.file.path || !entry->now.sha1[0] || !certfile_look(&entry->file, why))
		return false;
	if (strcmp(entry->file.print.sha1, entry->now.sha1) != 0)
		return true;
	/* The same certificate: HAProxy took it from this file, as far as anybody knows; its chain
	 * may be another since. */
	if (!entry->whole[0])
		memcpy(entry->whole, entry->file.print.whole, sizeof(entry->whole));
	return strcmp(entry->whole, entry->file.print.whole) != 0;
}

/* Begins to give an entry's file. False: there is nothing to wait for. */
static bool give(struct certificates *certs, struct entry *entry)
{
	struct why why;

	if (!is_renewed(entry, &why)) {
		if (why.text[0])
			note_failure(entry, why.text);
		else
			entry->failed[0] = '\0';
		return false;
	}
	if (certs->told.transaction && strcmp(certs->told.transaction, entry->now.name) != 0) {
		note_failure(entry, "somebody else is changing another certificate: it waits for "
				    "that to be committed or aborted");
		return false;
	}
	certs->pem = certfile_read_pair(&entry->file, &why);
	if (!certs->pem) {
		note_failure(entry, why.text);
		return false;
	}
	certs->want = entry->file.print;
	certs->again = false;
	send_pem(certs);
	return true;
}

static void give_next(struct certificates *certs)
{
	for (; certs->gives && certs->giving < certs->n; certs->giving++) {
		if (give(certs, &certs->entries[certs->giving]))
			return;
	}
	end_look(certs);
	/* What it says of itself now is for the reports. */
	if (certs->changed)
		look_early(certs);
	certs->changed = false;
}

/* ---- a look ---- */

static void entry_fini(struct entry *entry)
{
	free(entry->now.name);
	certfile_fini(&entry->file);
}

static void forget_entries(struct certificates *certs)
{
	for (size_t i = 0; i < certs->n; i++)
		entry_fini(&certs->entries[i]);
	free(certs->entries);
	free(certs->report);
	certs->entries = NULL;
	certs->report = NULL;
	certs->n = 0;
}

static struct entry *find_entry(const struct certificates *certs, const char *name)
{
	for (size_t i = 0; i < certs->n; i++) {
		if (certs->entries[i].now.name && strcmp(certs->entries[i].now.name, name) == 0)
			return &certs->entries[i];
	}
	return NULL;
}

/* The entry of a name that HAProxy told, with what is known of it. */
static bool make_entry(struct certificates *certs, struct hacert *told, struct entry *to)
{
	struct entry *known = find_entry(certs, told->name);

	*to = (struct entry){.failed = ""};
	if (known) {
		*to = *known;
		known->now.name = NULL;
		known->file = (struct certfile){.print = {.sha1 = ""}};
		free(to->now.name);
	}
	to->now = *told;
	told->name = NULL;
	if (!certs->gives) {
		certfile_fini(&to->file);
		to->failed[0] = '\0';
	}
	return !certs->gives || to->file.file.path || to->now.name[0] != '/' ||
	       certfile_init(&to->file, to->now.name);
}

/* The entries are those that HAProxy told, in its order. False when out of memory. */
static bool update_entries(struct certificates *certs)
{
	size_t n = certs->told.n;
	struct entry *entries = calloc(n + 1, sizeof(*entries));
	struct hacerts_status *report = calloc(n + 1, sizeof(*report));
	bool ok = entries && report;
	size_t made = 0;

	for (; ok && made < n; made++)
		ok = make_entry(certs, &certs->told.list[made], &entries[made]);
	forget_entries(certs);
	certs->entries = entries;
	certs->report = report;
	certs->n = entries ? made : 0;
	if (!ok)
		forget_entries(certs);
	return ok;
}

/* Another process has read the files anew, so what the last one had says nothing. */
static void see_process(struct certificates *certs, const struct hastate_info *info)
{
	if (hastate_is_same_process(&certs->process, info))
		return;
	certs->process = *info;
	for (size_t i = 0; i < certs->n; i++)
		certs->entries[i].whole[0] = '\0';
}

static void on_process(const struct runtime_reply *reply, void *arg)
{
	struct certificates *certs = arg;
	struct hastate_snapshot snapshot = {.n_backends = 0};

	if (is_lost(certs, reply))
		return;
	if (hareply_parse(reply->bytes, reply->len, &snapshot, NULL) != HAREPLY_OK) {
		end_look(certs);
		return;
	}
	/* An old worker may have told: the next look is of the new one. */
	if (snapshot.info.stopping || !update_entries(certs)) {
		end_look(certs);
	} else {
		see_process(certs, &snapshot.info);
		certs->giving = 0;
		give_next(certs);
	}
	hastate_fini(&snapshot);
}

static void ask_next(struct certificates *certs);

static void on_details(const struct runtime_reply *reply, void *arg)
{
	struct certificates *certs = arg;

	if (is_lost(certs, reply))
		return;
	hacerts_read_details(reply->bytes, reply->len, &certs->told);
	ask_next(certs);
}

static void ask_next(struct certificates *certs)
{
	if (certs->asked < certs->questions.n_lines)
		say(certs, certs->questions.lines[certs->asked++], on_details);
	else
		say(certs, "show info\n", on_process);
}

static void write_questions(struct certificates *certs)
{
	certs->asked = 0;
	for (size_t i = 0; i < certs->told.n; i++) {
		struct buf line = {.len = 0};

		hacerts_write(&line, "show ssl cert", "", certs->told.list[i].name, "");
		/* One that fits no line is shown without its end. */
		if (!line.failed)
			commands_append(&certs->questions, line.bytes);
		buf_fini(&line);
	}
}

static void on_names(const struct runtime_reply *reply, void *arg)
{
	struct certificates *certs = arg;

	if (is_lost(certs, reply))
		return;
	if (!hacerts_read_names(reply->bytes, reply->len, &certs->told)) {
		end_look(certs);
		return;
	}
	if (certs->told.n_left_out > 0 && !certs->told_left_out) {
		certs->told_left_out = true;
		log_warn("HAProxy has more certificates than are looked at",
			log_int("looked_at", HACERTS_MAX),
			log_int("left_out", (int64_t)certs->told.n_left_out));
	}
	write_questions(certs);
	ask_next(certs);
}

static void on_look(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct certificates *certs = timer->data;

	(void)loop;
	(void)events;
	if (certs->busy)
		return;
	certs->busy = true;
	say(certs, "show ssl cert\n", on_names);
}

/* ---- from outside ---- */

struct certificates *certificates_new(struct ev_loop *loop)
{
	struct certificates *certs = calloc(1, sizeof(*certs));

	if (!certs)
		return NULL;
	certs->loop = loop;
	ev_init(&certs->look, on_look);
	certs->look.data = certs;
	return certs;
}

void certificates_free(struct certificates *certs)
{
	if (!certs)
		return;
	ev_timer_stop(certs->loop, &certs->look);
	end_look(certs);
	forget_entries(certs);
	free(certs);
}

void certificates_configure(struct certificates *certs, struct runtime *runtime, bool gives)
{
	if (runtime == certs->runtime && gives == certs->gives)
		return;
	if (runtime != certs->runtime) {
		/* The answer goes with the old way, and these may be another HAProxy's. */
		end_look(certs);
		forget_entries(certs);
		certs->process = (struct hastate_info){.pid = 0};
	}
	certs->runtime = runtime;
	certs->gives = gives;
	if (runtime)
		look_early(certs);
	else
		ev_timer_stop(certs->loop, &certs->look);
}

const struct hacerts_status *certificates_report(struct certificates *certs, size_t *n)
{
	*n = certs->n;
	for (size_t i = 0; i < certs->n; i++) {
		const struct entry *entry = &certs->entries[i];

		certs->report[i] = (struct hacerts_status){
			.file = entry->now.name,
			.begins_s = entry->now.begins_s,
			.ends_s = entry->now.ends_s,
			.given_ms = entry->given_ms,
			.failed = entry->failed[0] ? entry->failed : NULL,
		};
	}
	return certs->report;
}

uint64_t certificates_given(const struct certificates *certs)
{
	return certs->n_given;
}
