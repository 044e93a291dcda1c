# SPDX-License-Identifier: ISC
"""Power cuts. The whole house lives on an image. At every system call of a scene the program is killed and the file system shut down
without a journal flush, in two ways: at once, and after the sync of a neighbour's file, which makes names durable but not data (the
two ends of what a disk may have kept). Bursts cut in mid-load; an idle house is cut after its last answer."""

import os
import threading
import time

import faults
import points
from disk import Disk
from house import USERS, House

WAYS = ("at-once", "after-a-neighbour")


class Powered:
    """A house on a disk that can lose its power."""

    def __init__(self, folder, kind, form, make=House):
        self.disk = Disk(folder, kind)
        self.disk.mount()
        self.house = make(os.path.join(self.disk.mountpoint, "house"), os.path.join(folder, "log.txt"))
        os.mkdir(self.house.folder)
        self.house.build(form)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.house.kill()
        self.disk.__exit__()

    def settle(self):
        self.house.kill()
        self.house.forget()
        self.disk.settle()

    def cut(self, way):
        self.house.kill()
        if way == WAYS[1]:
            self.disk.commit_journal()
        self.disk.cut_power()


def one_cut(powered, scene, point, way):
    powered.settle()
    scene.prepare()
    powered.disk.settle()
    scene.run(points.break_wrapper(point, "kill"))
    powered.cut(way)
    scene.after_cut()
    scene.recover()
    broken = scene.check(point, "cut")
    if broken:
        return [f"{scene.name}: power cut {way}, {points.show(point, 'kill')}: " + "; ".join(broken), *scene.house.last_log()]
    return []


def run_scene(tap, powered, scene, every=1):
    found = faults.list_points(scene)
    bad, cuts = [], 0
    for point in found[::every] + [(0, "exit_group", 1)]:  # and when all is done
        for way in WAYS:
            bad += one_cut(powered, scene, point, way)
            cuts += 1
    tap.ok(cuts > 0 and not bad, f"{scene.name}_survives_{cuts}_power_cuts", bad[:60])


class Client(threading.Thread):
    """Submits until the queue is gone."""

    def __init__(self, house, first, most):
        super().__init__(daemon=True)
        self.house, self.first, self.most = house, first, most

    def run(self):
        for i in range(self.most):
            try:
                self.house.submit((USERS[i % len(USERS)],), 300 + 37 * i, number=self.first + i)
            except OSError:
                return


def load(house, seconds, messages=60, clients=4):
    """Clients at full speed for so long; then everything is killed."""
    threads = [Client(house, 1000 * (i + 1), messages) for i in range(clients)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    house.kill()
    for thread in threads:
        thread.join()


def burst(powered, seconds, way):
    """The power goes in the middle of intake and deliveries. What the checker says after the spool has been run empty."""
    house = powered.house
    powered.settle()
    house.start("rcpt", "queue", "local", "ctl")
    load(house, seconds)
    powered.cut(way)
    is_empty = house.drain(30)
    house.kill()
    return house.check() + ([] if is_empty else ["stuck: the spool does not become empty"])


def run_bursts(tap, powered, cuts):
    bad, acknowledged = [], 0
    for i in range(cuts):
        bad += [f"cut {i}: {line}" for line in burst(powered, 0.03 + 0.017 * (i % 30), WAYS[i % 2])]
        acknowledged += sum(is_acknowledged for _, is_acknowledged in powered.house.sent.values())
    tap.ok(acknowledged > 0, f"{acknowledged}_messages_were_acknowledged_before_{cuts}_cuts_in_mid_load")
    tap.ok(not bad, "none_of_them_is_lost_torn_or_doubled", bad[:60])


def idle(powered, messages=20):
    """Acknowledged, nothing happens, the power goes: where a missing sync of a name shows."""
    house = powered.house
    powered.settle()
    house.start("queue")
    acknowledged = sum(house.submit(("ann",)) == "K" for _ in range(messages))
    powered.cut(WAYS[0])
    return house.check_spool() + ([] if acknowledged == messages else ["not all were acknowledged"])


def run_idle(tap, powered):
    broken = idle(powered)
    tap.ok(not broken, "an_idle_house_loses_nothing_of_what_it_acknowledged", broken[:20])
