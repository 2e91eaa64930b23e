/* SPDX-License-Identifier: MIT */
/* HAProxy's certificates: its answers as captured from 2.6.12, 3.0.11 and 3.2.26, and PEM for it.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/haproxy/hacerts.h"
#include "core/haproxy/pem.h"
#include "run.h"

static struct hacerts names_of(const char *reply)
{
	struct hacerts certs;

	ck_assert(hacerts_read_names(reply, strlen(reply), &certs));
	return certs;
}

START_TEST(names_and_an_open_transaction_are_read)
{
	struct hacerts certs = names_of("# transaction\n*/etc/tls/b.pem\n# filename\n"
					"/etc/tls/a.crt\n/etc/tls/b.pem\n@web/site\n\n");

	ck_assert_uint_eq(certs.n, 3);
	ck_assert_str_eq(certs.list[0].name, "/etc/tls/a.crt");
	ck_assert_str_eq(certs.list[2].name, "@web/site");
	ck_assert_str_eq(certs.transaction, "/etc/tls/b.pem");
	hacerts_fini(&certs);
}
END_TEST

static const char *const no_names[] = {
	"",
	"\n",
	"# filename\n\n",
	"Permission denied\n\n",
	"Unknown command: 'show ssl cert', but maybe one of the following ones is a better match:\n"
	"  show ssl ca-file\n\n",
};

START_TEST(whoever_tells_no_names_has_none)
{
	struct hacerts certs = names_of(no_names[_i]);

	ck_assert_uint_eq(certs.n, 0);
	ck_assert_ptr_null(certs.transaction);
	hacerts_fini(&certs);
}
END_TEST

START_TEST(no_more_details_are_read_than_were_asked_for)
{
	struct buf reply = {.len = 0};
	struct hacerts certs = names_of("# filename\n/tls/a.pem\n");

	for (int i = 0; i < HACERTS_MAX; i++)
		buf_puts(&reply, "Filename: /tls/other.pem\n\n");
	buf_puts(&reply, "Filename: /tls/a.pem\nSHA1 FingerPrint: B7FE\n\n");
	hacerts_read_details(buf_text(&reply), reply.len, &certs);
	ck_assert_str_eq(certs.list[0].sha1, "");
	hacerts_fini(&certs);
	buf_fini(&reply);
}
END_TEST

START_TEST(no_more_than_so_many_are_looked_at)
{
	struct buf reply = {.len = 0};
	struct hacerts certs;

	buf_puts(&reply, "# filename\n");
	for (int i = 0; i < HACERTS_MAX + 7; i++)
		buf_printf(&reply, "/tls/%d.pem\n", i);
	certs = names_of(reply.bytes);
	ck_assert_uint_eq(certs.n, HACERTS_MAX);
	ck_assert_uint_eq(certs.n_left_out, 7);
	hacerts_fini(&certs);
	buf_fini(&reply);
}
END_TEST

static const char details[] =
	"Filename: /etc/tls/a.crt\nCrt filename: /etc/tls/a.crt\nKey filename: /etc/tls/a.crt.key\n"
	"Status: Used\nSerial: 419B5C91A28835934611C926893643B1EA4F8E63\n"
	"notBefore: Nov 28 12:54:38 2026 GMT\nnotAfter: Dec  8 12:54:38 2026 GMT\n"
	"Subject Alternative Name: DNS:ws.example.com\nAlgorithm: EC256\n"
	"SHA1 FingerPrint: B7FEFB6E6D543AED18C88BA86313EDCB52BE96C2\n"
	"Subject: /CN=ws.example.com\nIssuer: /CN=ws.example.com\nOCSP Response Key: \n\n"
	"Filename: /etc/tls/unknown.pem\nnotAfter: Dec  8 12:54:38 2026 GMT\n\n"
	"Can't display the certificate: Not found or the certificate is a bundle!\n\n"
	"Filename: /etc/tls/b.pem\nnotBefore: soon\nnotAfter: Dec 8 12:54:38 2026 CET\n"
	"SHA1 FingerPrint: 00000000000000000000000000000000000000000000000000\n\n";

START_TEST(details_go_to_their_names)
{
	struct hacerts certs = names_of("# filename\n/etc/tls/a.crt\n/etc/tls/b.pem\n\n");

	hacerts_read_details(details, sizeof(details) - 1, &certs);
	ck_assert_str_eq(certs.list[0].sha1, "B7FEFB6E6D543AED18C88BA86313EDCB52BE96C2");
	ck_assert_int_eq(certs.list[0].begins_s, 1795870478);
	ck_assert_int_eq(certs.list[0].ends_s, 1795870478 + 10 * 86400);
	/* What is not as it should be is not told. */
	ck_assert_str_eq(certs.list[1].sha1, "");
	ck_assert_int_eq(certs.list[1].begins_s, 0);
	ck_assert_int_eq(certs.list[1].ends_s, 0);
	hacerts_fini(&certs);
}
END_TEST

START_TEST(a_name_cannot_end_its_command)
{
	struct buf line = {.len = 0};

	hacerts_write(&line, "abort ssl cert", "*", "/tls/my; file\\.pem", ".crt");
	ck_assert_str_eq(line.bytes, "abort ssl cert */tls/my\\;\\ file\\\\.pem.crt");
	buf_clear(&line);
	hacerts_write_set(&line, "/a.pem", "", "PEM\n");
	ck_assert_str_eq(line.bytes, "set ssl cert /a.pem <<\nPEM\n\n");
	buf_fini(&line);
}
END_TEST

static const struct {
	const char *reply;
	enum hacerts_outcome outcome;
	const char *words;
} sets[] = {
	{"Transaction created for certificate /tls/a.crt!\n\n", HACERTS_TAKEN, NULL},
	{"Transaction updated for certificate /tls/a.crt!\n\n", HACERTS_TAKEN, NULL},
	{"Transaction updated for certificate /tls/other.pem!\n\n", HACERTS_MIXED_UP,
		"/tls/other.pem"},
	{"Transaction created for certificate /tls/a.crt.bak!\n\n", HACERTS_MIXED_UP,
		"/tls/a.crt.bak"},
	{"Can't replace a certificate which is not referenced by the configuration!\n"
	 "Can't update /tls/a.crt!\n\n",
		HACERTS_UNKNOWN, NULL},
	{"", HACERTS_TOO_LARGE, NULL},
	{"The command line is too big for the buffer size. Please change tune.bufsize in the "
	 "configuration to use a bigger command.\n",
		HACERTS_TOO_LARGE, NULL},
	{"unable to load certificate from file '/tls/a.crt'.\nCan't load the payload\n"
	 "Can't update /tls/a.crt!\n\n",
		HACERTS_REFUSED,
		"unable to load certificate from file '/tls/a.crt'. Can't load the payload Can't "
		"update /tls/a.crt!"},
	{"The ongoing transaction is about '/tls/b.pem' but you are trying to set '/tls/a.crt'\n",
		HACERTS_REFUSED,
		"The ongoing transaction is about '/tls/b.pem' but you are trying to set "
		"'/tls/a.crt'"},
	{"Permission denied\n\n", HACERTS_REFUSED, "Permission denied"},
};

START_TEST(answers_to_set_are_told_apart)
{
	char words[200];

	ck_assert_int_eq(hacerts_read_set(sets[_i].reply, strlen(sets[_i].reply), "/tls/a.crt",
				 words, sizeof(words)),
		sets[_i].outcome);
	if (sets[_i].words)
		ck_assert_str_eq(words, sets[_i].words);
}
END_TEST

START_TEST(only_success_is_success)
{
	static const char good[] = "Committing /tls/a.crt.\nSuccess!\n\n";
	static const char bad[] =
		"inconsistencies between private key and certificate loaded '/tls/a.crt'.\n"
		"Can't commit /tls/a.crt!\n\n";
	char words[30];

	ck_assert(hacerts_read_commit(good, sizeof(good) - 1, words, sizeof(words)));
	ck_assert(!hacerts_read_commit(bad, sizeof(bad) - 1, words, sizeof(words)));
	/* Cut to size. */
	ck_assert_str_eq(words, "inconsistencies between priva");
	ck_assert(!hacerts_read_commit("", 0, words, sizeof(words)));
}
END_TEST

#define BLOCK(what) "-----BEGIN " what "-----\nMII=\n-----END " what "-----\n"

static const struct {
	const char *text;
	const char *packed;
	bool has_key;
} pems[] = {
	{"", "", false},
	{BLOCK("CERTIFICATE"), BLOCK("CERTIFICATE"), false},
	{"Bag Attributes\n  friendlyName: x\n" BLOCK("CERTIFICATE") "\n\n" BLOCK("PRIVATE KEY"),
		BLOCK("CERTIFICATE") BLOCK("PRIVATE KEY"), true},
	{"-----BEGIN EC PRIVATE KEY-----\r\n\r\nMII=\r\n-----END EC PRIVATE KEY-----\r\n",
		BLOCK("EC PRIVATE KEY"), true},
	{"-----BEGIN CERTIFICATE-----\nMII=", "", false},
	{"-----BEGIN CERTIFICATE-----\nMII=\n" BLOCK("CERTIFICATE"), BLOCK("CERTIFICATE"), false},
	{"-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----", BLOCK("CERTIFICATE"),
		false},
	/* What would be a command behind the payload. */
	{BLOCK("CERTIFICATE") "\nshutdown sessions server ws/s1\n", BLOCK("CERTIFICATE"), false},
};

START_TEST(pem_is_packed_without_blank_lines)
{
	struct buf packed = {.len = 0};

	pem_append(&packed, pems[_i].text);
	ck_assert_str_eq(buf_text(&packed), pems[_i].packed);
	ck_assert(!strstr(buf_text(&packed), "\n\n"));
	ck_assert_int_eq(pem_has_key(pems[_i].text), pems[_i].has_key);
	buf_fini(&packed);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{names_and_an_open_transaction_are_read, ONCE},
		{whoever_tells_no_names_has_none, N_OF(no_names)},
		{no_more_than_so_many_are_looked_at, ONCE},
		{no_more_details_are_read_than_were_asked_for, ONCE},
		{details_go_to_their_names, ONCE},
		{a_name_cannot_end_its_command, ONCE},
		{answers_to_set_are_told_apart, N_OF(sets)},
		{only_success_is_success, ONCE},
		{pem_is_packed_without_blank_lines, N_OF(pems)},
	};

	return run_suite("hacerts", tests, N_OF(tests));
}
