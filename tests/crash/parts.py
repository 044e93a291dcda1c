# SPDX-License-Identifier: ISC
"""The parts of the crash tests, by name: each a function of (tap, scratch folder, is_short). A part has its own house."""

import os

import faults
import power
import scenes
from house import House


def alone(scene):
    def part(tap, folder, is_short):
        house = House(folder)
        house.build()
        try:
            processes = (0, 1) if scene is scenes.LocalProgram else (0,)
            faults.run_scene(tap, scene(house), every=3 if is_short else 1, processes=processes)
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

PARTS = {scene.name: alone(scene) for scene in scenes.ALONE}
for disk_kind in ("ext4", "xfs"):
    for sync_form in ("one", "two"):
        PARTS[f"power-{disk_kind}-{sync_form}-queue"] = cut(disk_kind, sync_form, QUEUES)
    PARTS[f"power-{disk_kind}-local"] = cut(disk_kind, "one", LOCALS)
