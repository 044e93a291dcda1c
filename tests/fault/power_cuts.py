#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Power cuts: the whole house lives on an ext4 image (with --whole on XFS too). At every system call of queue, local and send the
program is killed and the file system shut down without a journal flush; and in mid-load at moments all over a burst. Then the journal
is replayed, clean servers run the spool empty, and the checker looks. Both forms of intake (control/spoolsync one, two)."""

import os
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import points  # noqa: E402
from disk import Disk  # noqa: E402
from house import House, Tap, USERS  # noqa: E402
from kill_points import SCENES, Runner, list_points  # noqa: E402


def crash(house, disk):
    house.kill()
    disk.cut_power()


def settle(house, disk):
    """What the last point left behind is made durable, so that the next cut tests its own point only."""
    house.forget()
    os.sync()
    del disk


def run_points(tap, house, disk, scene, step):
    name, run, begins, size, _ = scene
    runner = Runner(house)
    settle(house, disk)
    found = list_points(runner, run, begins, size)
    house.drain()
    bad, count = [], 0
    for call, number in found[::step]:
        house.kill()
        settle(house, disk)
        run(runner, points.inject_wrapper(call, number, "KILL"), size)
        crash(house, disk)
        is_empty = house.drain()
        broken = house.check(1) + ([] if is_empty else [f"the spool does not become empty: {house.spool_files()}"])
        count += 1
        if broken:
            bad.append(f"power cut at {call} number {number}: " + "; ".join(broken))
            bad += [f"    {line}" for line in house.last_log(4)]
    tap.ok(count > 0 and not bad, f"{name}_survives_{count}_power_cuts", bad[:40])


class Client(threading.Thread):
    """Submits until it is stopped or the queue is gone."""

    def __init__(self, house, first, most):
        super().__init__(daemon=True)
        self.house, self.next, self.most = house, first, most

    def run(self):
        for i in range(self.most):
            try:
                self.house.submit(self.next + i, (USERS[i % len(USERS)],), 300 + 37 * i)
            except OSError:
                return


def run_burst(house, disk, delay, messages):
    """Clients and deliveries at full speed, the power goes `delay` seconds after the start. What the checker says."""
    house.kill()
    settle(house, disk)
    for name in ("rcpt", "queue", "local", "send"):
        house.start(name)
    clients = [Client(house, 1000 * (i + 1), messages) for i in range(4)]
    for client in clients:
        client.start()
    time.sleep(delay)
    crash(house, disk)
    for client in clients:
        client.join()
    is_empty = house.drain(30)
    return house.check(1) + ([] if is_empty else ["the spool does not become empty"])


def run_bursts(tap, house, disk, cuts):
    bad, acknowledged = [], 0
    for i in range(cuts):
        broken = run_burst(house, disk, 0.03 + 0.017 * i, 60)
        acknowledged += sum(1 for _, good in house.sent.values() if good)
        bad += [f"cut {i}: {line}" for line in broken]
    tap.ok(acknowledged > 0, f"{acknowledged}_messages_were_acknowledged_before_{cuts}_cuts")
    tap.ok(not bad, "none_of_them_is_lost_or_torn", bad[:40])


def run_idle(tap, house, disk, messages=20):
    """Acknowledged, nothing happens, the power goes: where a missing sync of the name shows."""
    house.kill()
    settle(house, disk)
    house.start("queue")
    acknowledged = sum(house.submit(9000 + i, ("ann",)) for i in range(messages))
    crash(house, disk)
    house.drain()
    tap.ok(acknowledged == messages, "an_idle_house_acknowledges")
    tap.ok(not house.check(0), "and_a_power_cut_after_that_loses_none", house.check(0)[:10])


def run_disk(tap, folder, kind, form, whole):
    disk = Disk(folder, kind)
    disk.mount()
    try:
        house = House(os.path.join(disk.mountpoint, "house"))
        os.mkdir(house.folder)
        house.log_path = os.path.join(folder, "log.txt")
        house.build(form)
        os.sync()
        print(f"# {kind}, spoolsync {form}", flush=True)
        run_idle(tap, house, disk)
        for scene in SCENES:
            if scene[0] != "queue-large" or whole:
                run_points(tap, house, disk, scene, 1 if whole or scene[0] == "queue" else 4)
        run_bursts(tap, house, disk, 60 if whole else 8)
        house.kill()
    finally:
        disk.remove()


def main():
    whole = "--whole" in sys.argv
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="stafet-power.") as folder:
        os.chmod(folder, 0o755)
        for kind in ("ext4", "xfs") if whole else ("ext4",):
            for form in ("one", "two"):
                run_disk(tap, folder, kind, form, whole)
    tap.done()


if __name__ == "__main__":
    main()
