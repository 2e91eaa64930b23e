/* SPDX-License-Identifier: MIT */
/* What people are told of HAProxy's certificates. */
#include "core/report/report_certs.h"
#include "run.h"

enum { DAY_S = 86400, HOUR_S = 3600, NOW_S = 1000000000 };

static const struct {
	struct hacerts_status cert; /* its times are from now on */
	bool bad;
	const char *text;
} cases[] = {
	{{.file = "/a", .begins_s = -DAY_S, .ends_s = 60 * DAY_S}, false, " is valid for 60 d 0 h"},
	{{.file = "/a", .begins_s = -DAY_S, .ends_s = 60 * DAY_S, .given_ms = 1000}, false,
		" is valid for 60 d 0 h, renewed 9 s ago"},
	/* Of 90 days 10 are left; of 2 days 1 is; of 20 years 13 days. */
	{{.file = "/a", .begins_s = -80 * DAY_S, .ends_s = 10 * DAY_S}, true, " ends in 10 d 0 h"},
	{{.file = "/a", .begins_s = -DAY_S, .ends_s = DAY_S}, false, " is valid for 24 h 0 min"},
	{{.file = "/a", .begins_s = -7300L * DAY_S, .ends_s = 15 * DAY_S}, false,
		" is valid for 15 d 0 h"},
	{{.file = "/a", .begins_s = -90 * DAY_S, .ends_s = -3 * HOUR_S}, true,
		" ended 3 h 0 min ago"},
	{{.file = "/a", .begins_s = HOUR_S, .ends_s = 60 * DAY_S}, true,
		" is not valid for another 60 min"},
	{{.file = "/a", .begins_s = -DAY_S, .ends_s = 60 * DAY_S, .failed = "no key"}, true,
		" is valid for 60 d 0 h; its renewed file is not in HAProxy: no key"},
	/* HAProxy does not say. */
	{{.file = "/a", .begins_s = -NOW_S, .ends_s = -NOW_S}, false, ""},
};

static struct hacerts_status at(struct hacerts_status cert)
{
	cert.begins_s += NOW_S;
	cert.ends_s += NOW_S;
	return cert;
}

static struct report_view view_of(const struct hacerts_status *certs, size_t n)
{
	return (struct report_view){.wall_ms = (int64_t)NOW_S * 1000,
		.now_ms = 10000,
		.certificates = certs,
		.n_certificates = n};
}

START_TEST(each_is_told)
{
	struct hacerts_status cert = at(cases[_i].cert);
	struct report_view view = view_of(&cert, 1);
	char text[REPORT_CERT_SIZE];

	ck_assert_str_eq(report_cert_state(&view, &cert, text, sizeof(text)), cases[_i].text);
	ck_assert_int_eq(report_cert_is_bad(&view, &cert), cases[_i].bad);
}
END_TEST

START_TEST(those_that_need_somebody_come_before_the_one_that_ends_first)
{
	struct hacerts_status certs[6] = {at(cases[0].cert), at(cases[3].cert), at(cases[8].cert)};
	const struct hacerts_status *told[REPORT_CERTS_TOLD];
	struct report_view view = view_of(certs, 3);

	ck_assert_uint_eq(report_certs_told(&view, told), 1);
	ck_assert_ptr_eq(told[0], &certs[1]);
	certs[3] = certs[4] = certs[5] = at(cases[5].cert);
	view.n_certificates = 4;
	ck_assert_uint_eq(report_certs_told(&view, told), 1);
	ck_assert_ptr_eq(told[0], &certs[3]);
	certs[0] = at(cases[7].cert);
	view.n_certificates = 6;
	ck_assert_uint_eq(report_certs_told(&view, told), REPORT_CERTS_TOLD);
	ck_assert_ptr_eq(told[0], &certs[0]);
	ck_assert_ptr_eq(told[2], &certs[4]);
	view.n_certificates = 0;
	ck_assert_uint_eq(report_certs_told(&view, told), 0);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{each_is_told, N_OF(cases)},
		{those_that_need_somebody_come_before_the_one_that_ends_first, ONCE},
	};

	return run_suite("report_certs", tests, N_OF(tests));
}
