#include "tools/service_unit.h"

#include <limits.h>
#include <unistd.h>

/* systemd.unit(5): % begins a specifier. */
static void
add_path(struct slice path, struct buf *b)
{
	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] == '%')
			buf_addc(b, '%');
		buf_addc(b, path.p[i]);
	}
}

/* In quotes, for what is split into words. */
static void
add_quoted(struct slice path, struct buf *b)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] == '%')
			buf_addc(b, '%');
		if (path.p[i] == '"' || path.p[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, path.p[i]);
	}
	buf_addc(b, '"');
}

static void
add_program(struct buf *b)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self)), slash;
	struct slice path = slice_of(self, n > 0 ? (size_t)n : 0);
	struct buf program = BUF_INIT(2 * PATH_MAX);

	slash = slice_rchr(path, '/');
	if (slash < 0)
		buf_addz(&program, "/usr/local/bin");
	else
		buf_add(&program, slice_head(path, (size_t)slash));
	buf_addz(&program, "/mox-serve");
	add_quoted(buf_slice(&program), b);
	buf_free(&program);
}

static const char unit[] =
    "# Clients are told, and get 3 seconds.\n"
    "KillMode=mixed\n"
    "ExecReload=kill -HUP $MAINPID\n"
    "# mox stop is no failure.\n"
    "Restart=on-failure\n"
    "RestartSec=5s\n"
    "LimitNOFILE=65535\n"
    "UMask=0077\n"
    "# What is needed until mox-serve has become the User of mox.conf.\n"
    "CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID\n"
    "CapabilityBoundingSet=CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE\n"
    "NoNewPrivileges=true\n"
    "ProtectSystem=strict\n"
    "ProtectProc=invisible\n"
    "ProtectClock=true\n"
    "ProtectHostname=true\n"
    "ProtectKernelLogs=true\n"
    "ProtectKernelTunables=true\n"
    "ProtectKernelModules=true\n"
    "ProtectControlGroups=true\n"
    "PrivateDevices=true\n"
    "PrivateTmp=true\n"
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK\n"
    "RestrictNamespaces=true\n"
    "RestrictRealtime=true\n"
    "RestrictSUIDSGID=true\n"
    "LockPersonality=true\n"
    "MemoryDenyWriteExecute=true\n"
    "SystemCallArchitectures=native\n"
    "\n"
    "[Install]\n"
    "WantedBy=multi-user.target\n";

void
service_unit(const char *folder, struct buf *b)
{
	buf_addz(b,
	    "[Unit]\n"
	    "Description=mox mail server\n"
	    "Documentation=man:mox-serve(8)\n"
	    "After=network-online.target\n"
	    "Wants=network-online.target\n"
	    "\n"
	    "[Service]\n"
	    "Type=notify\n"
	    "# Begins as root, to listen on ports below 1024 and to open "
	    "certificates; the\n"
	    "# services run as User of mox.conf, each connection in a jail of "
	    "its own.\n"
	    "WorkingDirectory=");
	add_path(slice_str(folder), b);
	buf_addz(b, "\nReadWritePaths=");
	add_quoted(slice_str(folder), b);
	buf_addz(b, "\nExecStart=");
	add_program(b);
	buf_addz(b, " -config config/mox.conf\n");
	buf_addz(b, unit);
}
