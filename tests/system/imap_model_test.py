#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Random IMAP sessions against a small model (systemlib/imapmodel.py): each tagged reply and every untagged number, flag and byte is
compared. Rounds with one session, and rounds with two whose changes each must hear; then the store is opened by a new session, and once
more without stafet.index and stafet.cache: the same UIDs, flags, keywords, dates and bytes.
imap_model_test.py [SEED [ROUNDS [STEPS]]]; needs only stafet-imapd."""
import glob
import os
import random
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib.imapboxes import BoxSteps  # noqa: E402
from systemlib.imapmodel import Differs, Model, must  # noqa: E402
from systemlib.imapsteps import SIMPLE, MessageSteps  # noqa: E402
from systemlib.instance import Tap  # noqa: E402
from systemlib.session import Broken  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 20261126
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 10
STEPS = int(sys.argv[3]) if len(sys.argv) > 3 else 150
SELECTED = {"fetch": 12, "store": 9, "search": 8, "append": 7, "transfer": 6, "thread": 4, "sort": 3, "expunge": 3, "noop": 3, "malformed": 2,
            "deliver": 2, "leave": 2, "resync": 2, "idle": 1}
ANY_STATE = {"list": 4, "append": 4, "select": 4, "status": 3, "create": 3, "rename": 2, "delete": 1, "subscribe": 1, "say_who": 1, "deliver": 2,
             "malformed": 1, "noop": 1, "enable": 0.4, "too_long": 0.1}
# What stays, however often the store is opened.
STORED = {"UID": SIMPLE["UID"], "FLAGS": SIMPLE["FLAGS"], "INTERNALDATE": SIMPLE["INTERNALDATE"], "RFC822.SIZE": SIMPLE["RFC822.SIZE"],
          "BODY[]": SIMPLE["RFC822"]}


def choose(chance, weights):
    return chance.choices(list(weights), list(weights.values()))[0]


def step(talk, others):
    """One command."""
    word = choose(talk.chance, SELECTED if talk.view.folder and talk.chance.random() < 0.75 else ANY_STATE)
    if word == "idle" and others and talk.view.folder:
        talk.idle(lambda: meanwhile(talk, others[0]))
    elif word == "resync":
        talk.resync(*others)
    else:
        getattr(talk, word)()


def meanwhile(idler, talk):
    """One change by another session. Which of two that write takes \\Recent of a new message is a race: no APPEND between such."""
    if talk.view.folder is idler.view.folder:
        getattr(talk, talk.chance.choice(["store", "expunge"]))()
    else:
        talk.append()


def reopen(model, chance, home, name):
    """A session that knows nothing sees what the model has."""
    with BoxSteps(model, chance, home, name) as talk:
        for box in sorted(model.folders):
            talk.select(box, "EXAMINE", 0)
            uids = talk.view.uids
            if uids:
                reply = talk.command("FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
                talk.expect(reply, "OK")
                talk.after(reply, [(m.uid, {k: v(m) for k, v in STORED.items()}) for m in talk.view.folder.mail], keeps=True)
        talk.list()


def fresh_uids(home):
    """{UIDVALIDITY: UIDs of what lies in new/ still}."""
    found = {}
    for path in glob.glob(os.path.join(home, "box", "**", "dovecot-uidlist"), recursive=True, include_hidden=True):
        names = os.listdir(os.path.join(os.path.dirname(path), "new"))
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            head, *lines = f.read().splitlines()
        validity = next(int(word[1:]) for word in head.split() if word[0] == "V")
        found[validity] = {int(line.split()[0]) for line in lines if line.partition(" :")[2] in names}
    return found


def forget_derived(model, home):
    """Without its index a store knows UIDs, flags, keywords and bytes; mod-sequences go on from above, and what lies in cur/ is old."""
    fresh = fresh_uids(home)
    for path in glob.glob(os.path.join(home, "box", "**", "stafet.[ic]*"), recursive=True, include_hidden=True):
        os.unlink(path)
    for folder in model.folders.values():
        folder.first_recent = 1 + max((uid for uid in folder.uids() if uid not in fresh.get(folder.uidvalidity, ())), default=0)
        for message in folder.mail:
            folder.touch(message)


def play(home, seed, steps):
    chance, model, talks = random.Random(seed), Model(), []
    for part in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(home, "box", part))
    try:
        for i in range(1 + seed % 2):
            talks.append(BoxSteps(model, chance, home, "session %d" % i))
            if chance.random() < 0.6:
                talks[i].enable(chance.choice(["CONDSTORE", "QRESYNC", "QRESYNC"]))
        for _ in range(steps):
            talk = chance.choice(talks)
            others = [t for t in talks if t is not talk]
            if others and others[0].view.folder is not talk.view.folder and chance.random() < 0.3:
                talk.select(next((n for n, f in model.folders.items() if f is others[0].view.folder), "INBOX"))
            step(talk, others)
        for talk in talks:
            talk.noop()
            if chance.random() < 0.5:  # others go without a word
                talk.logout()
    except (Differs, Broken, AssertionError, LookupError, ValueError, AttributeError, TypeError) as e:
        e.talks = talks
        raise
    finally:
        ended = [talk.close() for talk in talks]
    must(not any(ended), "sessions ended with", ended)
    reopen(model, chance, home, "a new one")
    forget_derived(model, home)
    reopen(model, chance, home, "one without an index")


def trouble_of(home, seed, steps):
    MessageSteps.letters = 0
    try:
        play(home, seed, steps)
    except Differs as e:
        shown = [repr(line)[2:-1] for talk in getattr(e, "talks", []) for line in [("---- " + talk.name).encode()] + list(talk.lines)[-12:]]
        return "%s\n%s" % (e, "\n".join(shown))
    return None


def main():
    print("# seed %d" % SEED)
    tap, home = Tap(), tempfile.mkdtemp(prefix="imap-model.", dir="/tmp")
    try:
        for number in range(ROUNDS):
            trouble = trouble_of(os.path.join(home, str(number)), SEED * 1000 + number, STEPS)
            who = "two_sessions_answer" if (SEED * 1000 + number) % 2 else "a_session_answers"
            tap.ok(trouble is None, "%s_as_the_model_does, round %d" % (who, number), trouble or "")
    finally:
        shutil.rmtree(home)
    tap.done()


if __name__ == "__main__":
    main()
