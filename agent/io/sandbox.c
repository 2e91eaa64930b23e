/* SPDX-License-Identifier: MIT */
/* System calls by libseccomp. */
#include "io/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

/* By name, since a kernel's headers may be older than the kernel. */
static const char *const denied[] = {
#if !HAS_SANITIZER
	"ptrace", "process_vm_readv",
#endif
	"execve", "execveat", "process_vm_writev", "kcmp", "pidfd_getfd", "perf_event_open", "bpf",
	"userfaultfd", "personality",
	/* of the kernel's */
	"init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot",
	"syslog", "iopl", "ioperm", "acct", "quotactl", "quotactl_fd", "swapon", "swapoff",
	/* of files and namespaces */
	"mount", "umount", "umount2", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount",
	"fspick", "mount_setattr", "pivot_root", "chroot", "unshare", "setns", "mknod", "mknodat",
	"open_by_handle_at", "name_to_handle_at",
	/* of keys */
	"keyctl", "add_key", "request_key",
	/* past the filter */
	"io_uring_setup", "io_uring_enter", "io_uring_register",
	/* of time and users */
	"settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime", "sethostname",
	"setdomainname", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid",
	"setgroups", "capset"};

static bool deny_calls(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		int call = seccomp_syscall_resolve_name(denied[i]);

		/* This libseccomp, or this machine, has no such call. */
		if (call == __NR_SCMP_ERROR)
			continue;
		if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0) != 0)
			return false;
	}
	return true;
}

/* All families but four, of which the highest is NETLINK. */
static bool deny_sockets(scmp_filter_ctx filter)
{
	for (unsigned family = 0; family < AF_NETLINK; family++) {
		if (family == AF_UNIX || family == AF_INET || family == AF_INET6)
			continue;
		if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
			    SCMP_A0(SCMP_CMP_EQ, family, 0)) != 0)
			return false;
	}
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
		       SCMP_A0(SCMP_CMP_GT, AF_NETLINK, 0)) == 0;
}

static bool load_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool loaded =
		filter && deny_calls(filter) && deny_sockets(filter) && seccomp_load(filter) == 0;

	if (filter)
		seccomp_release(filter);
	return loaded;
}

bool sandbox_enter(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && load_filter();
}

void sandbox_hide_memory(void)
{
	const struct rlimit none = {0};

	setrlimit(RLIMIT_CORE, &none);
	/* A core pattern that is a program does not ask for the limit. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
