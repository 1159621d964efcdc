"""What sessions notice and do beside each other: how soon a client in IDLE
hears of mail, and what 50 clients get done."""
import smtplib
import statistics
import time

import changes

TIMES = 21


def waiting(server):
    c = changes.Client(server)
    c.ok("SELECT INBOX")
    c.sock.sendall(b"i IDLE\r\n")
    while not c.file.readline().startswith(b"+"):
        pass
    return c


def latency(server, deliver):
    """Median ms from the answer to a message to EXISTS in IDLE."""
    took = []
    c = waiting(server)
    smtp = smtplib.SMTP(*deliver.smtp)
    for i in range(TIMES):
        smtp.sendmail("a@example.org", [deliver.rcpt],
                      f"Subject: {i}\nMessage-Id: <{i}.{time.time()}@idle.example>\n\ntext\n")
        begin = time.monotonic()
        while b"EXISTS" not in c.file.readline():
            pass
        took.append((time.monotonic() - begin) * 1e3)
        time.sleep(0.05)
    smtp.quit()
    c.close()
    return statistics.median(took)


def measure_latency(report, pairs):
    report("IMAP IDLE: EXISTS after the 250 of SMTP", "ms",
           *(latency(s, deliver) for s, deliver in pairs), False)


def measure_mixed(report, with_cpu, load, servers, count):
    for tls in (False, True):
        row = []
        for s in servers:
            (rate,), cpu = with_cpu(
                s, lambda: load(s, s.imaps if tls else s.imap, tls, "mixed",
                                "INBOX", 50, 5, count),
                lambda v: v[0] * 5)
            row.append((rate, cpu))
        row.append((None, None))
        report(f"IMAP 50 clients in {count}, mixed commands, "
               f"{'TLS' if tls else 'plain'}", "1/s", row[0][0], row[1][0])
        report("  server CPU", "ms", row[0][1], row[1][1], False)
