#!/usr/bin/python3
"""
The OpenSPF test suite, through spfrun and through pyspf.

Usage: spf-suite.py SPFRUN SUITE.yml WORK
Prints what differs, and a line of sums; exit code 1 if spfrun gives a result
the suite does not allow, or one pyspf does not where pyspf agrees with the
suite.

As the suite says of itself: records of type SPF stand for TXT ones where a
name has no TXT of its own, and "TXT: NONE" for none at all. TIMEOUT: whatever
the name has no records of is not answered.
"""
import subprocess
import sys

import yaml

try:
    import spf as pyspf
except ImportError:
    pyspf = None


def octets(text):
    """The suite writes bytes as \\xNN, which YAML reads as characters."""
    return text.encode('latin-1')


def escape(data, quoted=False):
    low = 0x20 if quoted else 0x21
    return ''.join(chr(b) if low <= b < 0x7f and b not in b'"\\'
                   else '\\%03d' % b for b in data)


def records(zone):
    """{name: [(type, value)]}, TIMEOUT as a type; names in lower case."""
    out = {}
    for name, entries in zone.items():
        rows = []
        own_txt = any(isinstance(e, dict) and 'TXT' in e for e in entries)
        for entry in entries:
            if entry == 'TIMEOUT':
                rows.append(('TIMEOUT', None))
                continue
            (kind, value), = entry.items()
            if kind == 'SPF' and not own_txt:
                kind = 'TXT'
            if kind != 'SPF' and not (kind == 'TXT' and value == 'NONE'):
                rows.append((kind, value))
        out[str(name).lower().rstrip('.')] = rows
    return out


def zone_text(zone):
    lines = []
    for name, rows in zone.items():
        name = escape(octets(name))
        # With records it answers for those, and the suite asks for no others.
        if rows and all(kind == 'TIMEOUT' for kind, _ in rows):
            lines.append('%s FAIL' % name)
        for kind, value in rows:
            if kind == 'TXT':
                parts = value if isinstance(value, list) else [value]
                data = ' '.join('"%s"' % escape(octets(p), True) for p in parts)
                lines.append('%s TXT %s' % (name, data or '""'))
            elif kind == 'MX':
                lines.append('%s MX %d %s' %
                             (name, value[0], value[1].rstrip('.') or '.'))
            elif kind != 'TIMEOUT':
                lines.append('%s %s %s' %
                             (name, kind, escape(octets(value.rstrip('.')))))
    return '\n'.join(lines) + '\n'


def ours(program, work, zone, tests):
    with open(work, 'w', encoding='ascii') as f:
        f.write(zone_text(zone))
    lines = []
    for name, test in tests.items():
        local, _, domain = test['mailfrom'].rpartition('@')
        fields = [name, test['host'], test['helo'], local, domain]
        lines.append('\t'.join(escape(octets(x), True) for x in fields))
    out = subprocess.run([program, work], input='\n'.join(lines) + '\n',
                         encoding='latin-1', stdout=subprocess.PIPE,
                         check=True).stdout
    return {line.split('\t')[0]: line.split('\t')[1:]
            for line in out.split('\n') if line}


def theirs(zone, test):
    def look_up(name, kind, strict=True, timeout=20):
        name = name.lower().rstrip('.')
        rows = zone.get(name, [])
        found = [(k, v) for k, v in rows if k == kind] or \
                [(k, v) for k, v in rows if k == 'CNAME']
        if not found and any(k == 'TIMEOUT' for k, _ in rows):
            raise pyspf.TempError('DNS timeout')
        for k, value in found:
            if k == 'TXT':
                parts = value if isinstance(value, list) else [value]
                value = tuple(octets(p) for p in parts)
            elif k == 'MX':
                value = tuple(value)
            elif k == 'AAAA':
                value = pyspf.ipaddress.ip_address(value).packed
            yield (name, k), value

    pyspf.DNSLookup = look_up
    query = pyspf.query(i=test['host'], s=test['mailfrom'], h=test['helo'],
                        receiver='mail.example.com', strict=1)
    result, _, text = query.check()
    return result, text


def main():
    program, suite, work = sys.argv[1:]
    total = good = agree = compared = 0
    bad = False
    with open(suite, encoding='utf-8') as f:
        documents = list(yaml.safe_load_all(f))
    for doc in documents:
        zone = records(doc['zonedata'])
        results = ours(program, work, zone, doc['tests'])
        for name, test in doc['tests'].items():
            total += 1
            allowed = test['result']
            if not isinstance(allowed, list):
                allowed = [allowed]
            got, explanation = results[name]
            wanted = str(test.get('explanation', ''))
            # The case of hexadecimal digits is free.
            right = got in allowed and (
                not wanted or explanation.lower() ==
                ('' if wanted == 'DEFAULT' else wanted.lower()))
            if right:
                good += 1
            else:
                bad = True
                print('%s: %s "%s", allowed %s "%s"' %
                      (name, got, explanation, allowed, wanted))
            if pyspf is None:
                continue
            other, _ = theirs(zone, test)
            compared += 1
            if other == got:
                agree += 1
            else:
                print('%s: %s, pyspf says %s, allowed %s' %
                      (name, got, other, allowed))
                bad = bad or got not in allowed
    print('suite: %d of %d; pyspf says the same for %d of %d' %
          (good, total, agree, compared))
    sys.exit(1 if bad or total == 0 else 0)


if __name__ == '__main__':
    main()
