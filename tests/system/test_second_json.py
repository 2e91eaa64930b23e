# SPDX-License-Identifier: MIT
"""What the metric parser accepts, a second JSON library accepts too, with the same number."""
import json
import os
import random
import subprocess

from program import ROOT

BODIES = 20000
SEEDS = [
    b'{"n": 5}', b'{"n": 0, "m": [1, {"n": 7}], "s": "a\\u00fc\\ud83d\\ude00"}', b' \t{"n":2147483647}\r\n',
    b'{"n": 1.0e1, "x": null}', b'{"a":{"n":1},"n":3,"\\u006e ":4}', b'{"n":12,"t":true,"f":false,"d":-0.5e-3}',
    b'\xef\xbb\xbf{"n": 8}', b'{"n": "9"}', b'{"n": [5]}', '{"n": 6, "podName": "wéb-ü"}'.encode(),
]
PIECES = [b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"0", b"1", b"9", b"-", b"+", b"e", b"E", b".", b"n", b"null",
          b"NaN", b"Infinity", b"1e999", b"0x1", b"01", b"//", b"/*", b"'", b"\x00", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80",
          b"\\u", b"\\ud800", b"\\u0000", b" ", b"\n", b"\x0b", b"\xef\xbb\xbf", b'"n":3', b'"n":3,', b"4294967301"]


def mutate(dice):
    body = bytearray(dice.choice(SEEDS))
    for _ in range(dice.choice((0, 1, 1, 1, 2, 3))):
        at = dice.randrange(len(body) + 1)
        if dice.random() < 0.5:
            body[at:at] = dice.choice(PIECES)
        else:
            body[at:at + dice.randint(1, 3)] = dice.choice((b"", dice.choice(PIECES)))
    return bytes(body)


def program(tmp_path):
    out = tmp_path / "metric_count"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "json-c"],
                           capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-iquote", "agent", "-o", out, "tests/system/metric_count.c",
                    ROOT / "build/release/libcore.a", *flags, "-lm"], cwd=ROOT, check=True)
    return out


def strict(constant):
    raise ValueError(f"{constant} is not JSON")


def second(body):
    """The number at "n", by Python's library; an exception where it is refused or no whole number."""
    text = body.decode("utf-8", errors="strict")
    found = json.loads(text.removeprefix("\ufeff"), parse_constant=strict)["n"]
    assert not isinstance(found, bool) and int(found) == found
    return int(found)


def test_a_second_library_reads_the_same_number(tmp_path):
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"SEED={seed}")
    dice = random.Random(seed)
    bodies = SEEDS + [mutate(dice) for _ in range(BODIES)]
    said = subprocess.run([program(tmp_path)], input=b"".join(b"%d\n%s" % (len(body), body) for body in bodies),
                          capture_output=True, check=True).stdout.decode().split()
    assert len(said) == len(bodies)
    accepted = [(body, int(word)) for body, word in zip(bodies, said) if word != "-"]
    for body, count in accepted:
        try:
            other = second(body)
        except Exception as error:  # whatever it does not like
            raise AssertionError(f"{body} is read as {count}, and a second library refuses it: {error}") from error
        assert other == count, body
    # Both ways: there was something to accept, and something to refuse.
    assert BODIES / 20 < len(accepted) < BODIES * 19 / 20, len(accepted)
