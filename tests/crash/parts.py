# SPDX-License-Identifier: ISC
"""The parts of the crash tests, by name: each a function of (tap, scratch folder, is_short). A part has its own house."""

import os

import faults
import power
import relay
import scenes
from house import House


def broken(scene, sample):
    """A scene under kills and errnos; the short form takes the sample."""
    def part(tap, folder, is_short):
        house = House(folder)
        house.build()
        try:
            faults.run_scene(tap, scene(house), sample if is_short else (1, 1))
        finally:
            house.kill()
    return part


def cut(kind, form, chosen):
    def part(tap, folder, is_short):
        if os.geteuid() != 0:
            tap.ok(False, "power_cuts_need_root", ["mount and the shutdown ioctl are root's: run this as root"])
            return
        with power.Powered(folder, kind, form) as powered:
            power.run_idle(tap, powered)
            for scene in chosen:
                power.run_scene(tap, powered, scene(powered.house), every=3 if is_short else 1)
    return part


QUEUES = (scenes.Queue, scenes.QueueLarge, scenes.QueueMany)
LOCALS = (scenes.Local, scenes.LocalQuota, scenes.LocalForward)

PARTS = {scene.name: broken(scene, (2, 4)) for scene in scenes.ALONE}
PARTS.update((scene.name, broken(scene, (5, 12))) for scene in relay.RELAY)
for disk_kind in ("ext4", "xfs"):
    for sync_form in ("one", "two"):
        PARTS[f"power-{disk_kind}-{sync_form}-queue"] = cut(disk_kind, sync_form, QUEUES)
    PARTS[f"power-{disk_kind}-local"] = cut(disk_kind, "one", LOCALS)
