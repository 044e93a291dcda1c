# SPDX-License-Identifier: ISC
"""A storm: sessions store, append, copy, move and expunge in one mailbox at once, local and a foreign program deliver, another one
renames, the index goes away. In the middle of it sessions are killed, one or all; the others go on. Then the survivors, a fresh session
and one without anything derived look: all that was acknowledged is there, no UID is another message's, none has changed."""

import os
import random
import signal
import time

import points
import power
from imap_house import DeliveryHouse, Session, literal
from imap_ledger import View, look_around
from imap_storm_ledger import FOREIGN, SLOTS, StormLedger
from imap_storm_workers import Client, Deliverer, Renamer

PADS = 24     # keywords that the mailbox has: the next ones get the last letters, and then there are none
EPISODE = 40  # rounds in one Maildir


class Storm:
    """One Maildir, and what was told of it."""
    forgetting = 0.05
    is_delivery_kept = True

    def __init__(self, house, seed):
        self.house, self.chance = house, random.Random(seed)
        self.clients, self.numbers = {}, {}
        self.house.make_maildir()
        self.house.last_number = 1
        self.ledger = StormLedger()
        session = Session(house)
        house.must(session, "CREATE Other")
        house.must(session, b"APPEND INBOX " + literal(1, 300))
        house.must(session, "SELECT INBOX")
        house.must(session, f"STORE 1 +FLAGS ({' '.join(f'pad{i}' for i in range(PADS))})")
        session.end()
        self.ledger.add(1)
        self.ledger.arrived.add(1)
        broken = self.look()
        if broken:
            raise RuntimeError(broken)

    def log_in(self):
        """Two to four, and all survivors."""
        for slot in sorted({*self.clients, *self.chance.sample(range(len(SLOTS)), self.chance.randint(2, len(SLOTS)))}):
            if slot not in self.clients:
                self.house.is_breaking = True
                session = Session(self.house)
                self.house.is_breaking = False
                self.house.must(session, "SELECT INBOX")
                self.clients[slot] = Client(self, slot, session)
            else:
                self.clients[slot] = Client(self, slot, self.clients[slot].session)

    def round(self):
        """What is broken after one storm."""
        self.blow()
        return self.look()

    def blow(self):
        self.log_in()
        self.is_over = False
        deliverer = Deliverer(self, self.chance.random())
        workers = [*self.clients.values(), deliverer, Renamer(self, self.chance.random())]
        for worker in workers:
            worker.start()
        time.sleep(self.chance.uniform(0.02, 0.3))
        self.kill(deliverer, self.how_many())
        time.sleep(self.chance.uniform(0.0, 0.1) if self.clients else 0)
        self.is_over = True
        for worker in workers:
            worker.join()

    def how_many(self):
        return self.chance.choice((1, 1, len(self.clients), self.chance.randint(1, len(self.clients))))

    def kill(self, deliverer, n):
        victims = self.chance.sample(sorted(self.clients), min(n, len(self.clients)))
        for slot in victims:
            self.clients[slot].is_killed = True
            os.kill(self.clients[slot].session.process.pid, signal.SIGKILL)
        if deliverer.local is not None and deliverer.local.process is not None and self.chance.random() < 0.3:
            deliverer.local.process.kill()
        for slot in victims:
            self.clients.pop(slot).session.process.wait()
        self.ledger.count("kill", len(victims))

    def look(self):
        """By those who are still there, by a fresh session, and by one that has to find out all by itself."""
        ledger, seen = self.ledger, {}
        for slot, client in self.clients.items():
            client.ask("NOOP")
            seen[slot] = look_around(client.session, "INBOX", ledger.broken)
        broken = self.settle()
        for slot, messages in seen.items():
            broken += differences(f"session {slot}, which went on,", messages, self.last.boxes["INBOX"].messages)
        if broken or self.chance.random() < 0.3:  # lost, or only late?
            broken += self.look_anew()
        return broken + self.house.complaints()

    def look_anew(self):
        self.house.forget_derived()
        self.ledger.is_exact = True
        broken = [f"{line} (all derived files deleted)" for line in self.settle()]
        self.ledger.is_exact = False
        return broken

    def settle(self, is_cut=False):
        session = Session(self.house)
        self.last = View(session)
        status = session.end()
        return self.last.broken + self.ledger.settle(self.last, is_cut) + ([] if status == 0 else [f"died: the session that looks ended with {status}"])

    def end(self):
        for client in self.clients.values():
            client.session.end()


class PowerStorm(Storm):
    """All die at one moment, and the power goes. What local delivered is send's to repeat; where a session has told of it, it stays."""
    is_delivery_kept = False

    def __init__(self, powered, seed):
        super().__init__(powered.house, seed)
        self.powered = powered

    def how_many(self):
        return len(self.clients)

    def round(self):
        self.powered.settle()
        self.blow()
        self.powered.cut(self.chance.choice(power.WAYS))
        return self.settle(True) + self.look_anew() + self.house.complaints()


def differences(who, messages, others):
    """Foreign flags are seen late, by contract."""
    plain = [{uid: (number, flags - {FOREIGN}) for uid, (number, flags) in view.items()} for view in (messages, others)]
    return [f"differs: {who} sees UID {uid} as {plain[0].get(uid)}, a fresh one as {plain[1].get(uid)}"
            for uid in sorted(plain[0].keys() | plain[1].keys()) if plain[0].get(uid) != plain[1].get(uid)]


def run_rounds(house, rounds, seed, done, make=None):
    """The first complaints; done: what was acknowledged."""
    bad = []
    for first in range(0, rounds, EPISODE):
        house.forget()
        storm = (make or (lambda seed: Storm(house, seed)))(seed * 1000003 + first)
        for i in range(first, min(first + EPISODE, rounds)):
            broken = storm.round()
            if broken:
                bad += [f"round {i}: {line}" for line in broken[:10] + storm.ledger.story_of(broken)] + house.last_log()
                break  # what is wrong now stays wrong
        storm.end()
        for what, n in storm.ledger.done.items():
            done[what] = done.get(what, 0) + n
    return bad


def tell(tap, rounds, what, bad, done):
    tap.note(", ".join(f"{what} {n}" for what, n in sorted(done.items())))
    tap.ok(all(done.get(word, 0) >= rounds for word in ("STORE", "APPEND", "COPY", "MOVE", "EXPUNGE", "kill", "rename", "delivery")),
           f"{rounds}_storms_had_enough_of_everything", [str(done)])
    tap.ok(not bad, f"what_was_acknowledged_survives_the_{what}_in_{rounds}_storms", bad[:60])


def run(tap, folder, rounds, is_held=False, seed=1):
    """is_held: all sessions are on a busy machine with an old kernel (held.c)."""
    house, done = DeliveryHouse(folder), {}
    house.begin()
    if is_held:
        house.extra_env, house.is_always_broken = {"stafet-imapd": {"LD_PRELOAD": points.HELD}}, True
    bad = run_rounds(house, rounds, seed, done)
    tell(tap, rounds, "kills", bad, done)


def run_power(tap, powered, rounds, seed=1):
    done = {}
    bad = run_rounds(powered.house, rounds, seed, done, lambda seed: PowerStorm(powered, seed))
    tell(tap, rounds, "power_cuts", bad, done)
