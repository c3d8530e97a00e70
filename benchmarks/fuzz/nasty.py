"""Values that programs stumble over, in the forms in which each part of a request carries them."""

from __future__ import annotations

from typing import Final

# As they stand in JSON.
JSON: Final[dict[str, bytes]] = {
    "null": b"null",
    "true": b"true",
    "0": b"0",
    "negative": b"-5",
    "fraction": b"1.5",
    "2^31": b"2147483648",
    "2^63": b"9223372036854775808",
    "-2^63 - 1": b"-9223372036854775809",
    "5,000 digits": b"9" * 5_000,
    "1e400": b"1e400",
    "NaN": b"NaN",
    "minus zero": b"-0.0",
    "list": b"[1,[2],{}]",
    "empty list": b"[]",
    "list of nulls": b"[null,null]",
    "huge list": b"[" + b"1," * 5_000 + b"1]",
    "list of lists": b"[" * 200 + b"]" * 200,
    "object": b'{"a":{"b":null}}',
    "empty object": b"{}",
    "deep object": b'{"a":' * 200 + b"1" + b"}" * 200,
    "empty": b'""',
    "spaces": b'" \\t\\n "',
    "10 kB": b'"%s"' % (b"x" * 10_000),
    "NUL": b'"a\\u0000b"',
    "lone surrogate": b'"\\ud800"',
    "broken UTF-8": b'"\xff\xfe"',
    "right to left": '"\u202eadmin\u200f"'.encode(),
    "emoji": '"👩‍🔬🏳️‍🌈"'.encode(),
    "combining": b'"' + "e\u0301\u0327".encode() * 200 + b'"',
    "upper case": b'"ADMIN@EXAMPLE.ORG"',
    "trailing dot": b'"ada@example.org."',
    "international": '"ada@exämple.org"'.encode(),
    "number as text": b'"5"',
    "word as truth": b'"yes"',
    "day 0": b'"0000-00-00"',
    "year 1": b'"0001-01-01T00:00:00+23:59"',
    "year 9999": b'"9999-12-31T23:59:59-23:59"',
    "no leap day": b'"2027-02-29"',
    "second 60": b'"2026-12-31T23:59:60Z"',
    "infinite": b'"infinity"',
    "time 24": b'"24:00"',
    "way up": b'"../../../../etc/passwd"',
    "markup": b'"<img src=x onerror=alert(1)>"',
    "formula": b'"=HYPERLINK(\\"http://x\\")"',
    "template": b'"{{7*7}}{%25 include %25}%s%n"',
    "script address": b'"javascript:alert(1)"',
    "broken address": b'"http://[::1"',
    "header": b'"a\\r\\nBcc: b@example.org"',
    "zone": b'"../../etc/localtime"',
    "twice": b'1,"twice":1,"twice":2',
}
# As they stand in a path or a query, already quoted.
QUOTED: Final[dict[str, str]] = {
    "empty": "",
    "space": "%20",
    "0": "0",
    "negative": "-1",
    "fraction": "1.5",
    "2^63": "9223372036854775808",
    "2^63 - 1": "9223372036854775807",
    "2,000 digits": "9" * 2_000,
    "1e400": "1e400",
    "NaN": "NaN",
    "null": "null",
    "word": "abc",
    "NUL": "%00",
    "NUL inside": "1%00",
    "new line": "1%0d%0aX:%20y",
    "way up": "..%2f..%2fadmin",
    "two dots": "..",
    "broken UTF-8": "%ff%fe",
    "lone surrogate": "%ed%a0%80",
    "right to left": "%e2%80%ae1",
    "emoji": "%f0%9f%91%a9",
    "Arabic digits": "%d9%a1%d9%a2",
    "full-width digits": "%ef%bc%91",
    "percent": "%25",
    "broken percent": "%zz",
    "quote": "1'--",
    "plus": "+1",
    "underscore": "1_000",
    "semicolon": "1;2",
    "slash": "%2f",
    "backslash": "%5c",
    "3 kB": "x" * 3_000,
    "upper case": "ADMIN",
    "day 0": "0000-00-00",
    "year 1": "0001-01-01T00:00:00%2b23:59",
    "year 9999": "9999-12-31T23:59:59-23:59",
    "infinite": "infinity",
    "wild card": "%25%25_%5c",
    "list": "1,2,3",
    "truth": "true",
}
# Whole bodies, with their content type.
BODIES: Final[dict[str, tuple[bytes, str]]] = {
    "nothing": (b"", "application/json"),
    "null": (b"null", "application/json"),
    "list": (b"[1]", "application/json"),
    "string": (b'"x"', "application/json"),
    "half": (b'{"a":', "application/json"),
    "NUL": (b"\x00", "application/json"),
    "mark of order": (b"\xef\xbb\xbf{}", "application/json"),
    "UTF-16": ('{"a":1}'.encode("utf-16"), "application/json; charset=utf-16"),
    "unknown charset": (b"{}", "application/json; charset=nonsense"),
    "deep": (b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}", "application/json"),
    "NUL in a name": (b'{"\\u0000":1,"":2,"__proto__":{},"__class__":{}}', "application/json"),
    "too large": (b'{"a":"%s"}' % (b"x" * 2_700_000), "application/json"),
    "XML": (b"<a/>", "application/xml"),
    "text": (b"a", "text/plain"),
    "no type": (b"{}", ""),
    "broken type": (b"{}", "nonsense;;=\x80"),
    "form of NULs": (
        b"%00=%00&a=%ff&=&&a[0]=1&a[x]=2&a[99999999999999]=3",
        "application/x-www-form-urlencoded",
    ),
    "6,000 fields": (b"a=1&" * 6_000, "application/x-www-form-urlencoded"),
    "parts without a boundary": (b"--x\r\n", "multipart/form-data"),
    "parts without an end": (b"--x\r\nContent-Disposition: form-data", "multipart/form-data; boundary=x"),
    "parts of nothing": (b"--x--", "multipart/form-data; boundary=x"),
    "boundary of 300": (b"--x--", "multipart/form-data; boundary=" + "x" * 300),
    "part in base 64": (
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n!!!\r\n--x--"
        ),
        "multipart/form-data; boundary=x",
    ),
    "file of no name": (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\na\r\n--x--',
        "multipart/form-data; boundary=x",
    ),
    "file above": (
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="../../a\x00.txt"\r\n'
            b"Content-Type: text/plain\r\n\r\na\r\n--x--"
        ),
        "multipart/form-data; boundary=x",
    ),
    "a field as a file": (
        b'--x\r\nContent-Disposition: form-data; name="title"; filename="a.txt"\r\n\r\na\r\n--x--',
        "multipart/form-data; boundary=x",
    ),
    "no picture": (
        (
            b'--x\r\nContent-Disposition: form-data; name="coverImage"; filename="a.png"\r\n'
            b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\x00\x00\xff\xffIHDR\r\n--x--"
        ),
        "multipart/form-data; boundary=x",
    ),
    "no spreadsheet": (
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            b'email\r\n"half,\x00\r\n\xff\xfe,,,,\r\n--x--'
        ),
        "multipart/form-data; boundary=x",
    ),
}
HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "Idempotency-Key": ("", " ", "x" * 3_000, "a b", '"x"', "\xff", "👩".encode().decode("latin-1")),
    "If-Match": ("", "*", "x", '"x"', "W/", 'W/"x"', '"a", "b"', '"', "\xff", '"' + "x" * 3_000 + '"'),
    "If-None-Match": ("", "*", "x", 'W/"x"', '"a", W/"b",', '"', "\xff", '"' + "x" * 3_000 + '"'),
    "If-Modified-Since": (
        "",
        "0",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Thu, 99 Foo 0000 99:99:99 GMT",
        "9" * 500,
    ),
    "Authorization": ("", "Bearer", "Bearer  ", "Bearer a.b.c", "Basic eA==", "Bearer \xff", "x" * 3_000),
    "Accept": ("", "*", "a/b;;q=x", "text/html", "application/json;version=\xff", ",,,"),
    "Accept-Language": ("", "pt-BR", "x" * 2_000, "\xff", "../../etc"),
    "Range": ("bytes=0-0", "bytes=5-1", "bytes=-99999999999999999999", "bytes=x", "lines=1"),
    "X-Request-ID": ("", "a\tb", "\xff" * 9, "x" * 3_000),
    "X-Forwarded-For": ("", ", x", "::ffff:1.2.3.4", "x" * 3_000),
    "X-HTTP-Method-Override": ("DELETE", "\xff"),
    "Cookie": ("sessionid=\xff", "=;=;", "csrftoken=" + "x" * 3_000),
    "Origin": ("null", "http://[", "\xff"),
}
