#!/usr/bin/python3
"""
SPF checks over random zones, through spfrun and through pyspf.

Usage: spf-random.py SPFRUN WORK ZONES [SEED]
Prints what differs and a line of sums; exit code 1 if anything does.

Left out is where pyspf knowingly does other things than RFC 7208 says: it asks
for all addresses of all MX hosts before it looks at the first, takes errors
and void look-ups of names found by PTR for the domain's (4.6.4, 5.5), and a
record that includes its own domain for a syntax error, and %{d0} for none.
"""
import importlib.util
import os
import random
import sys

here = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location(
    'suite', os.path.join(here, 'spf-suite.py'))
suite = importlib.util.module_from_spec(spec)
spec.loader.exec_module(suite)

NAMES = ['a.example.org', 'b.example.org', 'c.example.org', 'd.example.org',
         'mail.example.org', 'x.y.example.net']
MACROS = ['%{d}', '%{o}', '%{ir}.example.org', '%{l}.example.org', '%{h}',
          '%{d2}', '%{d3r}.example.net', '%{l1r-}.b.%{o2}']
ODD = ['gone.example.org', '-bad', 'x', 'b.example.org.', '%{z}', '']
IP4 = ['192.0.2.1', '192.0.2.77', '198.51.100.9']
IP6 = ['2001:db8::1', '2001:db8:1::7']
CIDRS = [''] * 3 + ['/24', '/32', '/0', '//64', '/24//64', '/33', '//129',
                    '/08', '/8/8']
pick = random.choice


def domain():
    return pick(NAMES * 2 + MACROS + ODD)


def mechanism(own):
    others = [n for n in NAMES if n > own] or ['gone.example.org']
    return pick([
        lambda: 'all',
        lambda: 'a' + pick(CIDRS),
        lambda: 'a:' + domain() + pick(CIDRS),
        lambda: 'mx' + pick(CIDRS),
        lambda: 'mx:' + domain() + pick(CIDRS),
        lambda: 'include:' + pick(others),
        lambda: 'exists:' + domain(),
        lambda: 'ip4:' + pick(IP4) + pick(['', '/24', '/16', '/32', '/33']),
        lambda: 'ip6:' + pick(IP6) + pick(['', '/32', '/128', '/129']),
        lambda: pick(['foo', 'ALL', 'A', 'iP4:192.0.2.1', 'ip4:192.0.2.300',
                      'ip6:::ffff:192.0.2.1', 'all:x', 'ip4', 'include']),
    ])()


def record(own):
    terms = [pick(['', '', '', '+', '-', '~', '?']) + mechanism(own)
             for _ in range(random.randrange(5))]
    for chance, make in ((.3, lambda: 'redirect=' + domain()),
                         (.2, lambda: 'exp=' + pick(['why.example.org', '%{d}',
                                                     'gone.example.org'])),
                         (.1, lambda: 'x=y%{d}')):
        if random.random() < chance:
            terms.insert(random.randrange(len(terms) + 1), make())
    return ' '.join([pick(['v=spf1', 'v=spf1', 'V=sPf1'])] + terms)


def zone():
    out = {'why.example.org': [{'TXT': '%{i} %{s} %{d} %{c}'}]}
    for name in NAMES:
        rows = []
        if random.random() < .85:
            rows.append({'TXT': record(name)})
        rows += [{'A': pick(IP4)} for _ in range(random.randrange(3))]
        rows += [{'AAAA': pick(IP6)} for _ in range(random.randrange(2))]
        rows += [{'MX': [random.randrange(20), pick(NAMES)]}
                 for _ in range(random.randrange(3))]
        out[name] = rows
    return out


def main():
    program, work, zones = sys.argv[1:4]
    random.seed(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    total = differ = 0
    seen = set()
    for _ in range(int(zones)):
        records = suite.records(zone())
        tests = {str(i): {'host': pick(IP4 + IP6), 'helo': pick(NAMES),
                          'mailfrom': pick(['joe@', 'a-b.c@']) + pick(NAMES)}
                 for i in range(12)}
        results = suite.ours(program, work, records, tests)
        for name, test in tests.items():
            got = results[name][0]
            other, text = suite.theirs(records, test)
            total += 1
            seen.add(got)
            if other != got:
                differ += 1
                print(test, got, 'pyspf:', other, text, records)
    print('random: %d of %d the same, %s' %
          (total - differ, total, ' '.join(sorted(seen))))
    sys.exit(1 if differ or total == 0 else 0)


main()
